"""Composes any range of any file of a plan from the blobs that hold its images and texts."""

import asyncio
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.archiving.layout.contents import File, Piece
from shared.archiving.layout.layout import Data, Layout
from shared.archiving.planning.parts import RunningChecksum
from shared.archiving.planning.plan import Plan
from shared.concurrency import process_concurrently
from shared.damage import reading
from shared.errors import Damaged
from shared.storage.blobs import BlobStore
from shared.storage.joined_reads import Gaps, JoinedRead, join_reads

# the largest read
_READ_BYTES = 16 << 20
# all reads at a time together
_READING_BYTES = 32 << 20
_READS_AT_A_TIME = 16
_WASTE_BYTES = 1 << 20
# at least this many pieces are copied in a thread: fewer take less time than a thread does
_MANY_PIECES = 500


@dataclass(frozen=True, slots=True)
class _Target:
    """A piece of a blob, and the position in the composed bytes that it is copied to."""

    piece: Piece
    at: int


@dataclass(frozen=True, slots=True)
class _Part:
    """The composed part of an image or text: `size` of its bytes, from its byte `low` on.

    `whole` is the image or text in its blob. `at` is the position of the part in the composed bytes.
    """

    whole: Piece
    low: int
    size: int
    at: int

    @property
    def piece(self) -> Piece:
        """The bytes of the part in their blob."""
        if self.size == self.whole.size:
            return self.whole
        return Piece(self.whole.blob, self.whole.offset + self.low, self.size)


class Composer:
    """Composes the bytes of one file of a plan.

    It checks the CRC-32 of each image and text. If several composers compose parts of an image or text, the one that
    composes its first bytes checks it. `running` is the checksum of the one at the end of what is composed.
    """

    def __init__(self, plan: Plan, file: File, blobs: BlobStore) -> None:
        self.running: RunningChecksum | None = None
        self._plan = plan
        self._file = file
        self._blobs = blobs
        self._layout: Layout = plan.layout(file)

    async def compose(self, start: int, into: memoryview) -> None:
        """Fills `into` with the file's bytes from byte `start` on. Each call must continue where the last one ended.

        Reads of neighbouring images are joined. So the more bytes are composed at a time, the fewer reads there are.

        Raises:
            Damaged: a blob that holds images or texts of the job is gone, cut short or garbled.
        """
        # a block of Parquet may have a hundred thousand cells, and the event loop must not wait for them
        parts = await asyncio.to_thread(self._lay_out, start, into)
        await self._fill(into, await asyncio.to_thread(_reads, parts))
        await asyncio.to_thread(self._check, into, parts)

    def _lay_out(self, start: int, into: memoryview) -> list[_Part]:
        """Fills in the format's own bytes from byte `start` of the file on; returns the parts that must be read."""
        parts: list[_Part] = []
        at = 0
        for span in self._layout.between(start, start + len(into)):
            found = span if isinstance(span, bytes) else self._content(span, at)
            if isinstance(found, bytes):
                into[at : at + len(found)] = found
                at += len(found)
            else:
                parts.append(found)
                at += found.size
        return parts

    async def close(self) -> None:
        """Checks the image or text of which only the first bytes were composed, by reading all of it.

        Raises:
            Damaged: it is gone, cut short or garbled.
        """
        if self.running is None:
            return
        whole, self.running = self.running.whole, None
        crc32 = size = 0
        with reading(_name_for_people(whole)):
            async for data in self._blobs.stream(whole.blob, offset=whole.offset, length=whole.size):
                crc32 = await asyncio.to_thread(zlib.crc32, data, crc32)
                size += len(data)
            if (crc32, size) != (whole.crc32, whole.size):
                raise ValueError("other bytes")

    def _check(self, into: memoryview, parts: Sequence[_Part]) -> None:
        """Checks that the composed bytes are those that were stored. This takes half a millisecond for a megabyte.

        Raises:
            Damaged: they are not.
        """
        for part in parts:
            whole = part.whole
            running = self.running if part.low else RunningChecksum(whole, 0, 0)
            if whole.crc32 is None or running is None or (running.whole, running.size) != (whole, part.low):
                # nothing to check, or the composer of the first bytes checks it
                continue
            crc32 = zlib.crc32(into[part.at : part.at + part.size], running.crc32)
            size = part.low + part.size
            self.running = RunningChecksum(whole, size, crc32) if size < whole.size else None
            if self.running is None and crc32 != whole.crc32:
                raise Damaged(f"Damaged in storage: {_name_for_people(whole)}.")

    def _content(self, span: Data, at: int) -> _Part | bytes:
        content = self._plan.content(self._file, span.entry)
        if isinstance(content, bytes):
            return content[span.low : span.high]
        return _Part(content, span.low, span.high - span.low, at)

    async def _fill(self, into: memoryview, reads: Sequence[JoinedRead[_Target]]) -> None:
        """Reads blobs, some at a time, and copies the pieces to their positions."""

        async def fill(read: JoinedRead[_Target]) -> None:
            data = memoryview(await self._read(Piece(read.blob, read.offset, read.size)))
            if len(read.wanted) > _MANY_PIECES:
                await asyncio.to_thread(_copy, read, data, into)
            else:
                _copy(read, data, into)

        largest = max((read.size for read in reads), default=1)
        at_a_time = max(2, min(_READS_AT_A_TIME, _READING_BYTES // largest))
        await process_concurrently(reads, fill, at_a_time)

    async def _read(self, piece: Piece) -> bytes:
        with reading(_name_for_people(piece)):
            data = await self._blobs.get(piece.blob, offset=piece.offset, length=piece.size)
            if len(data) != piece.size:
                raise EOFError
        return data


def _name_for_people(piece: Piece) -> str:
    """Returns the name of the piece's blob for errors."""
    folder, _, name = piece.blob.rpartition("/")
    if folder.rpartition("/")[2] == "shards":
        return f"the images of chunk {name.partition('-')[0]}"
    return "the texts of the dataset"


def _cut(part: _Part) -> Iterator[_Target]:
    """Cuts a part into pieces that are small enough for one read."""
    piece = part.piece
    if piece.size <= _READ_BYTES:
        yield _Target(piece, part.at)
        return
    for low in range(0, piece.size, _READ_BYTES):
        size = min(_READ_BYTES, piece.size - low)
        yield _Target(Piece(piece.blob, piece.offset + low, size), part.at + low)


def _copy(read: JoinedRead[_Target], data: memoryview, into: memoryview) -> None:
    """Copies the pieces that were read together to their positions."""
    for target in read.wanted:
        piece, offset = target.piece, target.piece.offset - read.offset
        into[target.at : target.at + piece.size] = data[offset : offset + piece.size]


def _reads(parts: Sequence[_Part]) -> Sequence[JoinedRead[_Target]]:
    targets = [target for part in parts for target in _cut(part)]
    return join_reads(targets, lambda target: target.piece, Gaps(_READ_BYTES, _WASTE_BYTES))
