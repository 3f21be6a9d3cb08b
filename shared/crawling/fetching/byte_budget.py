"""How many bytes may be in flight at a time."""

import asyncio
from collections import deque


class ByteBudget:
    """Bytes that downloads and images may hold together.

    Each holder takes its share once, before it reads, and gives it back when it is done: nobody holds one share and
    waits for another, so nothing can stand still. A share larger than the whole waits for all of it. Who has to wait
    does so in line, so that many small shares do not keep a large one waiting.
    """

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._free = total_bytes
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()

    def take_now(self, size_bytes: int) -> int | None:
        """The share, where nobody has to wait for it; to be given back."""
        share = min(size_bytes, self._total)
        if self._line or share > self._free:
            return None
        self._free -= share
        return share

    async def take(self, size_bytes: int) -> int:
        """Wait until the bytes are free; returns the share to be given back."""
        share = self.take_now(size_bytes)
        if share is not None:
            return share
        share = min(size_bytes, self._total)
        turn = asyncio.get_running_loop().create_future()
        self._line.append((share, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._serve()  # who stands behind this one may fit
            else:
                self.give_back(share)
            raise
        return share

    def give_back(self, share: int) -> None:
        """Free a share."""
        self._free += share
        self._serve()

    def _serve(self) -> None:
        """Let those go who are first in line, as far as the bytes reach; who has left the line gets none."""
        while self._line:
            share, turn = self._line[0]
            if not turn.cancelled():
                if share > self._free:
                    return
                self._free -= share
                turn.set_result(None)
            self._line.popleft()
