"""A plan is made once. After that, the stored plan is read."""

from dataclasses import replace

import pytest

from shared.archiving.archiver import Archiver
from shared.archiving.options import Output
from shared.errors import Damaged
from shared.records.records import decode_records, encode_records
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.in_memory import far_deadline, memory_storage, runtime_of


class Watched(MemoryBlobs):
    """Records the names of the blobs that are read and written."""

    def __init__(self, blobs):
        self.__dict__.update(blobs.__dict__)
        self.read: list[str] = []
        self.written: list[str] = []

    async def get(self, name, **changes):
        self.read.append(name)
        return await super().get(name, **changes)

    async def put(self, name, *args, **changes):
        self.written.append(name)
        return await super().put(name, *args, **changes)

    async def stage(self, name, *args):
        self.written.append(name)
        return await super().stage(name, *args)


def _archiver(blobs):
    return Archiver(memory_storage(blobs), runtime_of())


@pytest.mark.parametrize("form", ["zip", "webdataset"])
async def test_planning_an_order_again_returns_the_stored_plan_without_reading_records(studio, form):
    order = await studio.crawl(45, output=Output(format=form))
    blobs = Watched(studio.blobs)
    first = await _archiver(blobs).begin(order, far_deadline())
    assert set(order.record_blobs) <= set(blobs.read)
    assert blobs.written
    blobs.read.clear()
    blobs.written.clear()
    second = await _archiver(blobs).begin(order, far_deadline())
    assert blobs.read == [f"{order.work_prefix}{order.digest}/plan.npz"]
    assert blobs.written == []
    assert second.encode() == first.encode()


async def test_another_order_gets_its_own_plan(studio):
    order = await studio.crawl(45)
    other = await studio.crawl(45, seed=1)
    blobs = Watched(studio.blobs)
    archiver = _archiver(blobs)
    await archiver.begin(order, far_deadline())
    blobs.read.clear()
    await archiver.begin(other, far_deadline())
    assert set(order.record_blobs) <= set(blobs.read)


@pytest.mark.parametrize("indices", [(0, 1, 1), (0, 2, 1), (-1, 0, 1)])
async def test_records_that_are_not_in_order_of_index_are_damaged(studio, indices):
    order = await studio.crawl(3)
    [name] = order.record_blobs
    records = decode_records(await studio.blobs.get(name))
    changed = [replace(record, index=index) for record, index in zip(records, indices, strict=True)]
    await studio.blobs.put(name, encode_records(changed))
    with pytest.raises(Damaged, match="the records of chunk"):
        await studio.archiver.begin(order, far_deadline())
