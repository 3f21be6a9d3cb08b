"""Writes texts to working blobs, piece by piece."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from shared.archiving.layout.contents import TextFile
from shared.records.delivered import FileChecksum, encode_delivered
from shared.storage.blobs import BlobAttributes, BlockStore
from shared.storage.writer import BlobWriter

_FLUSH_BYTES = 4 << 20


class TextWriter:
    """Writes one text to a blob. A text of less than 4 MiB stays in memory until it is closed.

    `size` and `crc32` are those of the text so far. Only a writer that is `hashed` computes a SHA-256.
    """

    def __init__(self, blobs: BlockStore, blob: str, *, hashed: bool = False) -> None:
        self._writer = BlobWriter(blobs, blob)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._digest = hashlib.sha256() if hashed else None
        self.blob = blob
        self.crc32 = 0
        self.size = 0

    async def add(self, data: bytes) -> None:
        """Appends bytes to the text."""
        if not data:
            return
        self.crc32 = zlib.crc32(data, self.crc32)
        if self._digest is not None:
            self._digest.update(data)
        self.size += len(data)
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= _FLUSH_BYTES:
            await self._flush()

    @property
    def checksum(self) -> FileChecksum:
        """The checksum of the text so far."""
        return FileChecksum(self.size, self._digest.hexdigest() if self._digest is not None else None)

    async def close(self, attributes: BlobAttributes | None = None) -> None:
        """Writes the rest. The blob does not exist before. No blob is written for an empty text."""
        await self._flush()
        await self._writer.close(attributes)

    async def move(self, other: "TextWriter") -> bool:
        """Appends the whole text to another one if it is still in memory; returns whether it was.

        After True, this writer must not be closed, so that the text has no blob of its own.
        """
        if self._pending_bytes != self.size:
            return False
        await other.add(b"".join(self._pending))
        return True

    async def _flush(self) -> None:
        data, self._pending, self._pending_bytes = b"".join(self._pending), [], 0
        await self._writer.append(data)


async def close_records(writer: TextWriter) -> None:
    """Stores a text of gzip members. If it has none, it gets an empty one, because an empty file is not gzip."""
    if not writer.size:
        await writer.add(encode_delivered([]))
    await writer.close(BlobAttributes("application/gzip"))


@dataclass(frozen=True, slots=True)
class WorkingBlobs:
    """The working blobs of the texts of one plan. Their names begin with `prefix`."""

    blobs: BlockStore
    prefix: str

    @property
    def sidecars(self) -> str:
        """The name of the blob with the sidecars of all images."""
        return f"{self.prefix}sidecars"

    def open(self, name: str, *, hashed: bool = False) -> TextWriter:
        """Returns a writer of the text of this name, which computes a SHA-256 if it is `hashed`."""
        return TextWriter(self.blobs, f"{self.prefix}{name}", hashed=hashed)

    async def close(self, writers: Sequence[tuple[str, TextWriter]]) -> tuple[TextFile, ...]:
        """Finishes the texts, each of which comes with its name; returns them in the same order.

        Short texts share a blob, so that one call writes them, and one call reads them.
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
