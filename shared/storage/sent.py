"""Notes to which queues an invocation sends messages, so that it can wake their listeners at its end."""

import contextlib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextvars import ContextVar

_noted: ContextVar[set[str] | None] = ContextVar("noted", default=None)


@contextlib.contextmanager
def noting_sent_messages() -> Iterator[AbstractSet[str]]:
    """Yields the names of the queues that the block, and the tasks that it starts, have sent messages to so far."""
    noted: set[str] = set()
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def note_sent(queue: str) -> None:
    """Notes that a message was sent to a queue. Does nothing outside of a block that notes such messages."""
    noted = _noted.get()
    if noted is not None:
        noted.add(queue)
