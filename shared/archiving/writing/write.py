"""Writes slices of a plan's files as blocks, continuing where an earlier run stopped, and commits whole files."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from shared.archiving.layout.contents import File
from shared.archiving.planning.parts import Slice, block_bytes_of
from shared.archiving.planning.plan import Plan
from shared.archiving.writing.compose import Composer
from shared.clock import Deadline
from shared.concurrency import task_group
from shared.storage.blobs import BlobAttributes, BlobStore, BlockStore, Tier

# Azure takes 50,000 blocks in a blob, so each plan has as many numbers
_NUMBERS_OF_A_PLAN = 50_000
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
    composer = await asyncio.to_thread(Composer, plan, plan.files[piece.file], blobs)
    staged = await blobs.staged(plan.blob(plan.files[piece.file]))
    async with task_group() as group:
        writer = _SliceWriter(plan, piece, composer, blobs, staged, sent)
        return await writer.write(deadline, group)


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

    def __init__(
        self,
        plan: Plan,
        piece: Slice,
        composer: Composer,
        blobs: BlockStore,
        staged: Mapping[int, int],
        sent: Callable[[int], None],
    ) -> None:
        self._plan = plan
        self._slice = piece
        self._file = plan.files[piece.file]
        self._block_bytes = block_bytes_of(self._file.size, plan.header.block_bytes)
        self._composer = composer
        self._blobs = blobs
        self._staged = staged
        self._count_sent = sent
        self._sends = asyncio.Semaphore(_SENDS_AT_A_TIME)
        self._has_sent = False
        self._digest = hashlib.sha256()
        self._last_hashing: asyncio.Task[None] | None = None

    async def write(self, deadline: Deadline, group: asyncio.TaskGroup) -> bytes | None:
        """Writes the slice as `write_slice` does, in tasks of the group."""
        size = self._offset(self._slice.end) - self._offset(self._slice.start)
        blocks_at_a_time = max(1, min(_BLOCKS_AT_A_TIME, _BUFFER_BYTES // self._block_bytes))
        buffer, other = (_Buffer(min(size, blocks_at_a_time * self._block_bytes)) for _ in range(2))
        number = self._slice.start
        while number < self._slice.end:
            late = deadline.passed
            if late and self._has_sent:
                return None
            end = min(self._slice.end, number + (1 if late else blocks_at_a_time))
            data = await buffer.take(self._offset(end) - self._offset(number))
            await self._composer.compose(self._offset(number), data)
            buffer.readers = [*self._send(number, data, group), self._hash(data, group)]
            number, buffer, other = end, other, buffer
        await buffer.wait_for_readers()
        await other.wait_for_readers()
        await self._composer.close()
        return self._digest.digest()

    def _offset(self, number: int) -> int:
        """The offset in the file of the block with this number, or the file's size after the last block."""
        return min(self._file.size, number * self._block_bytes)

    def _send(self, first: int, data: memoryview, group: asyncio.TaskGroup) -> Iterator[asyncio.Task[None]]:
        """Begins to send the blocks from number `first` on, without those that are staged already."""
        name = self._plan.blob(self._file)

        async def send(number: int, block: memoryview) -> None:
            async with self._sends:
                await self._blobs.stage(name, number, block)
            self._count_sent(len(block))

        for at in range(0, len(data), self._block_bytes):
            block = data[at : at + self._block_bytes]
            number = _block_number(self._plan, first + at // self._block_bytes)
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
    await blobs.commit(name, [_block_number(plan, number) for number in range(count)], attributes)


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


def _block_number(plan: Plan, number: int) -> int:
    """The number under which a block is staged. Other plans of the job use other numbers."""
    return plan.header.generation * _NUMBERS_OF_A_PLAN + number
