"""Which trace a function's operation belongs to."""

from types import SimpleNamespace

import azure.functions as func
import pytest
from pydantic import BaseModel

from functions import queues, timers
from functions.http import datasets, health, jobs
from functions.http.endpoint import Answer, endpoint
from functions.message import handling
from shared.telemetry.correlation import current_operation

OF_THE_HOST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OF_THE_HEADER = "00-11111111111111111111111111111111-2222222222222222-00"
OF_THE_MESSAGE = "00-33333333333333333333333333333333-4444444444444444-01"


class Trace(BaseModel):
    """What the handler saw."""

    trace_id: str
    parent_id: str


@endpoint(public=True)
async def traced(call):
    return Answer(Trace(trace_id=call.operation.trace_id, parent_id=call.operation.parent_id))


def context_of(parent):
    return SimpleNamespace(trace_context=SimpleNamespace(trace_parent=parent))


@pytest.mark.parametrize(
    ("parent", "header", "expected"),
    [
        (OF_THE_HOST, None, OF_THE_HOST),
        (OF_THE_HOST, OF_THE_HEADER, OF_THE_HOST),
        ("", OF_THE_HEADER, OF_THE_HEADER),
        (None, OF_THE_HEADER, OF_THE_HEADER),
    ],
)
async def test_a_call_belongs_to_the_trace_of_its_invocation_else_to_that_of_its_header(
    parent, header, expected
):
    headers = {"traceparent": header} if header else {}
    request = func.HttpRequest("GET", "http://localhost/x", headers=headers, body=b"")
    answer = await traced(request, context_of(parent))
    found = Trace.model_validate_json(answer.get_body())
    assert (found.trace_id, found.parent_id) == (expected[3:35], expected[36:52])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'{{"traceparent": "{OF_THE_MESSAGE}"}}', OF_THE_MESSAGE),
        ('{"traceparent": ""}', OF_THE_HOST),
        ("{}", OF_THE_HOST),
        ("no JSON", OF_THE_HOST),
    ],
)
async def test_a_message_belongs_to_the_trace_that_it_carries_else_to_that_of_its_invocation(text, expected):
    message = func.QueueMessage(id="1", body=text.encode())
    message = SimpleNamespace(id="1", get_body=message.get_body, dequeue_count=1)
    async with handling("work", message, context_of(OF_THE_HOST)):
        found = current_operation()
    assert (found.trace_id, found.parent_id) == (expected[3:35], expected[36:52])


def test_each_function_is_given_its_invocations_context():
    """Else it could not know its trace; and each message comes as bytes, so that none can spoil its metadata."""
    app = func.FunctionApp()
    for module in (datasets, health, jobs, queues, timers):
        app.register_functions(module.blueprint)
    found = {function.get_function_name(): function for function in app.get_functions()}
    assert {"lifecycle", "watchdog", "discover_job_poison", "submit_job", "health_live"} <= set(found)
    for name, function in found.items():
        assert "context" in function.get_user_function().__annotations__, name
        trigger = function.get_trigger()
        if trigger.type == "queueTrigger":
            assert trigger.data_type == func.DataType.BINARY.value, name
