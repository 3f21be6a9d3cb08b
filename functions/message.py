"""Holds what all queue functions have in common: trigger, wake-ups, decoding, and the operation of a message."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import azure.functions as func

from functions.invocation import triggered
from functions.wake_ups import is_wake_up, with_wake_ups
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
    triggered_by_queue = blueprint.queue_trigger(
        arg_name="msg", queue_name=queue, connection="AzureWebJobsStorage", data_type=func.DataType.BINARY
    )

    def register(function: QueueFunction) -> QueueFunction:
        async def handle(msg: func.QueueMessage, context: func.Context) -> None:
            if not await is_wake_up(queue, msg.get_body()):
                await function(msg, context)

        handle.__name__, handle.__module__ = function.__name__, function.__module__
        handle.__doc__ = function.__doc__
        waking = with_wake_ups(blueprint, handle, lambda: app().settings.wake_queues)
        registered: QueueFunction = triggered_by_queue(waking)
        return registered

    return register


@contextlib.asynccontextmanager
async def handling(
    name: str, msg: func.QueueMessage, context: func.Context
) -> AsyncIterator[ReceivedMessage]:
    """Runs the block for one message, within an operation of its own (see `triggered`)."""
    text = msg.get_body().decode("utf-8", "replace")
    async with triggered(app(), name, context, read_envelope(text, msg.id or "")):
        yield ReceivedMessage(msg.id or "", text, again=msg.dequeue_count != 1)
