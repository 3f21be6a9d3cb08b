"""Makes any range of any file of a plan, out of the blobs that its images and texts are in."""

import asyncio
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.archiving.layout.contents import File, Piece
from shared.archiving.layout.layout import Data, Layout
from shared.archiving.planning.plan import Plan
from shared.concurrency import process_concurrently
from shared.damage import reading
from shared.errors import Damaged
from shared.storage.blobs import BlobStore

_READ_BYTES = 16 << 20  # of one read, at most
_READING_BYTES = 32 << 20  # of all reads at a time
_READS = 16
_WASTE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A piece of a blob, and where it goes."""

    piece: Piece
    at: int


@dataclass(frozen=True, slots=True)
class _Read:
    """One range of a blob, and which of the wanted pieces are in it."""

    piece: Piece
    wanted: Sequence[_Wanted]


@dataclass(frozen=True, slots=True)
class _Checked:
    """`size` bytes from byte `low` on of the piece `whole`; in the composed bytes, they begin at `at`."""

    whole: Piece
    low: int
    size: int
    at: int = 0

    @property
    def piece(self) -> Piece:
        """The bytes in their blob."""
        return Piece(self.whole.blob, self.whole.offset + self.low, self.size)


@dataclass(frozen=True, slots=True)
class _Begun:
    """The checksum of the first `size` bytes of a piece."""

    whole: Piece
    size: int
    crc32: int


class Composer:
    """The bytes of one file of a plan.

    The bytes of each image and text are checked against its CRC-32, by the composer that composes its first bytes.
    """

    def __init__(self, plan: Plan, file: File, blobs: BlobStore) -> None:
        self._plan = plan
        self._file = file
        self._blobs = blobs
        self._layout: Layout = plan.layout(file)
        self._begun: _Begun | None = None

    async def compose(self, start: int, into: memoryview) -> None:
        """Fill `into` with the file's bytes from byte `start` on. Each call must follow on the one before.

        Reads of neighbouring images are joined: the more bytes are composed at a time, the fewer reads there are.

        Raises:
            Damaged: a blob that holds images or texts of the job is gone, cut short or garbled.
        """
        wanted: list[_Wanted] = []
        checked: list[_Checked] = []
        at = 0
        for span in self._layout.between(start, start + len(into)):
            found = span if isinstance(span, bytes) else self._content(span)
            if isinstance(found, bytes):
                into[at : at + len(found)] = found
                at += len(found)
            else:
                checked.append(replace(found, at=at))
                wanted += _cut(found.piece, at)
                at += found.size
        await self._fill(into, _reads(wanted))
        await asyncio.to_thread(self._check, into, checked)

    async def close(self) -> None:
        """Check the image or text of which only the first bytes were composed, by reading all of it.

        Raises:
            Damaged: it is gone, cut short or garbled.
        """
        if self._begun is None:
            return
        whole, self._begun = self._begun.whole, None
        crc32 = size = 0
        with reading(_what(whole)):
            async for data in self._blobs.stream(whole.blob, offset=whole.offset, length=whole.size):
                crc32 = await asyncio.to_thread(zlib.crc32, data, crc32)
                size += len(data)
            if (crc32, size) != (whole.crc32, whole.size):
                raise ValueError("other bytes")

    def _check(self, into: memoryview, checked: Sequence[_Checked]) -> None:
        """See that the composed bytes are those that were stored; takes half a millisecond for a megabyte.

        Raises:
            Damaged: they are not.
        """
        for one in checked:
            begun = self._begun or _Begun(one.whole, 0, 0)
            if one.whole.crc32 is None or (one.low and begun != _Begun(one.whole, one.low, begun.crc32)):
                # the composer of its first bytes checks it
                continue
            crc32 = zlib.crc32(into[one.at : one.at + one.size], begun.crc32 if one.low else 0)
            size = one.low + one.size
            self._begun = _Begun(one.whole, size, crc32) if size < one.whole.size else None
            if self._begun is None and crc32 != one.whole.crc32:
                raise Damaged(f"Damaged in storage: {_what(one.whole)}.")

    def _content(self, span: Data) -> _Checked | bytes:
        content = self._plan.content(self._file, span.entry)
        if isinstance(content, bytes):
            return content[span.low : span.high]
        return _Checked(content, span.low, span.high - span.low)

    async def _fill(self, into: memoryview, reads: Sequence[_Read]) -> None:
        """Read what is wanted into its places, some reads at a time."""

        async def fill(read: _Read) -> None:
            data = memoryview(await self._read(read.piece))
            for wanted in read.wanted:
                piece, offset = wanted.piece, wanted.piece.offset - read.piece.offset
                into[wanted.at : wanted.at + piece.size] = data[offset : offset + piece.size]

        largest = max((read.piece.size for read in reads), default=1)
        await process_concurrently(reads, fill, max(2, min(_READS, _READING_BYTES // largest)))

    async def _read(self, piece: Piece) -> bytes:
        with reading(_what(piece)):
            data = await self._blobs.get(piece.blob, offset=piece.offset, length=piece.size)
            if len(data) != piece.size:
                raise EOFError
        return data


def _what(piece: Piece) -> str:
    """What the piece's blob holds, in words for the job's owner."""
    folder, _, name = piece.blob.rpartition("/")
    if folder.rpartition("/")[2] == "shards":
        return f"the images of chunk {name.partition('-')[0]}"
    return "the texts of the dataset"


def _cut(piece: Piece, at: int) -> Iterator[_Wanted]:
    """A piece that goes to `at`, in parts that are not too large for one read."""
    for low in range(0, piece.size, _READ_BYTES):
        part = Piece(piece.blob, piece.offset + low, min(_READ_BYTES, piece.size - low))
        yield _Wanted(part, at + low)


def _reads(wanted: Sequence[_Wanted]) -> list[_Read]:
    """The pieces by blob and offset, neighbours together as long as the gaps between them waste little."""
    reads: list[_Read] = []
    group: list[_Wanted] = []
    used = 0
    for one in sorted(wanted, key=lambda one: (one.piece.blob, one.piece.offset)):
        piece = one.piece
        if group:
            first = group[0].piece
            reach = piece.offset + piece.size - first.offset
            most = min(_READ_BYTES, 2 * (used + piece.size) + _WASTE_BYTES)
            if piece.blob != first.blob or reach > most:
                reads.append(_together(group))
                group, used = [], 0
        group.append(one)
        used += piece.size
    return [*reads, _together(group)] if group else reads


def _together(group: Sequence[_Wanted]) -> _Read:
    first = group[0].piece
    end = max(one.piece.offset + one.piece.size for one in group)
    return _Read(Piece(first.blob, first.offset, end - first.offset), tuple(group))
