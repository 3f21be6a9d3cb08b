"""JSON bodies of many names: binding expressions may name them, and they hold nothing up where none does."""

import json
import time

from tests.devhost.waiting import eventually

CODE = """
    @app.route(route="plain")
    def plain(req: func.HttpRequest) -> str:
        return str(len(req.get_body()))

    @app.route(route="sorted")
    @app.queue_output(arg_name="out", queue_name="%QUEUE%-{to}", connection="AzureWebJobsStorage")
    def sorted_out(req: func.HttpRequest, out: func.Out[str]) -> str:
        out.set("sent")
        return "sorted"
"""
AS_JSON = {"Content-Type": "application/json"}


def test_a_body_of_half_a_million_names_holds_nothing_up(app, hosts):
    host = hosts(app(CODE)).start()
    body = json.dumps({f"name{number}": number for number in range(500_000)}).encode()

    def seconds():
        began = time.monotonic()
        assert host.call("POST", "/api/plain", body, AS_JSON)[:2] == (200, str(len(body)))
        return time.monotonic() - began

    # a busy machine may delay one call, but not all of them
    assert any(seconds() < 5 for _ in range(5))


def test_a_value_of_the_body_names_a_queue(app, hosts):
    host = hosts(app(CODE)).start()
    assert host.call("POST", "/api/sorted", b'{"to": "cats", "from": 7}', AS_JSON)[0] == 200
    with host.messages(f"{host.queue}-cats") as client:
        eventually(lambda: [message.content for message in client.peek_messages()] == ["c2VudA=="])
    assert host.call("POST", "/api/sorted", b'{"from": 7}', AS_JSON)[0] == 500
