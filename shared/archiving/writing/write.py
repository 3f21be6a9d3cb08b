"""Writes slices of a plan's files as blocks, continuing where an earlier run stopped, and commits whole files."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from shared.archiving.layout.contents import File
from shared.archiving.planning.parts import BegunSlice, Slice, block_bytes_of
from shared.archiving.planning.plan import Plan
from shared.archiving.writing.compose import Composer
from shared.clock import Deadline
from shared.concurrency import task_group
from shared.storage.blobs import BlobAttributes, BlobStore, BlockStore, Tier

# Azure takes 50,000 blocks in a blob. A number has eight bytes in all
_NUMBERS_OF_A_SERIES = 1 << 16
_SERIES_BYTES = 6
# two blocks are composed at a time, or one if two do not fit into the buffer
_BLOCKS_AT_A_TIME = 2
_BUFFER_BYTES = 32 << 20
_SENDS_AT_A_TIME = 3
_READ_BYTES = 16 << 20
_READS_AT_A_TIME = 3
# the metadata of a file that names the plan that it was made by
_PLAN = "plan"
_TYPES = {
    "zip": "application/zip",
    "tar": "application/x-tar",
    "parquet": "application/vnd.apache.parquet",
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "yaml": "application/yaml",
    "txt": "text/plain; charset=utf-8",
    "jpg": "image/jpeg",
    "npy": "application/octet-stream",
}


async def begin_slice(
    plan: Plan, piece: Slice, blobs: BlockStore, late: Callable[[], bool], sent: Callable[[int], None]
) -> BegunSlice:
    """Stages the blocks of a new plan's slice from the first one on, until the end or until `late` returns True.

    If `plan.begun` is the result, `write_slice` continues there. `sent` is as there.

    Raises:
        Damaged: stored images are gone, cut short or garbled.
    """
    writer = await asyncio.to_thread(_SliceWriter, plan, piece, blobs, sent)
    async with task_group() as group:
        await writer.write(late, group)
    return writer.begun


async def write_slice(
    plan: Plan, piece: Slice, blobs: BlockStore, deadline: Deadline, sent: Callable[[int], None]
) -> bytes | None:
    """Stages the blocks of a slice that are not staged yet; returns the SHA-256 of the slice's bytes.

    Returns None if the deadline passes before the end; call again then. Every call stages at least one block, however
    short the time. Blocks that an earlier call staged are composed again for the checksum, but not sent again. `sent`
    is called with the size of each block that storage has taken.

    Raises:
        Damaged: stored images or texts are gone, cut short or garbled.
    """
    writer = await asyncio.to_thread(_SliceWriter, plan, piece, blobs, sent)
    begun = plan.take_begun(piece)
    if begun is None or not writer.go_on(begun):
        await writer.find_staged()
    async with task_group() as group:
        await writer.write(lambda: deadline.passed, group)
    return await writer.end()


class _Buffer:
    """A memory buffer for some blocks. It is used again as soon as the tasks that read it are done."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._memory = memoryview(b"")
        self.readers: Sequence[asyncio.Task[None]] = ()

    async def take(self, size: int) -> memoryview:
        """Waits for the readers, and returns the first bytes of the memory, which the first call allocates."""
        await self.wait_for_readers()
        if not self._memory:
            self._memory = memoryview(bytearray(self._size))
        return self._memory[:size]

    async def wait_for_readers(self) -> None:
        """Waits until no task reads the memory."""
        for reader in self.readers:
            await reader


class _SliceWriter:
    """Writes one slice. While some blocks are composed, the blocks before them are hashed and sent.

    It uses two buffers in alternation: new memory for each block would cost more than all copying does.
    """

    def __init__(self, plan: Plan, piece: Slice, blobs: BlockStore, sent: Callable[[int], None]) -> None:
        self._slice = piece
        self._file = plan.files[piece.file]
        self._name = plan.blob(self._file)
        self._block_bytes = block_bytes_of(self._file.size, plan.header.block_bytes)
        self._first_number = _first_number(plan, self._file)
        self._composer = Composer(plan, self._file, blobs)
        self._blobs = blobs
        self._staged: Mapping[int, int] = {}
        self._count_sent = sent
        self._sends = asyncio.Semaphore(_SENDS_AT_A_TIME)
        self._has_sent = False
        self._next = piece.start
        self._digest = hashlib.sha256()
        self._last_hashing: asyncio.Task[None] | None = None

    @property
    def begun(self) -> BegunSlice:
        """What is staged when `write` has returned."""
        return BegunSlice(self._first_number, self._next, self._digest, self._composer.running)

    def go_on(self, begun: BegunSlice) -> bool:
        """Continues after blocks that are staged already; returns whether it could: another plan has other blocks."""
        if begun.first_number != self._first_number or begun.blocks > self._slice.end:
            return False
        self._next, self._digest, self._composer.running = begun.blocks, begun.digest, begun.running
        return True

    async def find_staged(self) -> None:
        """Looks which blocks are staged already, so that they are not sent again."""
        self._staged = await self._blobs.staged(self._name)

    async def write(self, late: Callable[[], bool], group: asyncio.TaskGroup) -> None:
        """Writes to the end, or until it is late and a block was sent, in tasks of the group."""
        size = self._offset(self._slice.end) - self._offset(self._next)
        blocks_at_a_time = max(1, min(_BLOCKS_AT_A_TIME, _BUFFER_BYTES // self._block_bytes))
        buffer, other = (_Buffer(min(size, blocks_at_a_time * self._block_bytes)) for _ in range(2))
        while self._next < self._slice.end:
            is_late = late()
            if is_late and self._has_sent:
                return
            end = min(self._slice.end, self._next + (1 if is_late else blocks_at_a_time))
            data = await buffer.take(self._offset(end) - self._offset(self._next))
            await self._composer.compose(self._offset(self._next), data)
            buffer.readers = [*self._send(self._next, data, group), self._hash(data, group)]
            self._next, buffer, other = end, other, buffer

    async def end(self) -> bytes | None:
        """Returns the SHA-256 of the slice, or None if `write` has not come to the end."""
        if self._next < self._slice.end:
            return None
        await self._composer.close()
        return self._digest.digest()

    def _offset(self, number: int) -> int:
        """The offset in the file of the block with this number, or the file's size after the last block."""
        return min(self._file.size, number * self._block_bytes)

    def _send(self, first: int, data: memoryview, group: asyncio.TaskGroup) -> Iterator[asyncio.Task[None]]:
        """Begins to send the blocks from number `first` on, without those that are staged already."""

        async def send(number: int, block: memoryview) -> None:
            async with self._sends:
                await self._blobs.stage(self._name, number, block)
            self._count_sent(len(block))

        for at in range(0, len(data), self._block_bytes):
            block = data[at : at + self._block_bytes]
            number = self._first_number + first + at // self._block_bytes
            if self._staged.get(number) != len(block):
                self._has_sent = True
                yield group.create_task(send(number, block))

    def _hash(self, data: memoryview, group: asyncio.TaskGroup) -> asyncio.Task[None]:
        """Begins to add the bytes to the checksum, after those of the calls before."""
        before = self._last_hashing

        async def update() -> None:
            if before is not None:
                await before
            await asyncio.to_thread(self._digest.update, data)

        self._last_hashing = group.create_task(update())
        return self._last_hashing


async def commit_file(plan: Plan, file: File, blobs: BlockStore) -> None:
    """Commits the blocks of a file, unless this plan's file exists already.

    Raises:
        Conflict: a block is not staged. Storage drops blocks that are not committed for a week, or when another plan's
            file of that name is committed.
    """
    name = plan.blob(file)
    info = await blobs.info(name)
    if info is not None and info.metadata.get(_PLAN) == plan.header.digest:
        return
    count = -(-file.size // block_bytes_of(file.size, plan.header.block_bytes))
    first = _first_number(plan, file)
    attributes = BlobAttributes(
        content_type=_TYPES.get(name.rpartition(".")[2], "text/plain; charset=utf-8"),
        metadata={
            "job_id": plan.header.job_id,
            "image_count": str(file.end - file.start),
            "created_at": plan.header.contents.created_at.isoformat(),
            _PLAN: plan.header.digest,
        },
        tags={"project": "pixcrawler", "type": "dataset", "job_id": plan.header.job_id},
        tier=Tier.HOT,
    )
    await blobs.commit(name, range(first, first + count), attributes)


async def compute_sha256(name: str, size: int, blobs: BlobStore, deadline: Deadline) -> str | None:
    """Reads a blob of this size and returns its SHA-256 in hex, or None if the deadline passes before the end."""
    digest = hashlib.sha256()
    reads = deque[asyncio.Task[bytes]]()
    offsets = iter(range(0, size, _READ_BYTES))
    async with task_group() as group:
        while True:
            for offset in islice(offsets, _READS_AT_A_TIME - len(reads)):
                reads.append(group.create_task(blobs.get(name, offset=offset, length=_READ_BYTES)))
            if not reads:
                return digest.hexdigest()
            data = await reads.popleft()
            if deadline.passed:
                for read in reads:
                    read.cancel()
                return None
            await asyncio.to_thread(digest.update, data)


def _first_number(plan: Plan, file: File) -> int:
    """Returns the number under which the first block of a file is staged; the next ones have the numbers after it.

    It depends on the run that made the plan, and on the size of the blocks. So no block of another plan is ever taken
    for one of this plan, also if two runs chose other images for the same order.
    """
    series = f"{plan.header.contents.sidecars} {block_bytes_of(file.size, plan.header.block_bytes)}"
    digest = hashlib.sha256(series.encode()).digest()
    return int.from_bytes(digest[:_SERIES_BYTES]) * _NUMBERS_OF_A_SERIES
