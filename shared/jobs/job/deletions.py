"""Marks jobs that are deleted, and lists the ids of jobs and datasets of which something may be left.

The list is the partition `~deleting` of the table `jobs`, with a row for each id. A row is written before anything is
marked, and deleted after everything else. So all that is marked is found there, and nobody gives a listed id to a new
job, whose files would be deleted, too. User ids never begin with `~`.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import Changed, Conflict, NotFound
from shared.jobs.job.job import Job
from shared.jobs.job.rows import DELETING, WORK, job_to_entity, unfinished, work_from_entity, work_to_entity
from shared.jobs.job.store import JobStore
from shared.storage.cells import as_datetime
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Delete, Entity, EntityStore, Put, Replace

_TABLE = "jobs"


@dataclass(frozen=True, slots=True)
class Listed:
    """An id in the list: of a job, of its dataset, or of both. `since` is when it was last asked to delete them."""

    job_id: str
    user_id: str
    since: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class JobDeletions:
    """The deletions of jobs. Every method may be repeated, and run at the same time."""

    entities: EntityStore
    jobs: JobStore

    async def block_retries(self, job: Job) -> Job:
        """Prevents retries of a job that has ended, from now on; returns the stored job.

        The index row of its working blobs says so to retries that come later. A retry that has read that row before
        fails because the job's own row is written, too.

        Raises:
            Conflict: the job has not ended, or is retried just now.
            NotFound: there is no such job.
        """
        if not job.state.terminal:
            raise Conflict(_running(job))

        async def block(entity: Entity | None) -> None:
            work = work_from_entity(entity) if entity else None
            if work is not None and work.serves(job):
                await self._apply(WORK, Replace(work_to_entity(replace(work, clearing=True))))

        async def touch(stored: Job) -> Job:
            if not stored.state.terminal:
                await self._apply(WORK, Put(work_to_entity(unfinished(stored))))
                raise Conflict(_running(stored))
            return stored if stored.deleting_since is not None else await self._save(stored)

        busy = "The job's index row is too busy."
        await compare_and_swap(lambda: self.entities.get(_TABLE, WORK, job.id), block, busy=busy)
        return await self._change(job, touch)

    async def mark(self, job: Job, now: datetime, *, keeps_dataset: bool) -> Job:
        """Marks a job as being deleted; returns the stored job. Only those who ask for such jobs find it from then on.

        Its retries must be blocked. If it is marked already, its dataset is kept only if all calls keep it.

        Raises:
            NotFound: there is no such job.
        """

        async def mark(stored: Job) -> Job:
            if stored.deleting_since is None:
                return await self._save(replace(stored, deleting_since=now, keeps_dataset=keeps_dataset))
            if stored.keeps_dataset and not keeps_dataset:
                return await self._save(replace(stored, keeps_dataset=False))
            return stored

        return await self._change(job, mark)

    async def enlist(self, user_id: str, job_id: str, now: datetime) -> None:
        """Adds an id to the list, before anything is marked."""
        await self._apply(DELETING, Put(Entity(DELETING, job_id, {"user_id": user_id, "since": now})))

    async def listed(self) -> AsyncIterator[Listed]:
        """Yields all ids of the list."""
        async for row in self.entities.query(_TABLE, DELETING):
            yield _read(row)

    async def find(self, job_id: str) -> Listed | None:
        """Returns the id as it is listed, or None if it is not."""
        row = await self.entities.get(_TABLE, DELETING, job_id)
        return _read(row) if row else None

    async def unlist(self, listed: Listed) -> None:
        """Takes an id off the list, after the last row and blob are deleted, unless it was listed again since."""
        with contextlib.suppress(Changed):
            await self._apply(DELETING, Delete(listed.job_id, listed.etag))

    async def _change(self, job: Job, change: Callable[[Job], Awaitable[Job]]) -> Job:
        async def read() -> Job:
            stored = await self.jobs.get(job.user_id, job.id, also_deleting=True)
            if stored is None:
                raise NotFound(f"There is no job {job.id}.")
            return stored

        return await compare_and_swap(read, change, busy="The job's record is too busy.", known=job)

    async def _save(self, job: Job) -> Job:
        (etag,) = await self.entities.apply(_TABLE, job.user_id, [Replace(job_to_entity(job))])
        return replace(job, etag=etag)

    async def _apply(self, partition: str, change: Put | Replace | Delete) -> None:
        await self.entities.apply(_TABLE, partition, [change])


def _running(job: Job) -> str:
    """Returns why a job that has not ended cannot be deleted, nor its dataset."""
    return f"The job is {job.state}; cancel it before you delete it or its dataset."


def _read(row: Entity) -> Listed:
    return Listed(row.row, str(row.values["user_id"]), as_datetime(row.values["since"]), row.etag)
