"""What every queue function shares: the trigger, decoding, correlation, telemetry of what failed."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import azure.functions as func

from shared.jobs.job.messages import traceparent_in
from shared.telemetry import signals
from shared.telemetry.correlation import operation
from shared.wiring import app

type QueueFunction = Callable[[func.QueueMessage, func.Context], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as the host handed it over."""

    id: str
    text: str
    again: bool
    """Whether it was delivered before."""


def queue_function(blueprint: func.Blueprint, queue: str) -> Callable[[QueueFunction], QueueFunction]:
    """Register a function for the messages of a queue in the app's storage account.

    Messages are taken as bytes. In a text that is JSON, the host lets keys such as `Id` or `DequeueCount` replace the
    message's own metadata: a message with `{"DequeueCount": "x"}` would fail before any code of ours runs, in the
    poison function too.
    """
    register: Callable[[QueueFunction], QueueFunction] = blueprint.queue_trigger(
        arg_name="msg", queue_name=queue, connection="AzureWebJobsStorage", data_type=func.DataType.BINARY
    )
    return register


@contextlib.asynccontextmanager
async def handling(
    name: str, msg: func.QueueMessage, context: func.Context
) -> AsyncIterator[ReceivedMessage]:
    """Handle one message within an operation of its own; what fails is reported, and left to the host's retries.

    The operation belongs to the trace that the message carries, else to that of the invocation.
    """
    text = msg.get_body().decode("utf-8", "replace")
    with operation(name, traceparent=traceparent_in(text) or context.trace_context.trace_parent) as current:
        try:
            yield ReceivedMessage(msg.id or "", text, again=msg.dequeue_count != 1)
            app().completed(current)
        except Exception as error:
            signals.failure(app().telemetry, error, operation=name)
            raise
