"""What every queue function shares: decoding, correlation, telemetry of what failed."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import azure.functions as func

from shared.jobs.messages import traceparent_in
from shared.telemetry import signals
from shared.telemetry.correlation import operation
from shared.wiring import app


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as the host handed it over."""

    id: str
    text: str
    again: bool
    """Whether it was delivered before."""


@contextlib.asynccontextmanager
async def handling(name: str, msg: func.QueueMessage) -> AsyncIterator[ReceivedMessage]:
    """Handle one message within an operation of its own; what fails is reported, and left to the host's retries."""
    text = msg.get_body().decode("utf-8", "replace")
    with operation(name, traceparent=traceparent_in(text)) as current:
        try:
            yield ReceivedMessage(msg.id or "", text, again=msg.dequeue_count != 1)
            app().completed(current)
        except Exception as error:
            signals.failure(app().telemetry, error, operation=name)
            raise
