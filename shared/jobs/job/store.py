"""Stores jobs: a table row for each, and its spec as a blob beside the job's working blobs.

Each job that has working blobs has an index row in the partition `~work`. It is written before the job's own row, and
deleted after the working blobs. By it, the watchdog finds the unfinished jobs of all users, and the deletion of working
blobs finds the finished ones. User ids never begin with `~`. One transaction writes a job's row and the mark that lists
it (`newest_first`).
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from shared.concurrency import task_group
from shared.damage import reading
from shared.errors import AlreadyExists, Changed, Conflict, NotFound, Unavailable
from shared.jobs.job.job import Job, WebhookState
from shared.jobs.job.job_filter import ALL_JOBS, JobFilter
from shared.jobs.job.rows import (
    DELETING,
    WORK,
    Work,
    job_from_entity,
    job_to_entity,
    unfinished,
    work_from_entity,
    work_to_entity,
)
from shared.jobs.spec.spec import JobSpec, SpecReader, encode_spec
from shared.jobs.spec.stored_spec import decode_stored_spec
from shared.records.blob_names import dataset_prefix, spec_blob
from shared.storage.blobs import BlobAttributes, BlobStore
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Delete, Entity, EntityStore, Insert, Put, Replace
from shared.storage.newest_first import Listing, Span, end_of, mark, newest_first, place_of, unmark

_TABLE = "jobs"
WORK_IS_DELETED = "The job's working files are being deleted just now; try again in some minutes."
WORK_IS_GONE = "The job's working files are deleted; submit it again."


class JobStore:
    """Stores jobs and their specs. Changes are compare-and-swaps."""

    def __init__(self, entities: EntityStore, blobs: BlobStore, specs: SpecReader) -> None:
        self._entities = entities
        self._blobs = blobs
        self._specs = specs

    async def create(self, job: Job, spec: JobSpec, *, is_new_id: bool = False) -> Job:
        """Writes the spec, the index row and then the job, so that every visible job is complete; returns the job.

        Pass `is_new_id=True` only for a random id, which nothing else can have. It is not looked for then.

        Raises:
            AlreadyExists: the user has a job of this id, or another user has files under it, or there is something
                left of a deleted job or dataset of this id. Nothing was changed.
        """
        if not is_new_id:
            await self._check_unused(job)
        name, data = spec_blob(job.id), encode_spec(spec)
        try:
            await self._blobs.put(name, data, BlobAttributes("application/json"), overwrite=False)
        except AlreadyExists:
            work = await self._entities.get(_TABLE, WORK, job.id)
            others = work is not None and work_from_entity(work).user_id != job.user_id
            if others or await self._blobs.get(name) != data:
                raise
        # This is read after the spec is written: a deletion that is listed later finds the spec and the new job.
        if not is_new_id and await self._entities.get(_TABLE, DELETING, job.id) is not None:
            await self._blobs.delete(name)
            raise AlreadyExists(f"What had the id {job.id} is still being deleted.")
        await self._put_work(unfinished(job))
        try:
            return await self._insert(job)
        except Unavailable:
            # Only the answer may be lost. The stored spec is this one, so a stored job is this one, too.
            stored = await self.get(job.user_id, job.id)
            if stored is None:
                raise
            return stored

    async def create_ended(self, job: Job) -> bool:
        """Writes a job that has ended and has no files; returns False if the user has a job of this id already."""
        try:
            await self._insert(job)
        except AlreadyExists:
            return False
        return True

    async def get(self, user_id: str, job_id: str, *, also_deleting: bool = False) -> Job | None:
        """Returns the job, or None if this user has no job of that id.

        A job whose deletion has begun is returned to those only who ask for it.
        """
        entity = await self._entities.get(_TABLE, user_id, job_id)
        job = job_from_entity(entity) if entity else None
        return job if job is None or job.deleting_since is None or also_deleting else None

    async def require(self, user_id: str, job_id: str) -> Job:
        """Returns the job.

        Raises:
            NotFound: this user has no such job.
        """
        job = await self.get(user_id, job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id}.")
        return job

    async def spec(self, job_id: str) -> JobSpec:
        """Reads the job's spec.

        Raises:
            NotFound: its working blobs are gone.
            Damaged: it cannot be read.
        """
        return await decode_stored_spec(await self._blobs.get(spec_blob(job_id)), self._specs)

    async def needed_spec(self, job_id: str) -> JobSpec:
        """Reads the spec of a job that has not ended, so its working blobs must exist.

        Raises:
            Damaged: it is gone or cannot be read.
        """
        with reading("the job's spec"):
            return await self.spec(job_id)

    async def save(self, job: Job) -> Job:
        """Replaces the stored job with the version `job.etag`; returns the job with its new version.

        The index row of a job that has ended stays unfinished until its end is announced to its webhook, so the
        watchdog finds the job until then.

        Raises:
            Changed: another call has changed the job since it was read.
        """
        (etag,) = await self._entities.apply(_TABLE, job.user_id, [Replace(job_to_entity(job))])
        if job.state.terminal and job.webhook is not WebhookState.PENDING:
            await self._note_end(job)
        return replace(job, etag=etag)

    async def swap[Result](self, job: Job, change: Callable[[Job], Awaitable[Result]]) -> Result:
        """Changes the stored job by compare-and-swap; returns what `change` returns.

        `change` is called with `job`, and after each conflict again with the stored job.

        Raises:
            NotFound: there is no such job.
            Unavailable: its row is too busy.
        """
        busy = "The job's record is too busy."
        return await compare_and_swap(lambda: self.require(job.user_id, job.id), change, busy=busy, known=job)

    async def reopen(self, job: Job, spec: JobSpec | None = None) -> Job:
        """Replaces a stored job that has ended by `job`, which has not; returns the job with its new version.

        The index row is written before, so the working blobs are not deleted, and again after, so the watchdog finds
        the job. It names the new revision, so the end of the earlier one is no longer noted in it. With a `spec`, the
        job needs no working blobs of its earlier revisions, so they may have been deleted.

        Raises:
            Changed: another call has changed the job since it was read.
            Conflict: its working blobs are deleted, or are being deleted.
        """
        stored = await self._entities.get(_TABLE, WORK, job.id)
        work = work_from_entity(stored) if stored else None
        if work is None and spec is not None:
            await self._entities.apply(_TABLE, WORK, [Insert(work_to_entity(unfinished(job)))])
        elif work is None or not work.serves(job):
            raise Conflict(WORK_IS_GONE if spec is None else WORK_IS_DELETED)
        else:
            await self._replace_work(replace(unfinished(job), etag=work.etag))
        if spec is not None:
            await self._blobs.put(spec_blob(job.id), encode_spec(spec), BlobAttributes("application/json"))
        (etag,) = await self._entities.apply(_TABLE, job.user_id, [Replace(job_to_entity(job))])
        await self._put_work(unfinished(job))
        return replace(job, etag=etag)

    async def keeps_work(self, job: Job) -> bool:
        """Returns whether the working blobs that a retry of the job needs exist."""
        stored = await self._entities.get(_TABLE, WORK, job.id)
        if stored is None or not work_from_entity(stored).serves(job):
            return False
        return await self._blobs.info(spec_blob(job.id)) is not None

    async def owns_work(self, job: Job) -> bool:
        """Returns whether the working blobs under the job's id are its own. They may be of another user's job."""
        stored = await self._entities.get(_TABLE, WORK, job.id)
        return stored is not None and work_from_entity(stored).user_id == job.user_id

    async def has_any(self, user_id: str) -> bool:
        """Returns whether the user has any job, also one whose deletion has begun."""
        async for _ in self._entities.query(_TABLE, user_id):
            return True
        return False

    async def erase(self, job: Job) -> None:
        """Deletes the row of a job that has no blobs and no ledger any more. Idempotent."""
        listed = unmark(place_of(job.id, job.created_at))
        with contextlib.suppress(Changed):
            await self._entities.apply(_TABLE, job.user_id, [Delete(job.id), listed])

    async def page(
        self, user_id: str, after: str = "", size: int = 100, wanted: JobFilter = ALL_JOBS
    ) -> Listing[Job]:
        """Returns up to `size` of the user's jobs after the cursor `after`, the newest first by time of creation.

        With a filter there may be fewer, though more follow: a call reads some hundred jobs at most.
        """

        def read(entity: Entity) -> Job | None:
            job = job_from_entity(entity)
            return job if job.deleting_since is None and wanted.matches(job) else None

        end = end_of(wanted.since) if wanted.since else ""
        return await newest_first(self._entities, _TABLE, user_id, read, Span(after, end, size))

    async def works(self, after: str = "") -> AsyncIterator[Work]:
        """Yields the index rows of all jobs that have working blobs, of all users."""
        async for entity in self._entities.query(_TABLE, WORK, after=after):
            yield work_from_entity(entity)

    async def mark_finished(self, work: Work, now: datetime) -> None:
        """Marks the index row of a job as finished, if the job has ended or was never created.

        Nothing happens if the row has changed since it was read, for example by a retry.
        """
        with contextlib.suppress(Changed):
            await self._replace_work(replace(work, finished_at=now))

    async def begin_clearing(self, job_id: str, moment: datetime) -> bool:
        """Prevents retries of the job from now on, so its working blobs can be deleted.

        Returns:
            Whether they may be deleted: the job ended before the moment, and was not retried. The job's own row
            decides; if the index row differs from it, the index row is corrected.
        """
        stored = await self._entities.get(_TABLE, WORK, job_id)
        work = work_from_entity(stored) if stored else None
        if work is None or work.finished_at is None or work.finished_at >= moment:
            return False
        try:
            await self._replace_work(replace(work, clearing=True))
        except Changed:
            return False
        job = await self.get(work.user_id, job_id)
        if job is not None and not job.state.terminal:
            await self._put_work(unfinished(job))
            return False
        return True

    async def forget_work(self, job_id: str) -> None:
        """Deletes the index row, after the working blobs are deleted. Idempotent."""
        with contextlib.suppress(Changed):
            await self._entities.apply(_TABLE, WORK, [Delete(job_id)])

    async def _check_unused(self, job: Job) -> None:
        """Raises `AlreadyExists` if the user has a job of this id, or there are files of a dataset of this id."""
        async with task_group() as group:
            listing = group.create_task(self._a_file_of(job.id))
            stored = await self.get(job.user_id, job.id, also_deleting=True)
        if stored is not None:
            raise AlreadyExists(f"There is a job {job.id} already.")
        # A dataset stays longer than the spec of its job.
        if listing.result() is not None:
            raise AlreadyExists(f"There is {listing.result()} already.")

    async def _a_file_of(self, job_id: str) -> str | None:
        """Returns the name of a file of the job's dataset; None if there is none."""
        async for blob in self._blobs.list(dataset_prefix(job_id)):
            return blob.name
        return None

    async def _note_end(self, job: Job) -> None:
        """Writes in the index row that this revision has ended, unless a later one or the deletion has begun."""
        running = unfinished(job)

        async def note(stored: Entity | None) -> None:
            work = work_from_entity(stored) if stored is not None else None
            if work is not None and work.is_of(job) and not work.clearing:
                await self._replace_work(replace(running, finished_at=job.updated_at, etag=work.etag))

        busy = "The job's index row is too busy."
        await compare_and_swap(lambda: self._entities.get(_TABLE, WORK, job.id), note, busy=busy)

    async def _insert(self, job: Job) -> Job:
        """Writes the job's row, and the mark that lists it; returns the job with its version."""
        listed = mark(job.user_id, place_of(job.id, job.created_at))
        etags = await self._entities.apply(_TABLE, job.user_id, [Insert(job_to_entity(job)), listed])
        return replace(job, etag=etags[0])

    async def _put_work(self, work: Work) -> None:
        await self._entities.apply(_TABLE, WORK, [Put(work_to_entity(work))])

    async def _replace_work(self, work: Work) -> None:
        await self._entities.apply(_TABLE, WORK, [Replace(work_to_entity(work))])
