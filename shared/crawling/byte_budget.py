"""How many bytes may be in flight at a time."""

import asyncio


class ByteBudget:
    """Bytes that downloads and images may hold together.

    Each holder takes its share once, before it reads, and gives it back when it is done: nobody holds one share and
    waits for another, so nothing can stand still. A share larger than the whole waits for all of it.
    """

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._free = total_bytes
        self._changed = asyncio.Condition()

    async def take(self, size_bytes: int) -> int:
        """Wait until the bytes are free; returns the share to be given back."""
        share = min(size_bytes, self._total)
        async with self._changed:
            await self._changed.wait_for(lambda: self._free >= share)
            self._free -= share
        return share

    async def give_back(self, share: int) -> None:
        """Free a share."""
        async with self._changed:
            self._free += share
            self._changed.notify_all()
