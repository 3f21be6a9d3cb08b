"""Queues in memory: the twin of `azure_queues`."""

from collections import defaultdict

from shared.errors import Permanent

_MAX_BYTES = 65_536


class MemoryQueues:
    """QueueSender over lists; `sent` holds every message of a queue, `take` hands the waiting ones out."""

    def __init__(self) -> None:
        self.sent: defaultdict[str, list[str]] = defaultdict(list)
        self._waiting: defaultdict[str, list[str]] = defaultdict(list)

    async def send(self, queue: str, body: str, *, delay_seconds: float = 0.0) -> None:
        """See `QueueSender.send`; the delay is not waited for."""
        del delay_seconds
        if len(body.encode()) > _MAX_BYTES:
            raise Permanent("The message exceeds 64 KiB.")
        self.sent[queue].append(body)
        self._waiting[queue].append(body)

    async def depth(self, queue: str) -> int:
        """See `QueueSender.depth`."""
        return len(self._waiting[queue])

    def take(self, queue: str) -> list[str]:
        """All waiting messages, which then no longer wait."""
        taken, self._waiting[queue] = self._waiting[queue], []
        return taken

    async def ping(self) -> None:
        """Answer."""
