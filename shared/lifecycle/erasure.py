"""Deletes users who are marked for deletion, and unless these are kept, their jobs, datasets and lists.

The jobs that a user has open are cancelled first. A run that works for a job notices that within seconds, but it may
still write a blob until then. So the job is deleted only in a run an hour later at least, which is the next night. Of
each job, the blobs are deleted before the rows by which they are found, and the user comes last. So a run that dies is
continued by the next one.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import AppError, Conflict
from shared.jobs.flow.transitions import Transitions
from shared.jobs.job.job import Job
from shared.jobs.job.keys import JobKeys
from shared.jobs.ledger.job_data import JobData
from shared.records.blob_names import dataset_prefix, inputs_prefix, work_prefix
from shared.runtime import Runtime
from shared.telemetry import signals
from shared.users.deletions import Deletions
from shared.users.quotas.usage import UsageStore
from shared.users.user import User

_QUIET_AFTER = timedelta(hours=1)
_PAGE = 100


@dataclass(frozen=True, slots=True)
class JobParts:
    """The services that end jobs and delete their stored data."""

    data: JobData
    keys: JobKeys
    transitions: Transitions
    catalog: Catalog


class _OutOfTimeError(Exception):
    """The deadline has passed."""


class Erasure:
    """Deletes users. It may run twice, also at the same time. A failure of one user does not stop the rest."""

    def __init__(self, deletions: Deletions, usage: UsageStore, jobs: JobParts, runtime: Runtime) -> None:
        self._deletions = deletions
        self._usage = usage
        self._parts = jobs
        self._clock = runtime.clock
        self._telemetry = runtime.telemetry

    async def run(self, deadline: Deadline) -> int:
        """Delete users until the deadline passes; returns how many are deleted completely.

        Raises:
            Unavailable: storage did not answer when the users were listed.
        """
        deleted = 0
        now = self._clock.now()
        async for user, since in self._deletions.pending(now):
            try:
                is_quiet = now - since >= _QUIET_AFTER
                deleted += await self._erase(user, deadline, is_quiet=is_quiet)
            except _OutOfTimeError:
                break
            except AppError as error:
                signals.failure(self._telemetry, error, operation="erase_user", user_id=user.id)
        return deleted

    async def _erase(self, user: User, deadline: Deadline, *, is_quiet: bool) -> bool:
        """Returns whether the user is deleted. Otherwise the next run continues.

        Soon after the user was marked, `is_quiet` is false: calls of the user may still submit jobs.
        """
        waits = not is_quiet
        async for job in self._jobs(user.id):
            _check(deadline)
            if not job.state.terminal:
                await self._cancel(job)
                waits = True
            elif user.keeps_datasets:
                continue
            elif self._clock.now() - job.updated_at < _QUIET_AFTER:
                waits = True
            else:
                await self._erase_job(job, deadline)
        if waits:
            return False
        if not user.keeps_datasets:
            async for dataset in self._datasets(user.id):
                await self._erase_dataset(dataset, deadline)
            await self._parts.catalog.erase_all(user.id)
            await self._parts.keys.erase(user.id)
            await self._parts.transitions.erase_slots(user.id)
            await self._delete_blobs(inputs_prefix(user.id), deadline)
        await self._usage.erase(user.id)
        await self._deletions.finish(user)
        return True

    async def _cancel(self, job: Job) -> None:
        try:
            await self._parts.transitions.cancel(job)
        except Conflict:
            # it has ended meanwhile
            return

    async def _erase_job(self, job: Job, deadline: Deadline) -> None:
        """Delete the job with its blobs. If it has none, blobs under its id may be those of another user's job."""
        parts = self._parts
        dataset = await parts.catalog.get(job.user_id, job.id)
        owns_work = await parts.data.jobs.owns_work(job)
        if owns_work or dataset is not None:
            await self._delete_blobs(dataset_prefix(job.id), deadline)
        if dataset is not None:
            await parts.catalog.erase(dataset)
        if owns_work:
            await self._delete_blobs(work_prefix(job.id), deadline)
            await parts.data.ledger.erase(job.id)
            await parts.data.jobs.forget_work(job.id)
        await parts.data.jobs.erase(job)

    async def _erase_dataset(self, dataset: Dataset, deadline: Deadline) -> None:
        """Delete a dataset whose job has no row."""
        await self._delete_blobs(dataset_prefix(dataset.id), deadline)
        await self._parts.catalog.erase(dataset)

    async def _delete_blobs(self, prefix: str, deadline: Deadline) -> None:
        blobs = self._parts.data.storage.blobs
        async for info in blobs.list(prefix):
            _check(deadline)
            await blobs.delete(info.name)

    async def _jobs(self, user_id: str) -> AsyncIterator[Job]:
        after: str | None = ""
        while after is not None:
            page = await self._parts.data.jobs.page(user_id, after, _PAGE)
            for job in page.items:
                yield job
            after = page.more_after

    async def _datasets(self, user_id: str) -> AsyncIterator[Dataset]:
        after: str | None = ""
        while after is not None:
            page = await self._parts.catalog.page(user_id, after, _PAGE)
            for dataset in page.items:
                yield dataset
            after = page.more_after


def _check(deadline: Deadline) -> None:
    if deadline.passed:
        raise _OutOfTimeError
