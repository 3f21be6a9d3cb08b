"""Slices are written with large reads, several blocks at a time, and buffers that are used again."""

import asyncio
import hashlib
import io
import random
import zipfile
from collections import Counter

import pytest

from shared.archiving.archiver import Archiver, Progress
from shared.archiving.options import Output
from shared.archiving.planning.planner import PlanConfig
from shared.errors import Unavailable
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.in_memory import far_deadline, memory_storage, runtime_of

BLOCK = 10_000


class SlowBlobs(MemoryBlobs):
    """Reads the bytes of a block some random time after the call began, and counts calls."""

    def __init__(self) -> None:
        super().__init__()
        self.chance = random.Random(0)
        self.sending = self.most = 0
        self.reads: Counter[str] = Counter()
        self.staged_blocks: list[int] = []
        self.fails_at = -1
        # if it is not set, calls wait until there are three
        self.three = asyncio.Event()
        self.three.set()

    async def stage(self, name, number, data):
        self.sending += 1
        self.most = max(self.most, self.sending)
        if self.most == 3:
            self.three.set()
        await self.three.wait()
        for _ in range(self.chance.randrange(40)):
            await asyncio.sleep(0)
        self.sending -= 1
        if len(self.staged_blocks) == self.fails_at:
            raise Unavailable("The storage account did not answer.")
        self.staged_blocks.append(number)
        await super().stage(name, number, data)

    async def get(self, name, *, offset=0, length=None):
        self.reads[name] += 1
        return await super().get(name, offset=offset, length=length)


@pytest.fixture
async def slow(studio):
    """Returns slow blobs with the studio's pictures, and an archiver that makes one part of them."""
    blobs = SlowBlobs()
    config = PlanConfig(block_bytes=BLOCK)
    archiver = Archiver(memory_storage(blobs), runtime_of(), config)

    async def begin(**changes):
        order = await studio.crawl(200, **changes)
        async for info in studio.blobs.list(""):
            await blobs.put(info.name, await studio.blobs.get(info.name))
        return await archiver.begin(order, far_deadline())

    return blobs, archiver, begin


async def _check(blobs, archiver, plan):
    archived = await archiver.finish(plan, far_deadline())
    data = await blobs.get(archived.blobs[0])
    assert archived.checksums[archived.blobs[0]].sha256 == hashlib.sha256(data).hexdigest()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None


async def test_three_blocks_are_sent_at_a_time_and_no_buffer_changes_under_them(slow):
    blobs, archiver, begin = slow
    plan = await begin()
    blobs.three.clear()
    assert await archiver.write_part(plan, 0, far_deadline()) is Progress.ALL_WRITTEN
    blocks = -(-plan.size_bytes // BLOCK)
    assert blocks > 12
    assert sorted(blobs.staged_blocks) == [min(blobs.staged_blocks) + at for at in range(blocks)]
    assert blobs.most == 3
    await _check(blobs, archiver, plan)


async def test_a_shard_is_read_once_for_all_blocks_that_are_composed_together(slow):
    blobs, archiver, begin = slow
    plan = await begin()
    before = blobs.reads.copy()
    await archiver.write_part(plan, 0, far_deadline())
    reads = sum((blobs.reads - before).values())
    shards = len(plan.header.contents.shards)
    composed = -(-plan.size_bytes // (2 * BLOCK))
    # each composition may begin within a shard, which is read again; the texts take one read
    assert reads <= shards + composed + 1


async def test_the_next_run_sends_the_blocks_that_could_not_be_sent(slow):
    blobs, archiver, begin = slow
    plan = await begin()
    blobs.fails_at = 7
    with pytest.raises(Unavailable):
        await archiver.write_part(plan, 0, far_deadline())
    assert blobs.sending <= 3
    blobs.fails_at = -1
    assert await archiver.write_part(plan, 0, far_deadline()) is Progress.ALL_WRITTEN
    assert set(Counter(blobs.staged_blocks).values()) == {1}
    await _check(blobs, archiver, plan)


async def test_a_process_writes_one_part_after_the_other(slow):
    blobs, archiver, begin = slow
    plan = await begin(
        output=Output.model_construct(format="webdataset", annotations=("jsonl",), shard_size=30_000)
    )
    ended = await asyncio.gather(*(archiver.write_part(plan, 0, far_deadline()) for _ in range(2)))
    assert Progress.ALL_WRITTEN in ended
    assert blobs.most <= 3
