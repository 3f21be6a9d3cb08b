"""An app in memory with jobs and datasets to delete, whose storage may fail at any change."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import override

from shared.clock import Deadline
from shared.datasets.dataset import Dataset
from shared.errors import Unavailable
from shared.jobs.job.job import Job
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from shared.lifecycle.deletion import DeleteTask
from shared.settings import Settings
from shared.storage.entities import Change, Entity, Put
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from shared.telemetry.recording import RecordingTelemetry
from shared.users.caller import TierName
from shared.users.user import User
from shared.wiring import App
from tests.unit.datasets.made import made
from tests.unit.in_memory import blobs_about, rows_about
from tests.unit.known_sources import parse_spec
from tests.unit.manual_clock import ManualClock

ANN = "0000000000000ann"
SPEC = parse_spec({"keywords": ["cat"]})
HOUR = 3600.0


class Failing:
    """Counts changes, and fails with the one whose number is `fails_at`, before or after it is made."""

    def __init__(self) -> None:
        self.changes = 0
        self.fails_at = 0
        self.after = False

    @contextlib.contextmanager
    def change(self):
        self.changes += 1
        fails = self.changes == self.fails_at
        if fails and not self.after:
            raise Unavailable("Storage does not answer.")
        yield
        if fails:
            raise Unavailable("Storage does not answer.")


class FailingBlobs(MemoryBlobs):
    failing: Failing

    @override
    async def delete(self, name: str) -> None:
        with self.failing.change():
            await super().delete(name)


class FailingEntities(MemoryEntities):
    failing: Failing

    @override
    async def apply(self, table: str, partition: str, changes: Sequence[Change]) -> Sequence[str]:
        with self.failing.change():
            return await super().apply(table, partition, changes)

    @override
    async def erase(self, table: str, partition: str) -> None:
        with self.failing.change():
            await super().erase(table, partition)


class FailingQueues(MemoryQueues):
    failing: Failing
    delays: list[float]

    @override
    async def send(self, queue: str, body: str, *, delay_seconds: float = 0.0) -> None:
        with self.failing.change():
            await super().send(queue, body)
        self.delays.append(delay_seconds)


class Store:
    """Ann's app. `failing` decides which change of storage fails."""

    def __init__(self) -> None:
        self.clock, self.failing, self.telemetry = ManualClock(), Failing(), RecordingTelemetry()
        self.blobs = FailingBlobs(self.clock)
        self.entities, self.queues = FailingEntities(), FailingQueues()
        self.queues.delays = []
        for store in (self.blobs, self.entities, self.queues):
            store.failing = self.failing
        self.app = App(Settings(admin_api_key="the-key"))
        vars(self.app).update(
            clock=self.clock,
            blobs=self.blobs,
            entities=self.entities,
            queues=self.queues,
            telemetry=self.telemetry,
        )

    async def add_user(self) -> None:
        await self.app.users.create(User(ANN, "Ann", TierName.FREE, self.clock.now()))

    async def add_job(self, job_id: str, state: State = State.COMPLETED, user_id: str = ANN) -> Job:
        """Adds a job with working blobs and rows; one that has completed has a dataset of two revisions, too."""
        now, jobs = self.clock.now(), self.app.job_data.jobs
        new = Job(
            job_id, user_id, job_id, State.QUEUED, now, now, message_id="m", requested_id=f"asked-{job_id}"
        )
        await jobs.create(new, SPEC)
        await self.app.job_keys.note_refusal(new.requested_id, new)
        await self.entities.apply("chunks", job_id, [Put(Entity(job_id, "row"))])
        job = await jobs.save(replace(await jobs.require(user_id, job_id), state=state))
        for name in ("candidates/1", "shards/1", "records/1"):
            await self.blobs.put(f"work/job_{job_id}/{name}", b"x")
        if state is State.COMPLETED:
            await self.add_dataset(job_id, user_id)
        return job

    async def add_dataset(self, job_id: str, user_id: str = ANN) -> Dataset:
        folder = f"datasets/job_{job_id}/"
        files = (f"{folder}r2/dataset.zip",), f"{folder}r2/records.jsonl.gz"
        for name in (*files[0], files[1], f"{folder}dataset.zip"):
            await self.blobs.put(name, b"x")
        dataset: Dataset = made(
            job_id,
            user_id,
            created_at=self.clock.now(),
            blobs=files[0],
            records_blob=files[1],
            revision=2,
        )
        await self.app.catalog.put(dataset)
        return dataset

    async def hold(self, dataset_id: str, *, legal_hold: bool = True) -> None:
        await self.app.catalog.keep(
            ANN,
            dataset_id,
            lambda stored: replace(stored, keeping=replace(stored.keeping, legal_hold=legal_hold)),
        )

    async def work(self, seconds: float = 240.0) -> None:
        """Handles the messages that are on the queue now. One that fails is delivered again."""
        for text in self.queues.take(LIFECYCLE_QUEUE):
            try:
                await self.app.task_queue.run(text, Deadline.after(self.clock, seconds))
            except Unavailable:
                self.queues._waiting[LIFECYCLE_QUEUE].append(text)

    async def finish(self, hours: int = 3) -> None:
        """Handles messages until there are none, with so much time between them that nothing has to wait."""
        for _ in range(hours):
            await self.work()
            self.clock.advance(HOUR)
        assert self.queues.take(LIFECYCLE_QUEUE) == []

    async def names(self, of: str = "") -> list[str]:
        return await blobs_about(self.blobs, of)

    def rows(self, of: str) -> list[tuple[str, str, str]]:
        return rows_about(self.entities, of)

    def task(self, job_id: str) -> DeleteTask:
        return DeleteTask(ANN, job_id)

    def deadline(self, seconds: float = 240.0) -> Deadline:
        return Deadline.after(self.clock, seconds)

    def submission(self) -> Submission:
        return Submission(ANN, SPEC)
