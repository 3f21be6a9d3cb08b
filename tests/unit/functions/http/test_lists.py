"""Lists of jobs and datasets are newest first for all ids, and complete while rows change between pages."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.datasets.dataset import Dataset
from shared.jobs.job.job import Job
from shared.jobs.job.states import State
from shared.storage.blobs import Tier
from shared.storage.newest_first import is_place, place_of
from tests.unit.known_sources import parse_spec

SPEC = parse_spec({"keywords": ["cat"]})
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
IDS = ["zzz", "0", "mine-1", "fe5d00", "A", "a", "z_", "9" * 64]


def _job(job_id: str, minute: float) -> Job:
    moment = NOON + timedelta(minutes=minute)
    return Job(job_id, "admin", job_id, State.QUEUED, moment, moment)


def _dataset(job_id: str, minute: float, revision: int = 1) -> Dataset:
    return Dataset(
        id=job_id,
        user_id="admin",
        name=job_id,
        created_at=NOON + timedelta(minutes=minute),
        image_count=1,
        size_bytes=1,
        format="zip",
        tier=Tier.HOT,
        blobs=(f"datasets/job_{job_id}/dataset.zip",),
        records_blob=f"datasets/job_{job_id}/records.jsonl.gz",
        counts={},
        splits={},
        revision=revision,
    )


class Kind:
    """Makes and changes the items of one of the lists."""

    def __init__(self, app, path):
        self.app, self.path = app, path

    async def make(self, item_id, minute):
        if self.path == "jobs":
            await self.app.job_data.jobs.create(_job(item_id, minute), SPEC)
        else:
            await self.app.catalog.put(_dataset(item_id, minute))

    async def change(self, item_id, minute):
        if self.path == "jobs":
            job = await self.app.job_data.jobs.require("admin", item_id)
            await self.app.job_data.jobs.save(job.moved(State.CANCELLED, NOON + timedelta(days=1)))
        else:
            await self.app.catalog.put(_dataset(item_id, minute, revision=2))
            await self.app.catalog.keep("admin", item_id, lambda found: replace(found, tier=Tier.ARCHIVE))


@pytest.fixture(params=["jobs", "datasets"])
def kind(app, request):
    return Kind(app, request.param)


async def _pages(caller, path, size=2):
    query = f"limit={size}"
    while query:
        page = await caller.get(path, query)
        assert page.status == 200
        yield [item["id"] for item in page.body["items"]]
        _, _, query = (page.body["next"] or "").partition("?")


async def test_ids_that_producers_choose_are_listed_by_time(kind, caller):
    for minute, item_id in enumerate(IDS):
        await kind.make(item_id, minute)
    for size in (1, 3, len(IDS) - 1, len(IDS), 100):
        pages = [page async for page in _pages(caller, kind.path, size)]
        assert [item for page in pages for item in page] == IDS[::-1]
        assert all(len(page) == size for page in pages[:-1])
        assert pages[-1]


async def test_pages_have_every_item_once_while_rows_change(kind, caller):
    for minute, item_id in enumerate(IDS):
        await kind.make(item_id, minute)
    seen = []
    async for page in _pages(caller, kind.path):
        seen += page
        for item_id in (page[0], IDS[0], IDS[3]):  # some that were seen, some that are to be
            if not (
                kind.path == "jobs"
                and (await kind.app.job_data.jobs.require("admin", item_id)).state.terminal
            ):
                await kind.change(item_id, IDS.index(item_id))
        await kind.make(f"new-{len(seen)}", 1000 + len(seen))
    assert seen == IDS[::-1]
    everything = [item async for page in _pages(caller, kind.path) for item in page]
    assert everything == ["new-8", "new-6", "new-4", "new-2", *IDS[::-1]]


async def test_items_of_the_same_moment_are_all_listed_once(kind, caller):
    ids = [f"same-{number:02}" for number in range(30)]
    await asyncio.gather(*(kind.make(item_id, 0) for item_id in ids))
    await kind.make("later", 1 / 60_000_000)  # a microsecond
    pages = [item async for page in _pages(caller, kind.path, 7) for item in page]
    assert pages == ["later", *ids]


async def test_a_retried_dataset_keeps_its_place_and_one_that_is_undone_leaves_no_gap(app, caller):
    for minute, item_id in enumerate(("a", "b", "c", "d")):
        await app.catalog.put(_dataset(item_id, minute))
    await app.catalog.put(_dataset("a", 60, revision=2))
    await app.catalog.undo("admin", "b", 1, None)
    await app.catalog.undo("admin", "c", 1, None)
    assert [page async for page in _pages(caller, "datasets", 1)] == [["d"], ["a"]]
    await app.catalog.put(_dataset("b", 1, revision=2))
    assert [page async for page in _pages(caller, "datasets", 3)] == [["d", "b", "a"]]


async def test_a_job_whose_row_was_not_written_is_in_no_list(app, caller):
    await app.job_data.jobs.create(_job("one", 0), SPEC)
    await app.job_data.jobs.create_ended(_job("one", 5))
    await app.job_data.jobs.create_ended(_job("two", 7))
    await app.job_data.jobs.create_ended(_job("two", 9))
    assert [page async for page in _pages(caller, "jobs", 5)] == [["two", "one"]]


def test_later_moments_sort_first_to_the_microsecond():
    moments = [NOON, NOON + timedelta(microseconds=1), NOON + timedelta(days=100_000)]
    places = [place_of("x", moment) for moment in moments]
    assert places == sorted(places, reverse=True)
    assert all(map(is_place, places))
    assert len({len(place) for place in places}) == 1
