"""Writes parts of a plan's files as blocks, from wherever an earlier run stopped, and commits files of all blocks."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from shared.archiving.layout.contents import File
from shared.archiving.planning.parts import Slice, block_bytes_of
from shared.archiving.planning.plan import Plan
from shared.archiving.writing.compose import Composer
from shared.clock import Deadline
from shared.concurrency import task_group
from shared.storage.blobs import BlobAttributes, BlobStore, BlockStore, Tier

_NUMBERS = 50_000  # of each generation of blocks
_BUFFERED = 2  # blocks that are composed at a time, as long as they are not larger than this:
_BUFFER_BYTES = 32 << 20
_SENDS = 3
_READ_BYTES = 16 << 20
_READS = 3
_PLAN = "plan"
_TYPES = {
    "zip": "application/zip",
    "tar": "application/x-tar",
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "yaml": "application/yaml",
    "txt": "text/plain; charset=utf-8",
}


async def write_slice(plan: Plan, piece: Slice, blobs: BlockStore, deadline: Deadline) -> bytes | None:
    """Stage what of the slice is not staged yet; returns the SHA-256 of its bytes.

    None where time ran out before: call again. At least one block is sent in each run, however short the time. What an
    earlier run has sent is made once more for the checksum, but not sent again.
    """
    composer = await asyncio.to_thread(Composer, plan, plan.files[piece.file], blobs)
    staged = await blobs.staged(plan.blob(plan.files[piece.file]))
    async with task_group() as group:
        return await _Writing(plan, piece, composer, blobs, staged, group).run(deadline)


class _Buffer:
    """Memory for some blocks, which is used again as soon as the tasks that read it are done."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._memory = memoryview(b"")
        self.readers: Sequence[asyncio.Task[None]] = ()

    async def take(self, size: int) -> memoryview:
        """The first bytes of the memory, once nobody reads it; it is allocated when it is first taken."""
        await self.idle()
        if not self._memory:
            self._memory = memoryview(bytearray(self._size))
        return self._memory[:size]

    async def idle(self) -> None:
        """Wait until nobody reads the memory."""
        for reader in self.readers:
            await reader


class _Writing:
    """A slice on its way: some blocks are composed while those before them are hashed and sent.

    There are two buffers, used in turn for as long as the run lasts: fresh memory for each block would cost more than
    all copying does.
    """

    def __init__(
        self,
        plan: Plan,
        piece: Slice,
        composer: Composer,
        blobs: BlockStore,
        staged: Mapping[int, int],
        group: asyncio.TaskGroup,
    ) -> None:
        self._plan = plan
        self._slice = piece
        self._file = plan.files[piece.file]
        self._block_bytes = block_bytes_of(self._file.size, plan.header.block_bytes)
        self._composer = composer
        self._blobs = blobs
        self._staged = staged
        self._group = group
        self._sends = asyncio.Semaphore(_SENDS)
        self._sent = False
        self._digest = hashlib.sha256()

    async def run(self, deadline: Deadline) -> bytes | None:
        """See `write_slice`."""
        size = (
            min(self._file.size, self._slice.end * self._block_bytes) - self._slice.start * self._block_bytes
        )
        at_a_time = max(1, min(_BUFFERED, _BUFFER_BYTES // self._block_bytes))
        buffer, other = (_Buffer(min(size, at_a_time * self._block_bytes)) for _ in range(2))
        number = self._slice.start
        while number < self._slice.end:
            late = deadline.passed
            if late and self._sent:
                return None
            end = min(self._slice.end, number + (1 if late else at_a_time))
            data = await buffer.take(self._offset(end) - self._offset(number))
            await self._composer.compose(self._offset(number), data)
            buffer.readers = [*self._send(number, data), self._hash(data, other.readers)]
            number, buffer, other = end, other, buffer
        for each in (buffer, other):
            await each.idle()
        await self._composer.close()
        return self._digest.digest()

    def _offset(self, number: int) -> int:
        return min(self._file.size, number * self._block_bytes)

    def _send(self, first: int, data: memoryview) -> Iterator[asyncio.Task[None]]:
        """Send the blocks from number `first` on, as far as they are not staged."""
        name = self._plan.blob(self._file)

        async def send(number: int, block: memoryview) -> None:
            async with self._sends:
                await self._blobs.stage(name, number, block)

        for at in range(0, len(data), self._block_bytes):
            block = data[at : at + self._block_bytes]
            number = _block(self._plan, first + at // self._block_bytes)
            if self._staged.get(number) != len(block):
                self._sent = True
                yield self._group.create_task(send(number, block))

    def _hash(self, data: memoryview, before: Sequence[asyncio.Task[None]]) -> asyncio.Task[None]:
        """Put the bytes into the checksum, behind those `before`, whose last task that is."""

        async def update() -> None:
            for task in before[-1:]:
                await task
            await asyncio.to_thread(self._digest.update, data)

        return self._group.create_task(update())


async def commit_file(plan: Plan, file: File, blobs: BlockStore) -> None:
    """Make the file of its blocks, unless it stands already.

    Raises:
        Conflict: a block is not there (storage drops what waits for a week, or another plan took the name).
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
    await blobs.commit(name, [_block(plan, number) for number in range(count)], attributes)


async def checksum(name: str, size: int, blobs: BlobStore, deadline: Deadline) -> str | None:
    """The SHA-256 of a blob of that size, read through; None where time runs out before its end."""
    digest = hashlib.sha256()
    reads = deque[asyncio.Task[bytes]]()
    offsets = iter(range(0, size, _READ_BYTES))
    async with task_group() as group:
        while True:
            for offset in islice(offsets, _READS - len(reads)):
                reads.append(group.create_task(blobs.get(name, offset=offset, length=_READ_BYTES)))
            if not reads:
                return digest.hexdigest()
            data = await reads.popleft()
            if deadline.passed:
                for read in reads:
                    read.cancel()
                return None
            await asyncio.to_thread(digest.update, data)


def _block(plan: Plan, number: int) -> int:
    return plan.header.generation * _NUMBERS + number
