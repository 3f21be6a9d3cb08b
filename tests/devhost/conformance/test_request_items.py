"""What the host reports to Application Insights. Docstrings give the line of the contract."""

import asyncio
import json

import pytest

from playground.ingestion import Ingestion, serving

APP = """
    @app.route(route="hello/{name}")
    def hello(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        note(http=context.trace_context.trace_parent, id=context.invocation_id)
        return func.HttpResponse("hello", status_code=int(req.params.get("status", 200)))

    @app.route(route="fail")
    def fail(req: func.HttpRequest) -> str:
        raise ValueError("no")

    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    def work(msg: func.QueueMessage, context: func.Context) -> None:
        note(queue=context.trace_context.trace_parent)

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
    @app.retry(strategy="fixed_delay", max_retry_count="1", delay_interval="00:00:01")
    def nightly(timer: func.TimerRequest, context: func.Context) -> None:
        note(timer=context.trace_context.trace_parent)
        if not context.retry_context.retry_count:
            raise ValueError("not yet")
"""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PLAIN = {"extensions": {"queues": {"messageEncoding": "none"}}}


@pytest.fixture
async def ingestion():
    async with serving(Ingestion()) as server:
        yield server


def spans(items):
    """Trace and span of each item, by the name of its function."""
    return [
        (item["tags"]["ai.operation.name"], item["tags"]["ai.operation.id"], item["data"]["baseData"]["id"])
        for item in items
    ]


def given(name, trace_parent):
    return (name, *trace_parent.split("-")[1:3])


async def test_each_invocation_is_one_item_with_the_ids_of_its_trace_context(app, hosts, ingestion):
    """M1: each invocation is one item of `requests`: its ids are those of its trace context; so are a retry's."""
    setting = {"APPLICATIONINSIGHTS_CONNECTION_STRING": ingestion.connection_string}
    host = hosts(app(APP, host=PLAIN), **setting).start()
    host.send("a", "b")
    assert await asyncio.to_thread(host.get, "/api/hello/you", {"traceparent": PARENT}) == (200, "hello")
    assert await asyncio.to_thread(host.post_json, "/admin/functions/nightly") == 202
    await asyncio.to_thread(host.seen, 2, "timer")
    await asyncio.to_thread(host.seen, 2, "queue")
    await ingestion.until(lambda items: len(items) >= 5)
    await asyncio.to_thread(host.stop)
    expected = [given("hello", row["http"]) for row in host.rows("http")]
    expected += [given("work", row["queue"]) for row in host.rows("queue")]
    expected += [given("nightly", row["timer"]) for row in host.rows("timer")]
    assert sorted(spans(ingestion.items)) == sorted(expected)
    assert len({span for _, _, span in expected}) == 5
    parents = {
        item["tags"]["ai.operation.name"]: item["tags"].get("ai.operation.parentId")
        for item in ingestion.items
    }
    assert parents == {"hello": PARENT[36:52], "work": None, "nightly": None}
    outcomes = [
        item["data"]["baseData"]["success"]
        for item in ingestion.items
        if item["tags"]["ai.operation.name"] == "nightly"
    ]
    assert outcomes == [False, True]


async def test_an_item_says_how_the_invocation_went(app, hosts, ingestion):
    """M2: an item has the function's success, status, duration, role and instance; its URL has no query."""
    host = hosts(
        app(APP),
        APPLICATIONINSIGHTS_CONNECTION_STRING=ingestion.connection_string,
        WEBSITE_SITE_NAME="Pictures",
        WEBSITE_SLOT_NAME="Staging",
        WEBSITE_INSTANCE_ID="seven",
    ).start()
    assert (await asyncio.to_thread(host.get, "/api/hello/you?status=404&code=secret"))[0] == 404
    assert (await asyncio.to_thread(host.get, "/api/fail"))[0] == 500
    await ingestion.until(lambda items: len(items) >= 2)
    found, failed = (item["data"]["baseData"] for item in ingestion.items)
    assert (found["name"], found["responseCode"], found["success"]) == ("hello", "404", True)
    assert (failed["name"], failed["responseCode"], failed["success"]) == ("fail", "500", False)
    assert found["url"] == f"http://127.0.0.1:{host.port}/api/hello/you"
    assert found["properties"]["InvocationId"] == host.rows("http")[0]["id"]
    assert found["properties"]["HttpPath"] == "/api/hello/you"
    assert found["duration"].startswith("0.00:00:0")
    tags = ingestion.items[0]["tags"]
    assert (tags["ai.cloud.role"], tags["ai.cloud.roleInstance"]) == ("pictures-staging", "seven")
    assert "secret" not in json.dumps(ingestion.items)


async def test_what_arrives_nowhere_stops_nobody(app, hosts, unused_port):
    """M3: what the service does not take is lost, with one warning; a connection string that is none sends nothing."""
    refusing = f"InstrumentationKey=x;IngestionEndpoint=http://127.0.0.1:{unused_port}"
    host = hosts(app(APP), APPLICATIONINSIGHTS_CONNECTION_STRING=refusing).start()
    assert await asyncio.to_thread(host.get, "/api/hello/you") == (200, "hello")
    await asyncio.to_thread(host.logged, "Application Insights did not accept 1 requests")
    assert await asyncio.to_thread(host.get, "/api/hello/you") == (200, "hello")
    await asyncio.to_thread(host.stop)
    assert host.log.count("did not accept") == 1
    wrong = hosts(app(APP, name="b"), APPLICATIONINSIGHTS_CONNECTION_STRING="nonsense").start()
    assert await asyncio.to_thread(wrong.get, "/api/hello/you") == (200, "hello")
    assert "APPLICATIONINSIGHTS_CONNECTION_STRING cannot be used" in wrong.log
