"""Defines queues for the domain, which only sends messages. The Functions host receives them."""

from typing import Protocol

from shared.errors import Permanent

_MAX_MESSAGE_BYTES = 64 << 10


class QueueSender(Protocol):
    """Sends messages to queues. A queue that does not exist is created."""

    async def send(self, queue: str, body: str, *, delay_seconds: float = 0.0) -> None:
        """Sends one message. It is delivered at least once, after the delay, and in no order with others.

        The message is noted for `shared.storage.sent`.

        Raises:
            Permanent: the body exceeds 64 KiB.
            Unavailable: storage does not answer.
        """
        ...

    async def depth(self, queue: str) -> int:
        """Returns the approximate number of messages in the queue, or 0 if it does not exist."""
        ...


def check_message(body: str) -> None:
    """Checks that the service would accept a message.

    Raises:
        Permanent: the body exceeds 64 KiB.
    """
    size = len(body.encode())
    if size > _MAX_MESSAGE_BYTES:
        raise Permanent(f"The message has {size} bytes; it may have {_MAX_MESSAGE_BYTES}.")
