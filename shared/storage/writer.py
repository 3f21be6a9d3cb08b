"""Writes one blob from its beginning to its end, piece by piece, in bounded memory."""

import asyncio

from shared.storage.blobs import BlobAttributes, BlobStore, BlockStore

_BLOCK_BYTES = 8 << 20


class BlobWriter:
    """Appends pieces to a blob that appears at `close`; nothing is written where nothing was appended.

    Holds at most one block and what is being sent. Safe for concurrent callers. The blocks are cut by size alone, so
    that two writers of the same bytes do not disturb each other.
    """

    def __init__(
        self, blobs: BlobStore, blocks: BlockStore, name: str, block_bytes: int = _BLOCK_BYTES
    ) -> None:
        self.name = name
        self.size = 0
        self._blobs = blobs
        self._blocks = blocks
        self._block_bytes = block_bytes
        self._pending: list[bytes | memoryview] = []
        self._pending_bytes = 0
        self._staged = 0
        self._turn = asyncio.Lock()

    async def append(self, data: bytes) -> int:
        """Add a piece; returns its offset in the blob."""
        async with self._turn:
            offset = self.size
            self.size += len(data)
            self._pending.append(data)
            self._pending_bytes += len(data)
            while self._pending_bytes >= self._block_bytes:
                await self._stage()
            return offset

    async def close(self, attributes: BlobAttributes | None = None) -> None:
        """Make the blob, with one call where it is small."""
        async with self._turn:
            if not self.size:
                return
            if not self._staged:
                await self._blobs.put(self.name, b"".join(self._pending), attributes)
                return
            if self._pending:
                await self._stage()
            await self._blocks.commit(self.name, range(self._staged), attributes or BlobAttributes())

    async def _stage(self) -> None:
        """Send the next block: what is pending, or as much of it as a block may hold."""
        pending, last = self._pending, memoryview(b"")
        excess = max(0, self._pending_bytes - self._block_bytes)
        if excess:
            last = memoryview(pending[-1])
            pending[-1] = last[:-excess]
        block = b"".join(pending)
        self._pending = [last[-excess:]] if excess else []
        self._pending_bytes = excess
        await self._blocks.stage(self.name, self._staged, block)
        self._staged += 1
