"""Queues in memory, for tests and simulations. They behave as `shared.storage.azure.queues` does."""

from collections import defaultdict
from typing import override

from shared.storage.queues import QueueSender, check_message
from shared.storage.sent import note_sent


class MemoryQueues(QueueSender):
    """QueueSender over lists. `sent` has all messages of a queue, in order."""

    def __init__(self) -> None:
        self.sent: defaultdict[str, list[str]] = defaultdict(list)
        self._waiting: defaultdict[str, list[str]] = defaultdict(list)

    @override
    async def send(self, queue: str, body: str, *, delay_seconds: float = 0.0) -> None:
        """See `QueueSender.send`. The delay is ignored."""
        del delay_seconds
        check_message(body)
        self.sent[queue].append(body)
        self._waiting[queue].append(body)
        note_sent(queue)

    @override
    async def depth(self, queue: str) -> int:
        return len(self._waiting[queue])

    def take(self, queue: str) -> list[str]:
        """Removes and returns all messages of the queue that were not taken before."""
        taken, self._waiting[queue] = self._waiting[queue], []
        return taken

    async def ping(self) -> None:
        """Does nothing, since memory always answers."""
