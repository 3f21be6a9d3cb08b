"""Writes one blob from its beginning to its end, piece by piece, in bounded memory."""

import asyncio

from shared.storage.blobs import BlobAttributes, BlobStore, BlockStore

_BLOCK_BYTES = 8 << 20


class BlobWriter:
    """Appends pieces to a blob that appears at `close`; nothing is written where nothing was appended.

    Holds at most one block and what is being sent. Safe for concurrent callers. The blocks are cut by size alone, so
    that two writers of the same bytes do not disturb each other.
    """

    def __init__(self, blobs: BlobStore, blocks: BlockStore, name: str) -> None:
        self.name = name
        self.size = 0
        self._blobs = blobs
        self._blocks = blocks
        self._pending = bytearray()
        self._staged = 0
        self._turn = asyncio.Lock()

    async def append(self, data: bytes) -> int:
        """Add a piece; returns its offset in the blob."""
        async with self._turn:
            offset = self.size
            self.size += len(data)
            self._pending += data
            while len(self._pending) >= _BLOCK_BYTES:
                await self._stage(_BLOCK_BYTES)
            return offset

    async def close(self, attributes: BlobAttributes | None = None) -> None:
        """Make the blob, with one call where it is small."""
        async with self._turn:
            if not self.size:
                return
            if not self._staged:
                await self._blobs.put(self.name, bytes(self._pending), attributes)
                return
            if self._pending:
                await self._stage(len(self._pending))
            await self._blocks.commit(self.name, range(self._staged), attributes or BlobAttributes())

    async def _stage(self, size: int) -> None:
        block = bytes(self._pending[:size])
        del self._pending[:size]
        await self._blocks.stage(self.name, self._staged, block)
        self._staged += 1
