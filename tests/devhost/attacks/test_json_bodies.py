"""JSON bodies of many names: binding expressions may name them, and they hold nothing up where none does."""

import json
import os
from pathlib import Path

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


def processor_seconds(pid):
    """Returns the processor time of a process and of its children, which pauses of a busy machine do not add to."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(processor_seconds(child) for child in children)


def test_a_body_of_half_a_million_names_holds_nothing_up(app, hosts):
    host = hosts(app(CODE)).start()
    body = json.dumps({f"name{number}": number for number in range(500_000)}).encode()
    before = processor_seconds(host.process.pid)
    assert host.call("POST", "/api/plain", body, AS_JSON)[:2] == (200, str(len(body)))
    # some 0.1, and 10 if the names were read and sent to the worker
    assert processor_seconds(host.process.pid) - before < 2


def test_a_value_of_the_body_names_a_queue(app, hosts):
    host = hosts(app(CODE)).start()
    assert host.call("POST", "/api/sorted", b'{"to": "cats", "from": 7}', AS_JSON)[0] == 200
    with host.messages(f"{host.queue}-cats") as client:
        eventually(lambda: [message.content for message in client.peek_messages()] == ["c2VudA=="])
    assert host.call("POST", "/api/sorted", b'{"from": 7}', AS_JSON)[0] == 500
