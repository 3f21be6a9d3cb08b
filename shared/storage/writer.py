"""Writes one blob from its beginning to its end, piece by piece, in bounded memory."""

import asyncio
from collections import deque

from shared.storage.blobs import BlobAttributes, BlockStore

_BLOCK_BYTES = 12 << 20


class BlobWriter:
    """Appends pieces to a blob that appears at `close`; nothing is written where nothing was appended.

    Holds at most one block and the one that is being sent. Safe for concurrent callers: who fills a block sends it, and
    the others go on meanwhile. The blocks are cut by size alone, so that two writers of the same bytes do not
    disturb each other; none is empty, which storage would refuse.
    """

    def __init__(self, blobs: BlockStore, name: str, block_bytes: int = _BLOCK_BYTES) -> None:
        self.name = name
        self.size = 0
        self._blobs = blobs
        self._block_bytes = block_bytes
        self._pending: deque[memoryview] = deque()
        self._pending_bytes = 0
        self._blocks_cut = 0
        self._turn = asyncio.Lock()
        self._sending = asyncio.Lock()

    async def append(self, data: bytes) -> int:
        """Add a piece; returns its offset in the blob, once the blocks that it filled are sent."""
        async with self._turn:
            offset = self.size
            self.size += len(data)
            self._pending.append(memoryview(data))
            self._pending_bytes += len(data)
            block = await self._full_block()
        while block is not None:
            try:
                await self._blobs.stage(self.name, *block)
            finally:
                self._sending.release()
            async with self._turn:
                block = await self._full_block()
        return offset

    async def close(self, attributes: BlobAttributes | None = None) -> None:
        """Make the blob, with one call where it is small. All pieces have to be appended by then."""
        if not self.size:
            return
        if not self._blocks_cut:
            await self._blobs.put(self.name, b"".join(self._pending), attributes)
            return
        if self._pending_bytes:
            await self._blobs.stage(self.name, *self._cut())
        await self._blobs.commit(self.name, range(self._blocks_cut), attributes or BlobAttributes())

    async def _full_block(self) -> tuple[int, bytes] | None:
        """The next block where it is full, once it may be sent. Whoever appends more waits that long, too."""
        if self._pending_bytes < self._block_bytes:
            return None
        await self._sending.acquire()
        return self._cut()

    def _cut(self) -> tuple[int, bytes]:
        """The next block and its number: what is pending, or as much of it as a block may hold."""
        pieces: list[memoryview] = []
        room = self._block_bytes
        while self._pending and room:
            piece = self._pending.popleft()
            pieces.append(piece[:room])
            if len(piece) > room:
                self._pending.appendleft(piece[room:])
            room -= len(pieces[-1])
        self._pending_bytes -= self._block_bytes - room
        self._blocks_cut += 1
        return self._blocks_cut - 1, b"".join(pieces)
