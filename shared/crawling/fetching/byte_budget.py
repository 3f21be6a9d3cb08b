"""Limits the memory of all downloads and images that are in work at the same time."""

import asyncio
from collections import deque


class ByteBudget:
    """Divides a number of bytes among tasks.

    A task must take its share once, before it reads, and must give it back at the end. It never waits for a second
    share while it holds one, so there is no deadlock. A task that asks for more than the whole budget gets the whole
    budget. Tasks are served in the order in which they ask, so many small shares cannot keep a large one waiting.
    """

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._free = total_bytes
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    def take_now(self, size_bytes: int) -> int | None:
        """Takes a share if no wait is needed, and returns its size for `give_back`. Otherwise returns None."""
        share = min(size_bytes, self._total)
        if self._queue or share > self._free:
            return None
        self._free -= share
        return share

    async def take(self, size_bytes: int) -> int:
        """Waits until the bytes are free, and returns the size of the share for `give_back`."""
        share = self.take_now(size_bytes)
        if share is not None:
            return share
        share = min(size_bytes, self._total)
        granted = asyncio.get_running_loop().create_future()
        self._queue.append((share, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                # the next task may need fewer bytes
                self._serve()
            else:
                self.give_back(share)
            raise
        return share

    def give_back(self, share: int) -> None:
        """Frees a share."""
        self._free += share
        self._serve()

    def _serve(self) -> None:
        """Grants shares from the beginning of the queue while the bytes suffice. Cancelled tasks get none."""
        while self._queue:
            share, granted = self._queue[0]
            if not granted.cancelled():
                if share > self._free:
                    return
                self._free -= share
                granted.set_result(None)
            self._queue.popleft()
