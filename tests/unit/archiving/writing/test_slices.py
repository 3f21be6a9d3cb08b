"""Images of a dataset are written while its texts are made, and never those of another choice of images."""

import asyncio
import hashlib
import io
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import cast

import pytest

from shared.archiving.archiver import Archiver, Progress
from shared.archiving.formats.registry import FORMATS
from shared.archiving.options import Output, Splits
from shared.archiving.planning.planner import PlanConfig
from shared.clock import Deadline, SystemClock
from shared.errors import Damaged, Unavailable
from shared.optouts.optout import OptOutKind, normal_value
from shared.optouts.optout_list import OptOutList, new_optout
from shared.storage.memory.blobs import MemoryBlobs
from shared.telemetry.recording import RecordingTelemetry
from tests.unit.archiving.conftest import picture
from tests.unit.in_memory import far_deadline, memory_storage, runtime_of

BLOCK = 2000
COUNT = 60
ZIP, PLAN = "dataset.zip", "plan.npz"


class Observed(MemoryBlobs):
    """Records calls as pairs of a method and the end of a blob's name. Some calls wait, and one of them fails.

    The plan's texts are finished after `first` blocks of the ZIP are sent, and block `first` is not sent before the
    plan is stored.
    """

    def __init__(self, blobs: MemoryBlobs, first: int = 0) -> None:
        self.__dict__.update(blobs.__dict__)
        self.calls: list[tuple[str, str]] = []
        self.staged_blocks: Counter[int] = Counter()
        self.failure: Exception | None = None
        self.calls_left = -1
        self._first = first
        self._sending = 0
        self.sent_first, self._planned = asyncio.Event(), asyncio.Event()

    def _begin(self, method: str, name: str) -> None:
        self.calls.append((method, name.rpartition("/")[2]))
        self.calls_left -= 1
        if self.failure is not None and self.calls_left == 0:
            raise self.failure

    async def get(self, name, **changes):
        self._begin("get", name)
        return await super().get(name, **changes)

    async def put(self, name, *args, **changes):
        self._begin("put", name)
        if name.endswith("/texts") and self._first:
            await self.sent_first.wait()
        try:
            await super().put(name, *args, **changes)
        finally:
            if name.endswith(PLAN):
                self._planned.set()

    async def stage(self, name, number, data):
        self._sending += 1
        if self._first and self._sending > self._first:
            await self._planned.wait()
        self._begin("stage", name)
        self.staged_blocks[number] += 1
        await super().stage(name, number, data)
        if self.staged_blocks.total() >= self._first:
            self.sent_first.set()

    async def staged(self, name):
        self._begin("staged", name)
        return await super().staged(name)

    async def commit(self, name, numbers, attributes):
        self._begin("commit", name)
        await super().commit(name, numbers, attributes)

    async def info(self, name):
        self._begin("info", name)
        return await super().info(name)

    @property
    def staged_before_plan(self) -> int:
        """How many blocks were sent before the plan was stored."""
        return self.calls[: self.calls.index(("put", PLAN))].count(("stage", ZIP))


def _archiver(blobs, config=None, optouts=None, storage=None) -> Archiver:
    config = config or PlanConfig(block_bytes=BLOCK)
    return Archiver(storage or memory_storage(blobs), runtime_of(), config, None, optouts)


async def _archive(archiver, order, deadline=None):
    """Makes a dataset. The deadline ends what is written before the plan is stored, and nothing after."""
    plan = await archiver.begin(order, deadline or far_deadline())
    for number in await archiver.find_missing(plan):
        assert await archiver.write_part(plan, number, far_deadline()) is not Progress.OUT_OF_TIME
    archived = await archiver.finish(plan, far_deadline())
    assert archived is not None
    return archived


async def _check(blobs, archived) -> bytes:
    data: bytes = await blobs.get(archived.blobs[0])
    assert archived.checksums[archived.blobs[0]].sha256 == hashlib.sha256(data).hexdigest()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert sum(name.count("/") == 2 for name in archive.namelist()) == archived.image_count
    return data


async def _expected(studio, order) -> bytes:
    """The dataset's bytes if all of it is written when the texts are made."""
    blobs = MemoryBlobs()
    for name in [info.name async for info in studio.blobs.list("")]:
        await blobs.put(name, await studio.blobs.get(name))
    late = Deadline.after(SystemClock(), -1)
    archived = await _archive(_archiver(blobs), order, late)
    return await _check(blobs, archived)


@pytest.mark.parametrize("splits", [Splits(), Splits({"train": 0.5, "test": 0.5})])
@pytest.mark.parametrize("first", [1, 7, 12])
async def test_blocks_that_are_written_while_texts_are_made_are_sent_once_and_not_searched_for(
    studio, first, splits
):
    order = await studio.crawl(COUNT, splits=splits)
    expected = await _expected(studio, order)
    blobs = Observed(studio.blobs, first)
    archived = await _archive(_archiver(blobs), order)
    assert first <= blobs.staged_before_plan < -(-len(expected) // BLOCK)
    assert set(blobs.staged_blocks.values()) == {1}
    assert len(blobs.staged_blocks) == -(-len(expected) // BLOCK)
    assert ("staged", ZIP) not in blobs.calls
    assert await _check(blobs, archived) == expected


@pytest.mark.parametrize("form", FORMATS)
async def test_a_format_says_which_bytes_do_not_depend_on_texts(studio, form):
    splits = Splits({"train": 0.5, "test": 0.5})
    order = await studio.crawl(COUNT, output=Output(format=form), splits=splits)
    planner = _archiver(studio.blobs)._planner
    draft = await planner.draft(order)
    plan = await planner.complete(draft)
    file, early = plan.files[0], draft.plan.files[0]
    known = plan._format.bytes_before_texts(early, draft.plan.images, draft.plan.header.contents)
    assert (known > 0) == (form == "zip")
    spans = list(plan.layout(file).between(0, known))
    assert spans == list(draft.plan.layout(early).between(0, known))
    contents = [
        (plan.content(file, span.entry), draft.plan.content(early, span.entry))
        for span in spans
        if not isinstance(span, bytes)
    ]
    assert all(found == before for found, before in contents)
    assert len(contents) == (len(plan.images) if form == "zip" else 0)


@pytest.mark.parametrize("winner", [0, 1])
async def test_of_two_runs_with_different_opt_outs_one_choice_is_written(studio, monkeypatch, winner):
    """Both have sent blocks of their choices when the first plan is stored, and the other run writes the dataset."""
    order = await studio.crawl(COUNT)
    storage = memory_storage(studio.blobs)
    optouts = OptOutList(storage.entities, SystemClock(), runtime_of().ids)
    made = (datetime(2026, 1, 1, tzinfo=UTC), "admin")
    await optouts.add(new_optout(OptOutKind.URL, normal_value(OptOutKind.URL, "https://x/5"), 0, made))
    stores = [Observed(studio.blobs, 12) for _ in range(2)]
    archivers = [
        _archiver(blobs, optouts=known, storage=replace(storage, blobs=blobs))
        for blobs, known in zip(stores, (None, optouts), strict=True)
    ]
    both_have_texts, stored = asyncio.Barrier(2), asyncio.Event()

    async def store_in_order(archiver, store, order, plan):
        await both_have_texts.wait()
        if archiver is not archivers[winner]:
            await stored.wait()
        plan = await store(order, plan)
        stored.set()
        return plan

    for archiver in archivers:
        in_order = partial(store_in_order, archiver, archiver._planner.store)
        monkeypatch.setattr(archiver._planner, "store", in_order)
    plans = await asyncio.gather(*(archiver.begin(order, far_deadline()) for archiver in archivers))
    assert plans[0].encode() == plans[1].encode()
    assert all(blobs.staged_blocks.total() >= 12 for blobs in stores)
    loser = archivers[1 - winner]
    assert await loser.write_part(plans[1 - winner], 0, far_deadline()) is Progress.ALL_WRITTEN
    archived = await loser.finish(plans[1 - winner], far_deadline())
    assert archived is not None
    assert archived.image_count == 54 - winner
    data = await _check(studio.blobs, archived)
    assert (picture(5) in data) == (winner == 0)


async def test_a_run_that_dies_at_any_call_leaves_what_the_next_run_completes(studio):
    order = await studio.crawl(20)
    expected = await _expected(studio, order)
    kept = dict(studio.blobs._blobs)
    for at in range(1, 1000):
        stored = MemoryBlobs()
        stored._blobs.update(kept)
        storage, blobs = memory_storage(stored), Observed(stored, 4)
        blobs.failure, blobs.calls_left = RuntimeError("it dies"), at
        dying = _archiver(blobs, storage=replace(storage, blobs=blobs))
        died = False
        try:
            await _archive(dying, order)
        except* RuntimeError:
            died = True
        assert len(asyncio.all_tasks()) == 1
        sent = blobs.staged_blocks.copy() if ("put", PLAN) in blobs.calls[:-1] else Counter()
        after = Observed(blobs)
        again = _archiver(after, storage=replace(storage, blobs=after))
        archived = await _archive(again, order)
        assert await _check(after, archived) == expected
        # what was sent before the plan was stored is sent again; nothing else is
        assert all(count == 1 for count in (sent + after.staged_blocks).values())
        if not died:
            break
    assert at > 25


@pytest.mark.parametrize("first", [1, 6])
async def test_a_deadline_that_passes_ends_the_writing_and_the_next_run_continues(studio, first):
    order = await studio.crawl(COUNT)
    expected = await _expected(studio, order)
    blobs = Observed(studio.blobs, first)
    archiver = _archiver(blobs)
    deadline = cast("Deadline", Passing(blobs, first))
    plan = await archiver.begin(order, deadline)
    before = blobs.staged_blocks.total()
    # the two blocks that were composed when it passed, and two more
    assert first <= before <= first + 4
    assert await archiver.write_part(plan, 0, deadline) is Progress.OUT_OF_TIME
    assert blobs.staged_blocks.total() == before + 1
    archived = await _archive(archiver, order)
    assert set(blobs.staged_blocks.values()) == {1}
    assert await _check(blobs, archived) == expected


class Passing:
    """A deadline that passes when so many blocks are sent."""

    def __init__(self, blobs, blocks):
        self._blobs, self._blocks = blobs, blocks

    @property
    def passed(self):
        return self._blobs.staged_blocks.total() >= self._blocks


@pytest.mark.parametrize("count", [0, COUNT])
async def test_a_dataset_of_several_parts_or_none_is_written_after_its_texts(studio, count):
    blobs = Observed(studio.blobs)
    archiver = _archiver(blobs, PlanConfig(part_bytes=10_000, block_bytes=BLOCK))
    await archiver.begin(await studio.crawl(count), far_deadline())
    assert not blobs.staged_blocks


async def test_no_images_are_written_while_another_slice_of_the_process_is(studio):
    blobs = Observed(studio.blobs)
    archiver = _archiver(blobs)
    order = await studio.crawl(COUNT)
    async with archiver._writing._writing:
        plan = await archiver.begin(order, far_deadline())
    assert not blobs.staged_blocks
    assert await archiver.write_part(plan, 0, far_deadline()) is Progress.ALL_WRITTEN


async def test_no_images_are_written_late_after_another_slice_that_had_waited_for_its_turn(studio):
    blobs = Observed(studio.blobs)
    writing = _archiver(blobs)._writing
    draft = await _archiver(blobs)._planner.draft(await studio.crawl(COUNT))
    has_texts = asyncio.Event()

    async def write_other():
        async with writing._writing:
            has_texts.set()

    async with asyncio.TaskGroup() as tasks:
        async with writing._writing:
            tasks.create_task(write_other())
            await asyncio.sleep(0)
        assert not writing._writing.locked()
        assert await writing.begin(draft.plan, has_texts.is_set) is None
    assert has_texts.is_set()
    assert not blobs.staged_blocks


async def test_each_upload_reports_the_bytes_that_it_has_sent(studio):
    blobs, telemetry = Observed(studio.blobs, 7), RecordingTelemetry()
    archiver = Archiver(
        memory_storage(blobs), runtime_of(telemetry=telemetry), PlanConfig(block_bytes=BLOCK), None
    )
    plan = await archiver.begin(await studio.crawl(COUNT), far_deadline())
    begun = blobs.staged_blocks.total() * BLOCK
    assert await archiver.write_part(plan, 0, far_deadline()) is Progress.ALL_WRITTEN
    uploads = [
        one for one in telemetry.named("azure_blob_upload") if str(one.properties["target"]).endswith(ZIP)
    ]
    sent = [round(one.measurements["file_size_mb"] * 1_000_000) for one in uploads]
    assert sent == [begun, plan.size_bytes - begun]


@pytest.mark.parametrize("gone", [False, True])
async def test_damaged_images_are_reported_when_the_part_is_written(studio, gone):
    order = await studio.crawl(COUNT)
    name = "work/job_j1/shards/0"
    if gone:
        await studio.blobs.delete(name)
    else:
        await studio.blobs.put(name, b"x" * len(await studio.blobs.get(name)))
    archiver = _archiver(studio.blobs)
    plan = await archiver.begin(order, far_deadline())
    assert plan.begun is None
    with pytest.raises(Damaged, match="the images of chunk 0"):
        await archiver.write_part(plan, 0, far_deadline())


async def test_storage_that_does_not_answer_meanwhile_costs_no_block_twice(studio, monkeypatch):
    order = await studio.crawl(COUNT)
    expected = await _expected(studio, order)
    blobs = Observed(studio.blobs, 5)
    stage, refused = blobs.stage, list[int]()

    async def stage_but_one(name, number, data):
        if blobs.staged_blocks.total() == 5 and not refused:
            refused.append(number)
            raise Unavailable("The storage account did not answer.")
        await stage(name, number, data)

    monkeypatch.setattr(blobs, "stage", stage_but_one)
    archived = await _archive(_archiver(blobs), order)
    assert refused
    assert set(blobs.staged_blocks.values()) == {1}
    assert await _check(blobs, archived) == expected


async def test_nothing_is_written_after_the_call_was_cancelled(studio):
    blobs = Observed(studio.blobs, 5)
    begin = asyncio.create_task(_archiver(blobs).begin(await studio.crawl(COUNT), far_deadline()))
    await blobs.sent_first.wait()
    begin.cancel()
    await asyncio.gather(begin, return_exceptions=True)
    assert begin.cancelled()
    assert len(asyncio.all_tasks()) == 1


async def test_damaged_records_end_the_writing(studio, monkeypatch):
    order = await studio.crawl(COUNT)
    blobs = Observed(studio.blobs, 5)
    archiver = _archiver(blobs)
    draft = archiver._planner.draft

    async def draft_before_damage(order):
        found = await draft(order)
        found.records._cache.clear()
        await blobs.delete(order.record_blobs[-1])
        return found

    monkeypatch.setattr(archiver._planner, "draft", draft_before_damage)
    with pytest.raises(Damaged, match="the records of chunk 50"):
        await archiver.begin(order, far_deadline())
    assert len(asyncio.all_tasks()) == 1
