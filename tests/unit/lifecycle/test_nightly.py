from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import Deadline
from shared.errors import Unavailable
from shared.lifecycle.nightly import FinishedJob, Nightly, NightlyConfig
from shared.storage.blobs import Tier
from shared.storage.memory_blobs import MemoryBlobs
from shared.telemetry.recording import RecordingTelemetry


class Clock:
    def __init__(self):
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self):
        return self.moment

    def monotonic(self):
        return 0.0


class Jobs:
    def __init__(self, finished):
        self.finished = dict(finished)

    async def finished_before(self, moment):
        for job_id, at in list(self.finished.items()):
            if at < moment:
                yield FinishedJob(job_id, "admin")

    async def begin_clearing(self, job, moment):
        return self.finished[job.id] < moment

    async def forget_work(self, job_id):
        self.finished.pop(job_id, None)


class Notes(dict):
    async def tier_changed(self, dataset_id, tier):
        self[dataset_id] = tier

    async def drop_others(self, user_id, dataset_id, written_before):
        pass


class Failing(MemoryBlobs):
    async def set_tier(self, name, tier):
        if "bad" in name:
            raise Unavailable("no")
        await super().set_tier(name, tier)


@pytest.fixture
async def night():
    clock = Clock()
    blobs = Failing(clock)
    for name in ("bad", "old", "older"):
        await blobs.put(f"datasets/job_{name}/dataset.zip", b"x" * 2_000_000)
        await blobs.put(f"datasets/job_{name}/records.jsonl.gz", b"x")
    clock.moment += timedelta(days=91)
    await blobs.put("datasets/job_new/dataset.zip", b"x")
    for name in ("done", "fresh"):
        await blobs.put(f"work/job_{name}/records/1", b"x")
        await blobs.put(f"work/job_{name}2/records/1", b"x")
    jobs = Jobs({"done": clock.moment - timedelta(days=8), "fresh": clock.moment - timedelta(days=1)})
    telemetry, notes = RecordingTelemetry(), Notes()
    return (
        Nightly(blobs, blobs, jobs, notes, telemetry, clock, NightlyConfig()),
        blobs,
        telemetry,
        notes,
        clock,
    )


async def test_old_datasets_are_archived_and_one_failure_stops_nothing(night):
    nightly, blobs, telemetry, notes, clock = night
    report = await nightly.run(Deadline.after(clock, 100))
    assert (report.archived, report.failed, report.unfinished) == (2, 1, False)
    tiers = {info.name: info.tier async for info in blobs.list("datasets/")}
    assert {name for name, tier in tiers.items() if tier is Tier.ARCHIVE} == {
        "datasets/job_old/dataset.zip",
        "datasets/job_older/dataset.zip",
    }
    assert notes == {"old": Tier.ARCHIVE, "older": Tier.ARCHIVE}
    events = telemetry.named("dataset_archived")
    assert [event.properties for event in events] == [
        {"dataset": name, "age_days": 91, "size_mb": 2.0} for name in ("old", "older")
    ]
    assert telemetry.named("datasets_archived")[0].measurements == {"value": 2}
    [failure] = [signal for signal in telemetry.signals if signal.kind == "exception"]
    assert failure.properties["dataset"] == "bad"
    assert failure.properties["error_type"] == "Unavailable"


async def test_what_tells_of_a_dataset_stays_readable(night):
    nightly, blobs, _, notes, clock = night
    small = {"records.jsonl.gz", "README.md", "ATTRIBUTION.md", "SHA256SUMS"}
    for folder in ("datasets/job_a/", "datasets/job_a/r2/"):
        for name in (*small, "shards/00001.tar", "annotations.csv"):
            await blobs.put(f"{folder}{name}", b"x")
    clock.moment += timedelta(days=91)
    await nightly.run(Deadline.after(clock, 100))
    tiers = {info.name: info.tier async for info in blobs.list("datasets/job_a/")}
    assert {name.rpartition("/")[2] for name, tier in tiers.items() if tier is not Tier.ARCHIVE} == small
    assert notes["a"] is Tier.ARCHIVE


async def test_a_second_night_does_nothing_twice(night):
    nightly, _, telemetry, _, clock = night
    await nightly.run(Deadline.after(clock, 100))
    again = await nightly.run(Deadline.after(clock, 100))
    assert (again.archived, again.failed) == (0, 1)
    assert len(telemetry.named("dataset_archived")) == 2


async def test_only_the_work_of_jobs_that_ended_long_ago_is_cleared(night):
    nightly, blobs, _, _, clock = night
    report = await nightly.run(Deadline.after(clock, 100))
    assert report.cleared == 1
    names = [info.name async for info in blobs.list("work/")]
    assert names == ["work/job_done2/records/1", "work/job_fresh/records/1", "work/job_fresh2/records/1"]


async def test_a_night_that_is_too_short_says_so(night):
    nightly, _, _, _, clock = night
    report = await nightly.run(Deadline(clock, -1.0))
    assert report.unfinished
    assert report.archived == 0
