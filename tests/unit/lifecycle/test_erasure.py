"""Users are deleted with or without their jobs and datasets, in slices that may die anywhere."""

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clock import Deadline
from shared.datasets.dataset import Dataset
from shared.errors import Unavailable
from shared.jobs.job.job import Job
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.jobs.job.states import State
from shared.jobs.submission.uploaded_list import NewList
from shared.settings import Settings
from shared.storage.blobs import Tier
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from shared.telemetry.recording import RecordingTelemetry
from shared.users.api_keys import ApiKey
from shared.users.caller import Scope, TierName
from shared.users.quotas.reservation import Wish, token_at
from shared.users.user import User
from shared.wiring import App
from tests.expect import present
from tests.unit.in_memory import blobs_about, rows_about
from tests.unit.known_sources import parse_spec
from tests.unit.manual_clock import ManualClock

ANN, BOB = "0000000000000ann", "0000000000000b0b"
SPEC = parse_spec({"keywords": ["cat"]})


class DyingBlobs(MemoryBlobs):
    """Blobs whose deletions fail after some of them."""

    left = 1_000_000

    async def delete(self, name):
        self.left -= 1
        if self.left < 0:
            raise Unavailable("Storage does not answer.")
        await super().delete(name)


class House:
    """An app with two users, each of whom has a job with a dataset, a running job, a list and a key."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.blobs = DyingBlobs(self.clock)
        self.entities, self.queues = MemoryEntities(), MemoryQueues()
        self.telemetry = RecordingTelemetry()
        self.app = App(Settings())
        vars(self.app).update(
            clock=self.clock,
            blobs=self.blobs,
            entities=self.entities,
            queues=self.queues,
            telemetry=self.telemetry,
        )

    async def furnish(self, user_id: str) -> None:
        now = self.clock.now()
        await self.app.users.create(User(user_id, user_id, TierName.FREE, now))
        await self.app.users.add_key(user_id, ApiKey("key000", "", frozenset({Scope.READ}), "", now))
        done, open_ = f"done-{user_id}", f"open-{user_id}"
        for job_id, state in ((done, State.COMPLETED), (open_, State.CRAWLING)):
            await self.app.job_data.jobs.create(Job(job_id, user_id, job_id, State.QUEUED, now, now), SPEC)
            job = await self.app.job_data.jobs.require(user_id, job_id)
            await self.app.job_data.jobs.save(replace(job, state=state))
            await self.blobs.put(f"work/job_{job_id}/shards/00001", b"x")
        await self.blobs.put(f"datasets/job_{done}/dataset.zip", b"x")
        await self.blobs.put(f"inputs/{user_id}/list.csv", b"x")
        await self.app.lists.add(user_id, NewList("birds", "csv", b"x"))
        await self.app.job_keys.note_refusal("asked", job)
        files = (f"datasets/job_{done}/dataset.zip",), f"datasets/job_{done}/records.jsonl.gz"
        await self.app.catalog.put(Dataset(done, user_id, done, now, 1, 1, "zip", Tier.HOT, *files, {}, {}))
        wish = Wish(user_id, open_, token_at(now, user_id), 1)
        await self.app.usage.reserve(wish, self.app.tiers[TierName.FREE], now)

    async def delete(self, user_id: str, *, keeps_datasets: bool) -> None:
        await self.app.deletions.begin(user_id, self.clock.now(), keeps_datasets=keeps_datasets)

    async def night(self, seconds: float = 240.0) -> int:
        """Runs the nightly run, and then the tasks that are on the queue, which may fail."""
        self.clock.advance(24 * 3600)
        deadline = Deadline.after(self.clock, seconds)
        deleted = await self.app.erasure.run(deadline)
        await self.app.deletion.resume(deadline)
        while messages := self.queues.take(LIFECYCLE_QUEUE):
            for text in messages:
                with contextlib.suppress(Unavailable):
                    await self.app.task_queue.run(text, Deadline.after(self.clock, 240.0))
            # what is sent again comes after a delay
            self.clock.advance(900)
        return deleted

    async def hold(self, user_id: str, dataset_id: str, *, legal_hold: bool) -> None:
        await self.app.catalog.keep(
            user_id,
            dataset_id,
            lambda stored: replace(stored, keeping=replace(stored.keeping, legal_hold=legal_hold)),
        )

    async def names(self, of: str) -> list[str]:
        return await blobs_about(self.blobs, of)

    def rows(self, of: str) -> list[tuple[str, str, str]]:
        return rows_about(self.entities, of)


@pytest.fixture
async def house():
    house = House()
    for user_id in (ANN, BOB):
        await house.furnish(user_id)
    return house


async def test_open_jobs_are_cancelled_in_the_first_night_and_all_is_deleted_in_the_second(house):
    before = house.rows(BOB), await house.names(BOB)
    await house.delete(ANN, keeps_datasets=False)
    assert await house.night() == 0
    open_ = await house.app.job_data.jobs.get(ANN, f"open-{ANN}")
    assert present(open_).state is State.CANCELLED
    assert await house.night() == 1
    assert await house.app.users.account(ANN) is None
    assert (house.rows(ANN), await house.names(ANN)) == ([], [])
    assert (house.rows(BOB), await house.names(BOB)) == before


async def test_datasets_and_jobs_are_kept_if_that_was_asked(house):
    blobs = await house.names(ANN)
    await house.delete(ANN, keeps_datasets=True)
    assert (await house.night(), await house.night()) == (0, 1)
    assert await house.app.users.account(ANN) is None
    assert await house.app.catalog.get(ANN, f"done-{ANN}") is not None
    assert await house.app.job_data.jobs.get(ANN, f"done-{ANN}") is not None
    assert await house.names(ANN) == blobs
    assert {table for table, _, _ in house.rows(ANN)} == {"jobs", "datasets", "lists"}


async def test_a_user_who_was_marked_just_now_is_not_deleted_yet(house):
    await house.app.users.create(User("new", "new", TierName.FREE, house.clock.now()))
    await house.delete("new", keeps_datasets=False)
    deadline = Deadline.after(house.clock, 240)
    assert await house.app.erasure.run(deadline) == 0
    house.clock.advance(3600)
    assert await house.app.erasure.run(Deadline.after(house.clock, 240)) == 1


async def test_a_run_that_fails_after_any_deletion_is_continued(house):
    await house.delete(ANN, keeps_datasets=False)
    nights = 0
    while await house.app.users.account(ANN) is not None:
        house.blobs.left = 1
        await house.night()
        nights += 1
    assert nights > 4
    assert (house.rows(ANN), await house.names(ANN)) == ([], [])
    failures = house.telemetry.named("Unavailable")
    assert failures[0].properties["user_id"] == ANN


async def test_a_run_without_time_deletes_nothing(house):
    await house.delete(ANN, keeps_datasets=False)
    before = house.rows(ANN), await house.names(ANN)
    assert await house.night(seconds=0.0) == 0
    assert (house.rows(ANN), await house.names(ANN)) == before


async def test_the_files_of_another_users_job_of_the_same_id_are_kept(house):
    """A refused message makes a failed job, which has no files, under an id that somebody else may have."""
    now = house.clock.now()
    await house.app.job_data.jobs.create_ended(Job(f"done-{BOB}", ANN, "", State.FAILED, now, now))
    before = await house.names(BOB)
    await house.delete(ANN, keeps_datasets=False)
    await house.night()
    assert await house.night() == 1
    assert await house.names(BOB) == before
    assert await house.app.catalog.owner(f"done-{BOB}") == BOB
    assert await house.app.job_data.ledger.progress(f"done-{BOB}")


async def test_a_mark_of_a_user_who_is_not_deleted_goes_after_a_day(house):
    await house.delete(ANN, keeps_datasets=False)
    await house.app.users.change(ANN, lambda user: replace(user, status=user.status.ACTIVE))
    house.clock.advance(timedelta(days=2).total_seconds())
    assert await house.app.erasure.run(Deadline.after(house.clock, 240)) == 0
    assert [row async for row in house.entities.query("users", "~deleting")] == []
    assert await house.app.users.account(ANN) is not None


async def test_a_dataset_under_legal_hold_keeps_its_job_and_user_until_the_hold_is_lifted(house):
    job_id = f"done-{ANN}"
    await house.hold(ANN, job_id, legal_hold=True)
    await house.delete(ANN, keeps_datasets=False)
    assert [await house.night() for _ in range(3)] == [0, 0, 0]
    assert await house.names(job_id) == [
        f"datasets/job_{job_id}/dataset.zip",
        f"work/job_{job_id}/shards/00001",
        f"work/job_{job_id}/spec.json",
    ]
    assert await house.names(f"open-{ANN}") == []
    await house.hold(ANN, job_id, legal_hold=False)
    assert await house.night() == 1
    assert (house.rows(ANN), await house.names(ANN)) == ([], [])
