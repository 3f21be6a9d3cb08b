"""What every queue function shares: the trigger, decoding, the operation of the message."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import azure.functions as func

from functions.invocation import triggered
from shared.jobs.job.messages import read_envelope
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
    """Handle one message within an operation of its own (see `triggered`)."""
    text = msg.get_body().decode("utf-8", "replace")
    async with triggered(app(), name, context, read_envelope(text, msg.id or "")):
        yield ReceivedMessage(msg.id or "", text, again=msg.dequeue_count != 1)
