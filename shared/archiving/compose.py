"""Makes any range of any file of a plan, out of the blobs that its images and texts are in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.archiving.arrange import File
from shared.archiving.layout import Data, Layout
from shared.archiving.plan import Piece, Plan
from shared.archiving.turns import in_turns
from shared.errors import NotFound, Permanent
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


class Composer:
    """The bytes of one file of a plan."""

    def __init__(self, plan: Plan, file: File, blobs: BlobStore) -> None:
        self._plan = plan
        self._file = file
        self._blobs = blobs
        self._layout: Layout = plan.layout(file)

    async def compose(self, start: int, into: memoryview) -> None:
        """Fill `into` with what stands in the file from byte `start` on.

        Reads of neighbouring images are made as one: the more is composed at a time, the fewer reads there are.

        Raises:
            Permanent: a blob that holds images of the job is gone.
        """
        wanted: list[_Wanted] = []
        at = 0
        for span in self._layout.between(start, start + len(into)):
            found = span if isinstance(span, bytes) else self._content(span)
            if isinstance(found, bytes):
                into[at : at + len(found)] = found
                at += len(found)
            else:
                wanted += _cut(found, at)
                at += found.size
        await self._fill(into, _reads(wanted))

    def _content(self, span: Data) -> Piece | bytes:
        content = self._plan.content(self._file, span.entry)
        if isinstance(content, bytes):
            return content[span.low : span.high]
        return Piece(content.blob, content.offset + span.low, span.high - span.low)

    async def _fill(self, into: memoryview, reads: Sequence[_Read]) -> None:
        """Read what is wanted into its places, some reads at a time."""

        async def fill(read: _Read) -> None:
            data = memoryview(await self._read(read.piece))
            for wanted in read.wanted:
                piece, offset = wanted.piece, wanted.piece.offset - read.piece.offset
                into[wanted.at : wanted.at + piece.size] = data[offset : offset + piece.size]

        largest = max((read.piece.size for read in reads), default=1)
        await in_turns(reads, fill, max(2, min(_READS, _READING_BYTES // largest)))

    async def _read(self, piece: Piece) -> bytes:
        try:
            data = await self._blobs.get(piece.blob, offset=piece.offset, length=piece.size)
        except NotFound:
            raise Permanent("Stored images of the job are gone.") from None
        if len(data) != piece.size:
            raise Permanent("Stored images of the job are cut short.")
        return data


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
