"""Makes any block of any file of a plan, out of the blobs that its images and texts are in."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.archiving.arrange import File
from shared.archiving.layout import Data, Layout
from shared.archiving.parts import block_bytes_of
from shared.archiving.plan import Piece, Plan
from shared.archiving.turns import in_turns
from shared.errors import NotFound, Permanent
from shared.storage.blobs import BlobStore

_READS = 16
_WASTE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Read:
    """One range of a blob, and which of the wanted pieces are in it."""

    blob: str
    offset: int
    size: int
    pieces: tuple[int, ...]


class Composer:
    """One file of a plan as blocks; all but the last have `block_bytes`."""

    def __init__(self, plan: Plan, file: File, blobs: BlobStore) -> None:
        self.block_bytes = block_bytes_of(file.size, plan.header.block_bytes)
        self._plan = plan
        self._file = file
        self._blobs = blobs
        self._layout: Layout = plan.layout(file)

    def block_size(self, number: int) -> int:
        """The size of a block in bytes."""
        return min(self.block_bytes, self._file.size - number * self.block_bytes)

    async def block(self, number: int) -> bytes:
        """The bytes of a block.

        Raises:
            Permanent: a blob that holds images of the job is gone.
        """
        start = number * self.block_bytes
        found: list[bytes] = []
        wanted: dict[int, Piece] = {}
        for span in self._layout.between(start, start + self.block_size(number)):
            if isinstance(span, bytes):
                found.append(span)
                continue
            content = self._content(span)
            if isinstance(content, Piece):
                wanted[len(found)] = content
                found.append(b"")
            else:
                found.append(content)
        await self._fill(found, wanted)
        return b"".join(found)

    def _content(self, span: Data) -> Piece | bytes:
        content = self._plan.content(self._file, span.entry)
        if isinstance(content, bytes):
            return content[span.low : span.high]
        return Piece(content.blob, content.offset + span.low, span.high - span.low)

    async def _fill(self, found: list[bytes], wanted: dict[int, Piece]) -> None:
        """Read the wanted pieces into their places, some reads at a time."""

        async def fill(read: _Read) -> None:
            data = await self._read(read)
            for place in read.pieces:
                at = wanted[place].offset - read.offset
                found[place] = data[at : at + wanted[place].size]

        await in_turns(_reads(wanted), fill, _READS)

    async def _read(self, read: _Read) -> bytes:
        try:
            data = await self._blobs.get(read.blob, offset=read.offset, length=read.size)
        except NotFound:
            raise Permanent("Stored images of the job are gone.") from None
        if len(data) != read.size:
            raise Permanent("Stored images of the job are cut short.")
        return data


def _reads(wanted: dict[int, Piece]) -> list[_Read]:
    """The pieces by blob and offset, neighbours together as long as the gaps between them waste little."""
    reads: list[_Read] = []
    group: list[int] = []
    used = 0
    for place in sorted(wanted, key=lambda place: (wanted[place].blob, wanted[place].offset)):
        piece = wanted[place]
        if group:
            first = wanted[group[0]]
            reach = piece.offset + piece.size - first.offset
            if piece.blob != first.blob or reach > 2 * (used + piece.size) + _WASTE_BYTES:
                reads.append(_together(group, wanted))
                group, used = [], 0
        group.append(place)
        used += piece.size
    if group:
        reads.append(_together(group, wanted))
    return reads


def _together(group: Sequence[int], wanted: dict[int, Piece]) -> _Read:
    first = wanted[group[0]]
    end = max(wanted[place].offset + wanted[place].size for place in group)
    return _Read(first.blob, first.offset, end - first.offset, tuple(group))
