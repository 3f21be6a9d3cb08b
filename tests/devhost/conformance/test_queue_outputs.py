"""Queue outputs. Each test's docstring gives the line of the contract that it proves."""

import base64
import json
import time

import pytest
from azure.storage.queue import TextBase64EncodePolicy

from tests.devhost.conformance.queue_apps import WORK, plain
from tests.devhost.waiting import eventually, exists


def test_an_output_wakes_the_listener_of_the_same_host(app, hosts):
    """Q6: an output binding or poison write of the same process wakes the listener."""
    code = (
        WORK
        + """
    @app.route(route="out")
    @app.queue_output(arg_name="out", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    def out(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
        out.set("woken")
        return func.HttpResponse("sent")
    """
    )
    host = hosts(app(code, host=plain(maxPollingInterval="00:02:00")))
    with host.behind_proxy(b"no answer has this") as proxy:
        eventually(lambda: proxy.polls >= 8)
        # after its eighth empty poll, a listener pauses for more than 5 seconds
        sent = time.time()
        assert host.get("/api/out")[0] == 200
        host.logged("Executed 'Functions.work' (Succeeded")
        assert host.seen(1)[0]["at"] - sent < 5


FAN_OUT = """
    @app.route(route="list", methods=["POST"])
    @app.queue_output(arg_name="out", queue_name="%QUEUE%-out", connection="AzureWebJobsStorage")
    def listed(req: func.HttpRequest, out: func.Out[List[str]]) -> func.HttpResponse:
        out.set(json.loads(req.get_body()))
        return func.HttpResponse("sent")

    @app.route(route="text", methods=["POST"])
    @app.queue_output(arg_name="out", queue_name="%QUEUE%-out", connection="AzureWebJobsStorage")
    def text(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
        out.set(req.get_body().decode())
        return func.HttpResponse("sent")

    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    @app.queue_output(arg_name="out", queue_name="%QUEUE%-out", connection="AzureWebJobsStorage")
    def forward(msg: func.QueueMessage, out: func.Out[str]) -> None:
        out.set("from " + msg.get_body().decode())
        if msg.get_body() == b"bad":
            raise ValueError("after setting the output")

    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%-names", connection="AzureWebJobsStorage")
    @app.queue_output(arg_name="$return", queue_name="%QUEUE%-out", connection="AzureWebJobsStorage")
    def returned(msg: func.QueueMessage) -> str:
        return "returned " + msg.get_body().decode()
"""


@pytest.fixture
def fan_out(app, hosts):
    return hosts(app(FAN_OUT, host=plain(maxDequeueCount=1))).start()


def taken(host, count):
    """The texts in the output queue, as soon as there are so many."""
    with host.messages(f"{host.queue}-out") as client:
        eventually(
            lambda: exists(client) and client.get_queue_properties().approximate_message_count >= count
        )
        return sorted(message.content for message in client.receive_messages())


def test_a_list_is_many_messages(fan_out):
    """Q13: the queue of an output is created on demand; a list of strings is many messages."""
    assert fan_out.call("POST", "/api/list", json.dumps(["a", '{"k": 1}', "[2]"]))[0] == 200
    assert taken(fan_out, 3) == ["[2]", "a", '{"k": 1}']


def test_a_text_that_holds_a_json_array_is_many_messages(fan_out):
    """Q14: a single string that holds a JSON array becomes many messages; an object is serialised again."""
    fan_out.call("POST", "/api/text", '["a", {"k":1}]')
    fan_out.call("POST", "/api/text", '{"k":1}')
    fan_out.call("POST", "/api/text", "plain")
    assert taken(fan_out, 4) == ["a", "plain", '{"k": 1}', '{"k": 1}']


def test_outputs_are_sent_only_after_success(fan_out):
    """Q15: outputs are sent after the function succeeded, and before its message is deleted."""
    fan_out.send("bad", "good")
    assert taken(fan_out, 1) == ["from good"]
    eventually(lambda: fan_out.count() == 0)
    assert taken(fan_out, 0) == []


def test_a_returned_value_goes_to_the_return_binding(fan_out):
    """Q16: a value that is returned goes to the binding named $return."""
    fan_out.send("x", name=f"{fan_out.queue}-names")
    assert taken(fan_out, 1) == ["returned x"]


def test_an_output_that_cannot_be_sent_fails_the_function(app, hosts):
    """Q17: an output that cannot be written fails the invocation, and its message comes back."""
    code = """
        @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
        @app.queue_output(arg_name="out", queue_name="%QUEUE%-out", connection="AzureWebJobsStorage")
        def work(msg: func.QueueMessage, out: func.Out[str]) -> None:
            note(count=msg.dequeue_count)
            out.set("x" * 100_000)
    """
    host = hosts(app(code, host=plain(maxDequeueCount=2))).start()
    host.send("go")
    assert [row["count"] for row in host.seen(2, "count")] == [1, 2]
    with host.messages(f"{host.queue}-poison") as client:
        eventually(lambda: exists(client))
    assert "A binding failed" in host.log


def test_a_base64_queue_output_is_read_back(app, hosts):
    """Q22: outputs are encoded as host.json says."""
    host = hosts(app(FAN_OUT)).start()
    assert host.call("POST", "/api/list", json.dumps(["ä"]))[0] == 200
    with host.messages(f"{host.queue}-out", message_encode_policy=TextBase64EncodePolicy()) as client:
        eventually(lambda: exists(client))
        assert base64.b64decode(client.receive_message().content).decode() == "ä"
