"""The trace of a function's operation, and the span that the app reports for it."""

import contextlib
import json
from types import SimpleNamespace

import azure.functions as func
import pytest
from pydantic import BaseModel

from functions import message, queues, timers
from functions.http import endpoint as endpoint_module
from functions.http.call import Answer
from functions.http.declared import PUBLIC, Declared
from functions.http.endpoint import http_function
from functions.http.endpoints import datasets, jobs
from functions.http.endpoints.operators import health
from functions.message import handling
from shared.settings import Settings
from shared.telemetry.correlation import current_operation
from shared.telemetry.recording import RecordingTelemetry
from shared.wiring import App
from tests.expect import present

OF_THE_HOST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OF_THE_HEADER = "00-11111111111111111111111111111111-2222222222222222-00"
OF_THE_MESSAGE = "00-33333333333333333333333333333333-4444444444444444-01"


class Trace(BaseModel):
    """What the handler saw."""

    trace_id: str
    span_id: str
    own_span: bool


async def trace_of(call):
    found = call.operation
    return Answer(Trace(trace_id=found.trace_id, span_id=found.span_id, own_span=found.own_span))


traced = http_function(Declared("GET", "x", {200: Trace}, scope=PUBLIC, is_counted=False), trace_of)


def context_of(parent):
    return SimpleNamespace(trace_context=SimpleNamespace(trace_parent=parent))


def message_of(text):
    message = func.QueueMessage(id="1", body=text.encode())
    return SimpleNamespace(id="1", get_body=message.get_body, dequeue_count=1)


@pytest.mark.parametrize(
    ("parent", "header", "expected"),
    [
        (OF_THE_HOST, None, OF_THE_HOST),
        (OF_THE_HOST, OF_THE_HEADER, OF_THE_HOST),
        ("", OF_THE_HEADER, OF_THE_HEADER),
        (None, OF_THE_HEADER, OF_THE_HEADER),
    ],
)
async def test_a_call_belongs_to_the_span_of_its_invocation_else_to_that_of_its_header(
    parent, header, expected
):
    headers = {"traceparent": header} if header else {}
    request = func.HttpRequest("GET", "http://localhost/x", headers=headers, body=b"")
    answer = await traced(request, context_of(parent))
    found = Trace.model_validate_json(answer.get_body())
    assert found == Trace(trace_id=expected[3:35], span_id=expected[36:52], own_span=False)


@pytest.fixture
def telemetry(monkeypatch):
    """The app, with telemetry that records its signals."""
    made = App(Settings())
    recording = RecordingTelemetry()
    vars(made).update(telemetry=recording)
    for module in (endpoint_module, message):
        monkeypatch.setattr(module, "app", lambda: made)
    return recording


async def test_a_call_without_any_trace_reports_its_span_itself(telemetry):
    request = func.HttpRequest("GET", "http://localhost/x", headers={}, body=b"")
    answer = await traced(request, context_of(None))
    assert Trace.model_validate_json(answer.get_body()).own_span
    [span] = telemetry.named("trace_of")
    assert (span.properties["type"], span.properties["success"]) == ("InProc", True)


@pytest.mark.parametrize("fails", [False, True])
async def test_each_message_has_a_span_that_names_the_hosts_operation(telemetry, fails):
    received = message_of(f'{{"traceparent": "{OF_THE_MESSAGE}", "correlation_id": "mine", "job_id": "j-1"}}')
    with pytest.raises(KeyError) if fails else contextlib.nullcontext():
        async with handling("work", received, context_of(OF_THE_HOST)):
            found = present(current_operation())
            assert (found.correlation_id, found.job_id) == ("mine", "j-1")
            if fails:
                raise KeyError("x")
    [span] = telemetry.named("work")
    assert span.properties == {
        "type": "InProc",
        "target": "",
        "success": not fails,
        "host_operation_id": OF_THE_HOST[3:35],
    }
    assert len(telemetry.named("operation_completed")) == (not fails)
    assert len(telemetry.named("KeyError")) == fails


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'{{"traceparent": "{OF_THE_MESSAGE}"}}', OF_THE_MESSAGE),
        ('{"traceparent": ""}', OF_THE_HOST),
        ("{}", OF_THE_HOST),
        ("no JSON", OF_THE_HOST),
        ('{"traceparent": "nonsense"}', OF_THE_HOST),
    ],
)
async def test_a_message_belongs_to_the_trace_that_it_carries_else_to_that_of_its_invocation(text, expected):
    async with handling("work", message_of(text), context_of(OF_THE_HOST)):
        found = present(current_operation())
    assert found.own_span
    assert (found.trace_id, found.parent_id) == (expected[3:35], expected[36:52])


@pytest.mark.parametrize("carried", ["", "x" * 65, "two\nlines", None, 5])
async def test_all_deliveries_of_a_message_without_a_correlation_id_have_the_messages_id_as_one(carried):
    found = []
    for host in (OF_THE_HOST, OF_THE_HEADER):
        received = message_of(json.dumps({"keywords": ["a"], "correlation_id": carried}))
        async with handling("work", received, context_of(host)):
            found.append(present(current_operation()).correlation_id)
    assert found == ["1", "1"]


def test_each_function_is_given_its_invocations_context():
    """Without the context a function could not know its trace.

    Messages are bytes, so that none can replace its metadata.
    """
    app = func.FunctionApp()
    for module in (datasets, health, jobs):
        app.register_functions(module.endpoints.blueprint)
    for module in (queues, timers):
        app.register_functions(module.blueprint)
    found = {function.get_function_name(): function for function in app.get_functions()}
    assert {
        "lifecycle",
        "business_metrics",
        "watchdog",
        "discover_job_poison",
        "submit_job",
        "health_live",
    } <= set(found)
    for name, function in found.items():
        assert "context" in function.get_user_function().__annotations__, name
        trigger = present(function.get_trigger())
        if trigger.type == "queueTrigger":
            assert trigger.data_type == func.DataType.BINARY.value, name
