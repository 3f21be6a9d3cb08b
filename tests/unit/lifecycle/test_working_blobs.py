from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.errors import Unavailable
from shared.jobs.job.rows import Work, work_to_entity
from shared.jobs.ledger.job_data import JobData
from shared.lifecycle.task_queue import Again
from shared.lifecycle.working_blobs import ClearWork, WorkingBlobs
from shared.storage.entities import Put
from shared.storage.memory.blobs import MemoryBlobs
from shared.telemetry.recording import RecordingTelemetry
from shared.users.caller import ADMIN
from tests.unit.datasets.made import made
from tests.unit.in_memory import memory_storage, runtime_of
from tests.unit.known_sources import SPECS
from tests.unit.manual_clock import ManualClock


class Failing(MemoryBlobs):
    async def delete(self, name):
        if "bad" in name:
            raise Unavailable("no")
        await super().delete(name)


class House:
    """Jobs with working blobs in memory, all of which ended some days ago."""

    def __init__(self):
        self.clock, self.telemetry = ManualClock(), RecordingTelemetry()
        self.blobs = Failing(self.clock)
        self._storage = memory_storage(self.blobs)
        self.catalog = Catalog(self._storage.entities, self.blobs)
        data = JobData.over(self._storage, SPECS)
        runtime = runtime_of(self.clock, self.telemetry)
        self.working = WorkingBlobs(data, self.catalog, runtime, retention_days=7)

    async def end(self, job_id, days_ago):
        ended = self.clock.now() - timedelta(days=days_ago)
        row = work_to_entity(Work(job_id, ADMIN, ended, ended))
        await self._storage.entities.apply("jobs", row.partition, [Put(row)])
        await self.blobs.put(f"work/job_{job_id}/records/1", b"x")

    async def clear(self, task=None, seconds=1000.0):
        return await self.working.handle(task or ClearWork(), Deadline.after(self.clock, seconds))

    async def names(self, prefix="work/"):
        return [info.name async for info in self.blobs.list(prefix)]


@pytest.fixture
def house():
    return House()


async def test_only_the_work_of_jobs_that_ended_long_ago_is_cleared(house):
    for job_id, days_ago in (("done", 8), ("done2", 6), ("fresh", 0)):
        await house.end(job_id, days_ago)
    assert await house.clear() is None
    assert await house.names() == ["work/job_done2/records/1", "work/job_fresh/records/1"]
    assert await house.clear() is None


async def test_a_failure_of_one_job_stops_no_other(house):
    for job_id in ("a", "bad", "c"):
        await house.end(job_id, 8)
    assert await house.clear() is None
    assert await house.names() == ["work/job_bad/records/1"]
    [failure] = [signal for signal in house.telemetry.signals if signal.kind == "exception"]
    assert (failure.properties["job_id"], failure.properties["error_type"]) == ("bad", "Unavailable")


async def test_a_slice_stops_at_its_deadline_and_a_further_one_goes_on_behind_it(house):
    for job_id in ("a", "bad", "c", "d"):
        await house.end(job_id, 8)
    house.clock.tick = 1.0
    again, slices = await house.clear(seconds=2.5), 1
    while again is not None:
        assert isinstance(again, Again)
        again, slices = await house.clear(again.task, seconds=2.5), slices + 1
    assert slices > 1
    assert await house.names() == ["work/job_bad/records/1"]


async def test_files_of_other_revisions_are_deleted_with_the_work(house):
    await house.end("j", 8)
    await house.catalog.put(made("j", ADMIN, revision=2))
    for folder in ("", "r2/", "r3/"):
        await house.blobs.put(f"datasets/job_j/{folder}dataset.zip", b"x")
    house.clock.advance(60)
    assert await house.clear() is None
    assert await house.names("datasets/") == ["datasets/job_j/r2/dataset.zip"]


async def test_many_small_images_of_an_earlier_revision_are_deleted_in_several_slices(house):
    await house.end("j", 8)
    await house.catalog.put(made("j", ADMIN, revision=2))
    for number in range(20):
        await house.blobs.put(f"derived/job_j/r1/64/{number}.jpg", b"x")
    await house.blobs.put("derived/job_j/r2/64/0.jpg", b"x")
    house.clock.advance(60)
    house.clock.tick = 1.0
    again, left = await house.clear(seconds=6.0), [20]
    while again is not None:
        left.append(len(await house.names("derived/job_j/r1/")))
        again = await house.clear(again.task, seconds=6.0)
    assert len(left) > 3
    assert left == sorted(left, reverse=True)
    assert await house.names("") == ["derived/job_j/r2/64/0.jpg"]


async def test_nothing_of_a_dataset_under_legal_hold_is_deleted(house):
    await house.end("j", 8)
    dataset = made("j", ADMIN)
    await house.catalog.put(dataset)
    await house.catalog.keep(ADMIN, "j", lambda found: _held(found, legal_hold=True))
    await house.clear()
    assert await house.names() == ["work/job_j/records/1"]
    await house.catalog.keep(ADMIN, "j", lambda found: _held(found, legal_hold=False))
    await house.clear()
    assert await house.names() == []


def _held(dataset, *, legal_hold):
    return replace(dataset, keeping=replace(dataset.keeping, legal_hold=legal_hold))
