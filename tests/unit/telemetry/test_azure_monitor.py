"""What reaches Application Insights, on an ingestion server of the true protocol."""

import asyncio

import pytest
from aiohttp import web

from shared.telemetry import signals
from shared.telemetry.azure_monitor import AzureMonitorConfig, AzureMonitorTelemetry
from shared.telemetry.correlation import current_operation, operation


class Ingestion:
    def __init__(self):
        self.items = []
        self.refusals = []

    async def track(self, request):
        items = await request.json()
        if self.refusals:
            status, retried = self.refusals.pop(0)
            accepted = [item for index, item in enumerate(items) if status == 206 and index not in retried]
            self.items += accepted
            errors = [{"index": index, "statusCode": 500, "message": "busy"} for index in retried]
            content = {"itemsReceived": len(items), "itemsAccepted": len(accepted), "errors": errors}
            return web.json_response(content, status=status)
        self.items += items
        return web.json_response({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []})


@pytest.fixture
async def ingestion():
    state = Ingestion()
    app = web.Application()
    app.router.add_post("/v2.1/track", state.track)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    state.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield state
    await runner.cleanup()


def telemetry(ingestion, rate=1.0):
    connection = f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={ingestion.url}/"
    return AzureMonitorTelemetry(
        AzureMonitorConfig(connection, "test", "here", sampling_rate=rate, interval_seconds=0.05)
    )


async def _arrived(ingestion, count):
    for _ in range(200):
        if len(ingestion.items) >= count:
            return ingestion.items
        await asyncio.sleep(0.02)
    raise AssertionError(f"{len(ingestion.items)} of {count} arrived")


async def test_every_kind_arrives_with_its_operation(ingestion):
    sink = telemetry(ingestion)
    with operation("crawl", correlation_id="c-1") as current:
        signals.job_completed(sink, job_id="j", images_count=3, duration_seconds=1.5)
        signals.datasets_archived(sink, count=2)
        signals.azure_blob_upload(sink, target="x.zip", duration_seconds=61.5, file_size_mb=2.0)
        try:
            int("boom")
        except ValueError as error:
            signals.failure(sink, error, operation="crawl", job_id="j")
    event, metric, dependency, exception = await _arrived(ingestion, 4)
    assert event["data"]["baseType"] == "EventData"
    assert event["data"]["baseData"]["name"] == "job_completed"
    assert event["data"]["baseData"]["measurements"] == {"images_processed": 3, "duration": 1.5}
    assert metric["data"]["baseData"]["metrics"][0]["value"] == 2
    assert dependency["data"]["baseData"]["duration"] == "0.00:01:01.500"
    assert dependency["data"]["baseData"]["type"] == "Azure Blob"
    assert exception["data"]["baseData"]["exceptions"][0]["typeName"] == "ValueError"
    for item in ingestion.items:
        assert item["tags"]["ai.operation.id"] == current.trace_id
        assert item["data"]["baseData"]["properties"]["environment"] == "test"
        assert item["data"]["baseData"]["properties"]["correlation_id"] == "c-1"


async def test_an_operation_is_sampled_whole_and_says_at_which_rate(ingestion):
    sink = telemetry(ingestion, rate=0.3)
    for _ in range(300):
        with operation("o"):
            sink.event("first", {})
            sink.event("second", {})
            sink.metric("m", 1.0)
    await sink.flush()
    await asyncio.sleep(0.2)
    by_name = {}
    for item in ingestion.items:
        base = item["data"]["baseData"]
        name = base.get("name") or base["metrics"][0]["name"]
        by_name.setdefault(name, []).append(item)
    assert len(by_name["m"]) == 300
    assert {item["sampleRate"] for item in by_name["m"]} == {100.0}
    ids = [{item["tags"]["ai.operation.id"] for item in by_name[name]} for name in ("first", "second")]
    assert ids[0] == ids[1]
    assert 40 < len(ids[0]) < 150
    assert {item["sampleRate"] for item in by_name["first"]} == {30.0}


async def test_what_is_refused_for_now_is_sent_again(ingestion):
    ingestion.refusals = [(503, []), (206, [1])]
    sink = telemetry(ingestion)
    for number in range(3):
        sink.event(f"e{number}", {})
    items = await _arrived(ingestion, 3)
    assert sorted(item["data"]["baseData"]["name"] for item in items) == ["e0", "e1", "e2"]


async def test_a_full_buffer_drops_and_counts(ingestion):
    connection = f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={ingestion.url}"
    config = AzureMonitorConfig(
        connection, "test", "here", sampling_rate=1, max_buffered=2, interval_seconds=5
    )
    sink = AzureMonitorTelemetry(config)
    sink._ensure_sender = lambda: None
    for _ in range(5):
        sink.event("e", {})
    assert sink.dropped == 3


def test_trace_context_is_taken_over_only_when_it_is_valid():
    with operation("x", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01") as child:
        assert child.trace_id == "a" * 32
        assert child.parent_id == "b" * 16
        assert child.traceparent.startswith(f"00-{child.trace_id}-")
        assert current_operation() is child
    for bad in ("", "00-" + "0" * 32 + "-" + "b" * 16 + "-01", "nonsense", None):
        with operation("x", traceparent=bad, correlation_id="bad id\n") as root:
            assert root.parent_id == ""
            assert root.correlation_id == root.trace_id
    assert current_operation() is None
