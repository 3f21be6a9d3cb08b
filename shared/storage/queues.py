"""Queues as the domain sees them: somewhere to put a message. The Functions host does the receiving."""

from typing import Protocol


class QueueSender(Protocol):
    """Puts messages on queues; the queue is created where it does not exist."""

    async def send(self, queue: str, body: str, *, delay_seconds: float = 0.0) -> None:
        """Put one message, visible after the delay; at-least-once, in no order.

        Raises:
            Permanent: the body exceeds a message's 64 KiB.
            Unavailable: storage does not answer.
        """
        ...

    async def depth(self, queue: str) -> int:
        """About how many messages wait; 0 where there is no such queue."""
        ...
