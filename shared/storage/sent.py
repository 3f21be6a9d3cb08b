"""Notes to which queues messages are sent, so that invocations can wake the listeners of these queues at their end."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextvars import ContextVar

_noted: ContextVar[set[str] | None] = ContextVar("noted", default=None)
_awaited: defaultdict[str, set[asyncio.Event]] = defaultdict(set)


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
    """Notes that a message was sent to a queue: for the block around it, if any, and for those that wait for one."""
    _note(queue)
    for sent in _awaited.get(queue, ()):
        sent.set()


async def wait_for_sent_message(queue: str, most_seconds: float) -> None:
    """Waits until this process sends a message to a queue, which then counts as sent by the block around this call."""
    sent = asyncio.Event()
    _awaited[queue].add(sent)
    try:
        async with asyncio.timeout(most_seconds):
            await sent.wait()
        _note(queue)
    except TimeoutError:
        return
    finally:
        _awaited[queue].discard(sent)


def _note(queue: str) -> None:
    noted = _noted.get()
    if noted is not None:
        noted.add(queue)
