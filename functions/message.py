"""Holds what all queue functions have in common: the trigger, the decoding, and the operation of a message."""

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
    """A message that the host has delivered."""

    id: str
    text: str
    again: bool
    """Whether it was delivered before."""


def queue_function(blueprint: func.Blueprint, queue: str) -> Callable[[QueueFunction], QueueFunction]:
    """Registers a function for the messages of a queue in the app's storage account.

    Messages are received as bytes. In a text that is JSON, the host lets keys such as `Id` or `DequeueCount` replace
    the message's own metadata. A message with `{"DequeueCount": "x"}` would fail before any code of the app runs, and
    in the poison function, too.
    """
    register: Callable[[QueueFunction], QueueFunction] = blueprint.queue_trigger(
        arg_name="msg", queue_name=queue, connection="AzureWebJobsStorage", data_type=func.DataType.BINARY
    )
    return register


@contextlib.asynccontextmanager
async def handling(
    name: str, msg: func.QueueMessage, context: func.Context
) -> AsyncIterator[ReceivedMessage]:
    """Runs the block for one message, within an operation of its own (see `triggered`)."""
    text = msg.get_body().decode("utf-8", "replace")
    async with triggered(app(), name, context, read_envelope(text, msg.id or "")):
        yield ReceivedMessage(msg.id or "", text, again=msg.dequeue_count != 1)
