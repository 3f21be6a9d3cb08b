"""A text on its way into a blob, piece by piece."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from shared.archiving.layout.contents import TextFile
from shared.storage.blobs import BlobAttributes, BlockStore
from shared.storage.writer import BlobWriter

_FLUSH_BYTES = 4 << 20


class TextWriter:
    """A text on its way into a blob; a short one stays in memory until it is closed."""

    def __init__(self, blobs: BlockStore, blob: str) -> None:
        self._writer = BlobWriter(blobs, blob)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self.blob = blob
        self.crc32 = 0
        self.size = 0

    async def add(self, data: bytes) -> None:
        """Add some bytes."""
        if not data:
            return
        self.crc32 = zlib.crc32(data, self.crc32)
        self.size += len(data)
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= _FLUSH_BYTES:
            await self._flush()

    async def close(self, attributes: BlobAttributes | None = None) -> None:
        """Write the rest."""
        await self._flush()
        await self._writer.close(attributes)

    async def move(self, other: "TextWriter") -> bool:
        """Add all of it to another blob instead; False where a part is on its way already."""
        if self._pending_bytes != self.size:
            return False
        await other.add(b"".join(self._pending))
        return True

    async def _flush(self) -> None:
        data, self._pending, self._pending_bytes = b"".join(self._pending), [], 0
        await self._writer.append(data)


@dataclass(frozen=True, slots=True)
class WorkingBlobs:
    """The working blobs of one plan's texts."""

    blobs: BlockStore
    prefix: str

    def open(self, name: str) -> TextWriter:
        """A writer of the blob of this name."""
        return TextWriter(self.blobs, f"{self.prefix}{name}")

    async def close(self, writers: Sequence[tuple[str, TextWriter]]) -> tuple[TextFile, ...]:
        """End the texts, each with its name.

        Short ones share a blob, so that they are written, and read again, with one call.
        """
        files: list[TextFile] = []
        shared = self.open("texts")
        for name, writer in writers:
            at = shared.size
            if await writer.move(shared):
                files.append(TextFile(name, writer.size, writer.crc32, shared.blob, at))
            else:
                await writer.close()
                files.append(TextFile(name, writer.size, writer.crc32, writer.blob))
        await shared.close()
        return tuple(files)
