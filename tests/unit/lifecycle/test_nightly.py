from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import Unavailable
from shared.jobs.flow.owner_limits import OwnerLimits
from shared.jobs.job.rows import Work, work_to_entity
from shared.jobs.ledger.job_data import JobData
from shared.lifecycle.nightly import Nightly, NightlyConfig
from shared.storage.blobs import Tier
from shared.storage.entities import Put
from shared.storage.memory.blobs import MemoryBlobs
from shared.telemetry.recording import RecordingTelemetry
from shared.users.caller import ADMIN, TierName
from shared.users.store import UserStore
from shared.users.tiers import read_tiers
from shared.users.user import User
from tests.unit.in_memory import memory_storage, runtime_of
from tests.unit.known_sources import SPECS
from tests.unit.manual_clock import ManualClock

TIERS = read_tiers({"free": {"archive_after_days": 30}, "pro": {"archive_after_days": 200}})


class Failing(MemoryBlobs):
    async def set_tier(self, name, tier, **options):
        if "bad" in name:
            raise Unavailable("no")
        await super().set_tier(name, tier, **options)


class House:
    """The nightly run with storage in memory. Tests say which datasets are recorded and which jobs have ended."""

    def __init__(self, clock, blobs):
        config = NightlyConfig(archive_after_days=90)
        storage = memory_storage(blobs)
        self._entities = storage.entities
        self.telemetry = RecordingTelemetry()
        self.catalog = Catalog(storage.entities, blobs)
        data = JobData.over(storage, SPECS)
        self.users = UserStore(storage.entities)
        limits = OwnerLimits(self.users, TIERS, 10)
        self.nightly = Nightly(data, self.catalog, limits, runtime_of(clock, self.telemetry), config)

    async def record(self, *names, user_id=ADMIN):
        now = datetime(2026, 1, 1, tzinfo=UTC)
        for name in names:
            files = (f"datasets/job_{name}/dataset.zip",), f"datasets/job_{name}/records.jsonl.gz"
            await self.catalog.put(Dataset(name, user_id, name, now, 1, 1, "zip", Tier.HOT, *files, {}, {}))

    async def end(self, job_id, moment):
        row = work_to_entity(Work(job_id, ADMIN, moment, moment))
        await self._entities.apply("jobs", row.partition, [Put(row)])

    async def archived(self, user_id=ADMIN):
        """Returns the ids of the user's datasets that are recorded as archived."""
        page = await self.catalog.page(user_id)
        return {dataset.id for dataset in page.items if dataset.tier is Tier.ARCHIVE}


@pytest.fixture
async def night():
    clock = ManualClock()
    blobs = Failing(clock)
    for name in ("bad", "old", "older"):
        await blobs.put(f"datasets/job_{name}/dataset.zip", b"x" * 2_000_000)
        await blobs.put(f"datasets/job_{name}/records.jsonl.gz", b"x")
    clock.moment += timedelta(days=91)
    await blobs.put("datasets/job_new/dataset.zip", b"x")
    for name in ("done", "fresh"):
        await blobs.put(f"work/job_{name}/records/1", b"x")
        await blobs.put(f"work/job_{name}2/records/1", b"x")
    house = House(clock, blobs)
    await house.record("bad", "old", "older", "new", "a")
    await house.end("done", clock.moment - timedelta(days=8))
    await house.end("fresh", clock.moment - timedelta(days=1))
    return house.nightly, blobs, house.telemetry, house, clock


async def test_old_datasets_are_archived_and_one_failure_stops_nothing(night):
    nightly, blobs, telemetry, house, clock = night
    report = await nightly.run(Deadline.after(clock, 100))
    assert (report.archived, report.failed, report.unfinished) == (2, 1, False)
    tiers = {info.name: info.tier async for info in blobs.list("datasets/")}
    assert {name for name, tier in tiers.items() if tier is Tier.ARCHIVE} == {
        "datasets/job_old/dataset.zip",
        "datasets/job_older/dataset.zip",
    }
    assert await house.archived() == {"old", "older"}
    events = telemetry.named("dataset_archived")
    assert [event.properties for event in events] == [
        {"dataset": name, "age_days": 91, "size_mb": 2.0} for name in ("old", "older")
    ]
    assert telemetry.named("datasets_archived")[0].measurements == {"value": 2}
    [failure] = [signal for signal in telemetry.signals if signal.kind == "exception"]
    assert failure.properties["dataset"] == "bad"
    assert failure.properties["error_type"] == "Unavailable"


async def test_the_small_files_that_describe_a_dataset_stay_readable(night):
    nightly, blobs, _, house, clock = night
    small = {"records.jsonl.gz", "README.md", "ATTRIBUTION.md", "SHA256SUMS"}
    for folder in ("datasets/job_a/", "datasets/job_a/r2/"):
        for name in (*small, "shards/00001.tar", "annotations.csv"):
            await blobs.put(f"{folder}{name}", b"x")
    clock.moment += timedelta(days=91)
    await nightly.run(Deadline.after(clock, 100))
    tiers = {info.name: info.tier async for info in blobs.list("datasets/job_a/")}
    assert {name.rpartition("/")[2] for name, tier in tiers.items() if tier is not Tier.ARCHIVE} == small
    assert "a" in await house.archived()


async def test_the_tier_is_recorded_for_the_owner_of_the_dataset(night):
    nightly, blobs, _, house, clock = night
    await blobs.put("datasets/job_anns/dataset.zip", b"x")
    await house.record("anns", user_id="ann")
    clock.moment += timedelta(days=91)
    await nightly.run(Deadline.after(clock, 100))
    assert await house.archived("ann") == {"anns"}
    assert await house.archived() == {"old", "older", "new"}


async def test_the_tier_of_the_owner_says_when_a_dataset_is_archived():
    clock = ManualClock()
    blobs = MemoryBlobs(clock)
    house = House(clock, blobs)
    for tier in TierName:
        await house.users.create(User(tier, tier, tier, clock.now()))
    owners = [*TierName, ADMIN, "deleted"]
    for owner in owners:
        await blobs.put(f"datasets/job_of-{owner}/dataset.zip", b"x")
        await house.record(f"of-{owner}", user_id=owner)
    begin, archived_at = clock.moment, dict[str, int]()
    for days in (29, 30, 89, 90, 199, 200):
        clock.moment = begin + timedelta(days=days)
        await house.nightly.run(Deadline.after(clock, 100))
        for owner in owners:
            if await house.archived(owner):
                archived_at.setdefault(str(owner), days)
    assert archived_at == {"free": 30, "enterprise": 90, ADMIN: 90, "deleted": 90, "pro": 200}


async def test_a_second_run_does_nothing_twice(night):
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


async def test_a_run_that_is_out_of_time_reports_that_it_is_unfinished(night):
    nightly, _, _, _, clock = night
    report = await nightly.run(Deadline(clock, -1.0))
    assert report.unfinished
    assert report.archived == 0


AGES = {
    "the first revision's files are the newest": [0, 100, 50],
    "the second's are": [100, 0, 50],
    "the last's are": [100, 50, 0],
    "all are of one age": [0, 0, 0],
}


@pytest.mark.parametrize("ages", AGES.values(), ids=AGES)
async def test_the_age_of_a_dataset_is_that_of_its_newest_file(ages):
    """Files are listed by name, so those of revision 10 come before those of revision 2; none need be the newest."""
    clock = ManualClock()
    blobs = MemoryBlobs(clock)
    house = House(clock, blobs)
    await house.record("x", "y")
    begin = clock.moment
    names = [f"datasets/job_x/{folder}dataset.zip" for folder in ("", "r10/", "r2/")]
    for name, age in sorted(zip(names, ages, strict=True), key=lambda item: -item[1]):
        clock.moment = begin + timedelta(days=100 - age)
        await blobs.put(name, b"x" * 1_000_000)
        await blobs.put(f"{name.rpartition('/')[0]}/records.jsonl.gz", b"x")
    await blobs.put("datasets/job_y/dataset.zip", b"x")
    newest = begin + timedelta(days=100)
    for days, archived in ((89, 0), (90, 2), (91, 0)):
        clock.moment = newest + timedelta(days=days)
        assert (await house.nightly.run(Deadline.after(clock, 100))).archived == archived
    events = [event.properties for event in house.telemetry.named("dataset_archived")]
    assert events[0] == {"dataset": "x", "age_days": 90, "size_mb": 3.0}
    assert await house.archived() == {"x", "y"}
    tiers = {info.name: info.tier async for info in blobs.list("datasets/job_x/")}
    assert {name for name, tier in tiers.items() if tier is Tier.ARCHIVE} == set(names)


async def test_archived_files_are_left_alone_while_a_newer_revision_delays_the_others():
    clock = ManualClock()
    blobs = MemoryBlobs(clock)
    nightly = House(clock, blobs).nightly
    await blobs.put("datasets/job_x/dataset.zip", b"x")
    await blobs.put("datasets/job_x/records.jsonl.gz", b"x")
    clock.moment += timedelta(days=100)
    assert (await nightly.run(Deadline.after(clock, 100))).archived == 1
    await blobs.put("datasets/job_x/r2/dataset.zip", b"x")
    await blobs.put("datasets/job_x/r2/records.jsonl.gz", b"x")
    clock.moment += timedelta(days=89)
    assert (await nightly.run(Deadline.after(clock, 100))).archived == 0
    clock.moment += timedelta(days=1)
    assert (await nightly.run(Deadline.after(clock, 100))).archived == 1
