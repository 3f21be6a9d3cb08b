"""Writes the archive of a plan, block by block, from wherever an earlier run stopped."""

import asyncio
import bisect
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.archiving.plan import Plan
from shared.archiving.zip_layout import ZipEntry, ZipLayout
from shared.clock import Deadline
from shared.errors import Conflict, NotFound, Permanent
from shared.storage.blobs import BlobAttributes, BlobStore, BlockStore

_MIN_BLOCK_BYTES = 8 << 20
_MAX_BLOCKS = 49_000  # the service takes 50,000


@dataclass(frozen=True, slots=True)
class _Piece:
    """Bytes that an entry's data is copied from."""

    blob: str
    offset: int
    size: int


class ZipComposer:
    """The archive of one plan: its layout, and any range of its bytes."""

    def __init__(self, plan: Plan, moment: datetime, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._plan = plan
        self._entries: Sequence[ZipEntry] = [text.entry for text in plan.texts] + [
            plan.image_entry(position) for position in range(len(plan.rows))
        ]
        self.layout = ZipLayout(self._entries, moment)
        self.block_bytes = max(_MIN_BLOCK_BYTES, -(-self.layout.size // _MAX_BLOCKS))

    @property
    def block_count(self) -> int:
        """How many blocks the archive has; all but the last have `block_bytes`."""
        return -(-self.layout.size // self.block_bytes)

    def block_size(self, number: int) -> int:
        """The size of a block in bytes."""
        return min(self.block_bytes, self.layout.size - number * self.block_bytes)

    async def block(self, number: int) -> bytes:
        """The bytes of a block.

        Raises:
            Permanent: a shard that a record names is gone.
        """
        start = number * self.block_bytes
        end = start + self.block_size(number)
        out = bytearray()
        first = max(0, bisect.bisect_right(self.layout.offsets, start) - 1)
        fetched = await self._fetch(first, start, end)
        for entry in range(first, len(self._entries)):
            offset = self.layout.offsets[entry]
            if offset >= end:
                break
            header = self.layout.header(entry)
            out += _cut(header, offset, start, end)
            data_start = offset + len(header)
            low, high = max(start, data_start), min(end, data_start + self._entries[entry].size)
            if low < high:
                out += fetched[entry]
        if end > self.layout.directory_offset:
            out += _cut(self.layout.directory(), self.layout.directory_offset, start, end)
        return bytes(out)

    async def _fetch(self, first: int, start: int, end: int) -> dict[int, bytes]:
        """The data of the entries between two offsets, cut to them; neighbours in a shard are read together."""
        wanted: dict[int, _Piece] = {}
        for entry in range(first, len(self._entries)):
            offset = self.layout.offsets[entry]
            if offset >= end:
                break
            data_start = offset + len(self.layout.header(entry))
            low, high = max(start, data_start), min(end, data_start + self._entries[entry].size)
            if low < high:
                piece = self._piece(entry)
                wanted[entry] = _Piece(piece.blob, piece.offset + low - data_start, high - low)
        return {entry: data async for entry, data in self._read(wanted)}

    async def _read(self, wanted: dict[int, _Piece]) -> AsyncIterator[tuple[int, bytes]]:
        by_blob: dict[str, list[int]] = {}
        for entry, piece in wanted.items():
            by_blob.setdefault(piece.blob, []).append(entry)
        for blob, entries in by_blob.items():
            for group in _neighbours(sorted(entries, key=lambda entry: wanted[entry].offset), wanted):
                low = wanted[group[0]].offset
                high = max(wanted[entry].offset + wanted[entry].size for entry in group)
                try:
                    data = await self._blobs.get(blob, offset=low, length=high - low)
                except NotFound:
                    raise Permanent("Stored images of the job are gone.") from None
                for entry in group:
                    at = wanted[entry].offset - low
                    yield entry, data[at : at + wanted[entry].size]

    def _piece(self, entry: int) -> _Piece:
        texts = self._plan.texts
        if entry < len(texts):
            return _Piece(texts[entry].blob, 0, texts[entry].entry.size)
        columns, row = self._plan.columns, int(self._plan.rows[entry - len(texts)])
        shard = columns.shards[int(columns.shard[row])]
        return _Piece(shard, int(columns.offset[row]), int(columns.size[row]))


def _neighbours(entries: Sequence[int], wanted: dict[int, _Piece]) -> list[list[int]]:
    """Entries of one blob, in order of offset, as groups of which a read of the whole wastes little."""
    groups: list[list[int]] = []
    end = used = 0
    for entry in entries:
        piece = wanted[entry]
        begin = wanted[groups[-1][0]].offset if groups else 0
        if groups and piece.offset + piece.size - begin <= 2 * (used + piece.size) + (1 << 20):
            groups[-1].append(entry)
            used += piece.size
        else:
            groups.append([entry])
            used = piece.size
        end = max(end, piece.offset + piece.size)
    return groups


def _cut(data: bytes, offset: int, start: int, end: int) -> bytes:
    """What of `data`, which stands at `offset`, is between `start` and `end`."""
    return data[max(0, start - offset) : max(0, end - offset)]


async def write_blocks(
    composer: ZipComposer, blocks: BlockStore, name: str, attributes: BlobAttributes, deadline: Deadline
) -> tuple[bool, str | None]:
    """Stage what is not staged yet, and commit; False where time ran out before.

    Also returns the archive's SHA-256 where this run made all of its blocks: an archive made in several runs has none.
    """
    staged = await blocks.staged(name)
    digest = hashlib.sha256()
    whole = not staged
    sending: asyncio.Task[None] | None = None
    try:
        for number in range(composer.block_count):
            if staged.get(number) == composer.block_size(number):
                continue
            if deadline.passed:
                return False, None
            data = await composer.block(number)
            await asyncio.to_thread(digest.update, data)
            if sending is not None:
                await sending
            sending = asyncio.create_task(blocks.stage(name, number, data))
        if sending is not None:
            await sending
            sending = None
    finally:
        if sending is not None:
            await asyncio.gather(sending, return_exceptions=True)
    try:
        await blocks.commit(name, range(composer.block_count), attributes)
    except Conflict:
        return False, None  # another run committed in between and the service dropped blocks: go round again
    return True, digest.hexdigest() if whole else None
