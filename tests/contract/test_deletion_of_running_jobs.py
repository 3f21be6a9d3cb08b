"""Nothing is left of a job that is cancelled and deleted while runs work for it, on every implementation of storage."""

import asyncio
import contextlib
import random

import pytest

from shared.errors import Conflict
from shared.jobs.job.deletions import JobDeletions
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from shared.jobs.submission.uploaded_list import ListLimits
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.lifecycle.deletion import Deletion, JobParts
from shared.lifecycle.messages import TaskSender
from tests.unit.jobs import simulation

SPEC = {"keywords": ["a"], "sources": [{"type": "fake", "total": 60}], "dedup": {"near_distance": None}}


class House:
    """The steps of jobs, and the service that deletes jobs, over the same storage."""

    def __init__(self, flow: simulation.Flow, user_id: str) -> None:
        self.flow, self.user_id = flow, user_id
        deletions = JobDeletions(flow.entities, flow.jobs)
        services = flow.data, flow.keys, flow.transitions, flow.catalog
        lists = UploadedLists(flow.data.storage, flow._runtime, ListLimits(1, 1, 1))
        parts = JobParts(*services, deletions, flow.deliveries.store, flow.secrets, lists)
        self.deletion = Deletion(parts, TaskSender(flow.queues), flow._runtime)

    async def delete(self, job) -> None:
        """Cancels and deletes the job, and handles its task once."""
        with contextlib.suppress(Conflict):
            await self.flow.cancel(job)
        task = await self.deletion.delete_job(self.user_id, job.id, keeps_dataset=False)
        assert task is not None
        await self.deletion.handle(task, self.flow.deadline())

    async def left(self, job_id: str) -> list[str]:
        """The blobs and rows that have to do with a job."""
        flow = self.flow
        blobs = [info.name async for info in flow.blobs.list("") if f"job_{job_id}/" in info.name]
        tables = (
            ("jobs", self.user_id),
            ("jobs", "~work"),
            ("jobs", "~deleting"),
            ("jobs", f"~slots-{self.user_id}"),
            ("chunks", job_id),
            ("datasets", self.user_id),
            ("datasets", "~owners"),
            ("usage", self.user_id),
            ("deliveries", f"{self.user_id}~{job_id}"),
        )
        return blobs + [
            f"{table} {partition} {row.row}"
            for table, partition in tables
            async for row in flow.entities.query(table, partition)
            if job_id in f"{row.partition} {row.row} {row.values}"
        ]


@pytest.fixture
async def house(blobs, entities, unique, monkeypatch) -> House:
    monkeypatch.setattr(simulation, "MemoryBlobs", lambda _: blobs)
    monkeypatch.setattr(simulation, "MemoryEntities", lambda: entities)
    flow = simulation.Flow()
    await flow.add_user(unique)
    return House(flow, unique)


@pytest.mark.parametrize("state", [State.CRAWLING, State.ARCHIVING])
async def test_nothing_is_left_of_a_job_that_is_deleted_while_runs_work_for_it(house, unique, state):
    flow = house.flow
    for seed in range(3):
        chance = random.Random(seed)
        submission = Submission(unique, flow.specs.parse(SPEC), job_id=f"{unique}-{seed}")
        job = await flow.submit.run(submission)
        for _ in range(40):
            if (await flow.job(job)).state is state:
                break
            await flow.storm(chance, copies=False, deaths=False, at_once=1, rounds=1)
        assert (await flow.job(job)).state is state
        storm = flow.storm(chance, copies=True, deaths=False, at_once=6)
        await asyncio.gather(storm, house.delete(job))
        await flow.storm(chance, copies=True, deaths=False, at_once=6)
        assert await flow.jobs.get(unique, job.id) is None
        flow.clock.advance(3600)
        await house.deletion.handle(task_of(house, job), flow.deadline())
        assert await house.deletion.handle(task_of(house, job), flow.deadline()) is None
        assert await house.left(job.id) == []


def task_of(house, job):
    return house.deletion.kind.task(house.user_id, job.id)
