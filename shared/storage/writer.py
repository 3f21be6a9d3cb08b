"""Writes one blob from its beginning to its end, piece by piece, in bounded memory."""

import asyncio
from collections import deque

from shared.storage.blobs import BlobAttributes, BlockStore

_BLOCK_BYTES = 16 << 20


class BlobWriter:
    """Appends pieces to a blob, which exists only after `close`. If nothing was appended, no blob is written.

    Concurrent callers may share a writer. The caller that fills a block sends it, while the others can append up to one
    more block. So two blocks are in memory at most, beside the pieces that callers wait with. Blocks are cut by size
    only, so two writers of the same bytes stage the same blocks. No block is empty, because storage would refuse it.
    """

    def __init__(self, blobs: BlockStore, name: str, block_bytes: int = _BLOCK_BYTES) -> None:
        self.name = name
        self.size = 0
        self._blobs = blobs
        self._block_bytes = block_bytes
        self._pending: deque[memoryview] = deque()
        self._pending_bytes = 0
        self._blocks_cut = 0
        self._appending = asyncio.Lock()
        self._sending = asyncio.Lock()

    async def append(self, data: bytes) -> int:
        """Appends a piece; returns its offset in the blob after the blocks that it filled are sent."""
        async with self._appending:
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
            async with self._appending:
                block = await self._full_block()
        return offset

    async def close(self, attributes: BlobAttributes | None = None) -> None:
        """Makes the blob, with one request if it is small. No `append` may run at the same time or later."""
        if not self.size:
            return
        if not self._blocks_cut:
            await self._blobs.put(self.name, b"".join(self._pending), attributes)
            return
        if self._pending_bytes:
            await self._blobs.stage(self.name, *self._cut())
        await self._blobs.commit(self.name, range(self._blocks_cut), attributes or BlobAttributes())

    async def _full_block(self) -> tuple[int, bytes] | None:
        """Returns the next block if it is full, after waiting until the block before it is sent.

        The lock of `append` is held meanwhile, so other callers wait, too, and memory stays bounded.
        """
        if self._pending_bytes < self._block_bytes:
            return None
        await self._sending.acquire()
        return self._cut()

    def _cut(self) -> tuple[int, bytes]:
        """Returns the number and the bytes of the next block: the pending bytes, up to the size of a block."""
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
