"""The ledger of an archive's slices is read only by those who do not know its row."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

from shared.archiving.archiver import Archiver, Progress
from shared.archiving.planning.planner import PlanConfig
from shared.archiving.writing.part_ledger import PartLedger
from shared.storage.memory.entities import MemoryEntities
from shared.storage.storage import Storage
from tests.expect import present
from tests.unit.in_memory import far_deadline, memory_storage, runtime_of

NOW = datetime(2026, 3, 4, tzinfo=UTC)
ONE, TWO = b"1" * 32, b"2" * 32


class _Counted(MemoryEntities):
    """Counts calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    async def get(self, table, partition, row):
        self.calls["get"] += 1
        return await super().get(table, partition, row)

    async def apply(self, table, partition, changes):
        self.calls["apply"] += 1
        return await super().apply(table, partition, changes)


async def test_what_is_known_of_a_row_is_changed_without_a_read():
    entities = _Counted()
    ledger = PartLedger(entities)
    opened = await ledger.open("job", "plan", 1, NOW)
    completed = present(await ledger.note(opened, {0: ONE}, NOW))
    assert completed.digests == [ONE.hex()]
    await ledger.forget(completed, [0], NOW)
    assert entities.calls == {"apply": 3}
    assert (await ledger.read("job", "plan")).digests == [None]


async def test_the_row_of_a_plan_that_is_opened_again_is_read():
    ledger = PartLedger(MemoryEntities())
    opened = await ledger.open("job", "plan", 2, NOW)
    assert await ledger.note(opened, {1: TWO}, NOW) is None
    again = await ledger.open("job", "plan", 2, NOW)
    assert again.digests == [None, TWO.hex()]
    assert present(await ledger.note(again, {0: ONE}, NOW)).digests == [ONE.hex(), TWO.hex()]


async def test_a_change_of_a_row_that_has_changed_since_loses_nothing():
    ledger = PartLedger(MemoryEntities())
    opened = await ledger.open("job", "plan", 2, NOW)
    ended = await asyncio.gather(*(ledger.note(opened, {at: ONE}, NOW) for at in (0, 1, 0, 1)))
    assert [row.digests for row in ended if row is not None] == [[ONE.hex(), ONE.hex()]]
    assert (await ledger.read("job", "plan")).digests == [ONE.hex(), ONE.hex()]


async def test_a_change_of_a_row_that_is_gone_completes_nothing():
    entities = MemoryEntities()
    ledger = PartLedger(entities)
    opened = await ledger.open("job", "plan", 1, NOW)
    await entities.erase("chunks", "job")
    assert await ledger.note(opened, {0: ONE}, NOW) is None
    assert (await ledger.read("job", "plan")).digests == ()


async def test_the_run_that_makes_a_dataset_of_one_part_reads_nothing_of_the_ledger(studio):
    entities = _Counted()
    memory = memory_storage(studio.blobs)
    archiver = Archiver(Storage(memory.blobs, entities, memory.queues), runtime_of(), PlanConfig())
    order = await studio.crawl(20)
    plan = await archiver.begin(order, far_deadline())
    other = await archiver.begin(order, far_deadline())
    entities.calls.clear()
    assert await archiver.write_part(plan, 0, far_deadline()) is Progress.ALL_WRITTEN
    archived = present(await archiver.finish(plan, far_deadline()))
    assert entities.calls == {"apply": 1}
    # a run at the same time leaves the end to it, and one that comes later takes it over
    assert await archiver.write_part(other, 0, far_deadline()) is Progress.PART_WRITTEN
    later = await archiver.begin(order, far_deadline())
    assert await archiver.write_part(later, 0, far_deadline()) is Progress.ALL_WRITTEN
    assert await archiver.finish(later, far_deadline()) == archived


async def test_slices_whose_blocks_are_gone_are_written_again_by_the_same_run(studio):
    order = await studio.crawl(20)
    archiver = Archiver(memory_storage(studio.blobs), runtime_of(), PlanConfig())
    plan = await archiver.begin(order, far_deadline())
    assert await archiver.write_part(plan, 0, far_deadline()) is Progress.ALL_WRITTEN
    await studio.blobs.put(plan.blob(plan.files[0]), b"another file drops the blocks")
    assert await archiver.finish(plan, far_deadline()) is None
    assert await archiver.find_missing(plan) == [0]
    assert await archiver.write_part(plan, 0, far_deadline()) is Progress.ALL_WRITTEN
    assert await archiver.finish(plan, far_deadline()) is not None
