"""Deletes users who are marked for deletion, and unless these are kept, their jobs, datasets and lists.

The jobs that a user has open are cancelled first. The jobs and datasets are deleted as their owner would delete them
(`shared.lifecycle.deletion`). The user comes last, when nothing else is left. So a run that dies is continued by the
next one, and a user whose dataset is under legal hold stays until the hold is lifted.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from shared.clock import Deadline
from shared.datasets.dataset import Dataset
from shared.errors import AppError, Conflict, NotFound
from shared.jobs.job.job import Job
from shared.lifecycle.blob_deletion import delete_blobs
from shared.lifecycle.deletion import Deletion, JobParts
from shared.records.blob_names import inputs_prefix
from shared.runtime import Runtime
from shared.storage.newest_first import Listing
from shared.telemetry import signals
from shared.users.deletions import Deletions
from shared.users.quotas.usage import UsageStore
from shared.users.user import User

_QUIET_AFTER = timedelta(hours=1)
_PAGE = 100


class _OutOfTimeError(Exception):
    """The deadline has passed."""


class Erasure:
    """Deletes users. It may run twice, also at the same time. A failure of one user does not stop the rest."""

    def __init__(
        self, users: Deletions, usage: UsageStore, jobs: JobParts, deletion: Deletion, runtime: Runtime
    ) -> None:
        self._users = users
        self._usage = usage
        self._parts = jobs
        self._deletion = deletion
        self._clock = runtime.clock
        self._telemetry = runtime.telemetry

    async def run(self, deadline: Deadline) -> int:
        """Deletes users until the deadline passes; returns how many are deleted completely.

        Raises:
            Unavailable: storage did not answer when the users were listed.
        """
        deleted = 0
        now = self._clock.now()
        async for user, since in self._users.pending(now):
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
        are_over = await self._end_jobs(user, deadline)
        if not (are_over and is_quiet):
            return False
        if not user.keeps_datasets and not await self._erase_datasets(user, deadline):
            return False
        await self._usage.erase(user.id)
        await self._parts.secrets.erase(user.id)
        await self._users.finish(user)
        return True

    async def _end_jobs(self, user: User, deadline: Deadline) -> bool:
        """Cancels open jobs, and deletes the others unless they are kept; returns whether no job was open."""
        are_open = False
        async for job in self._jobs(user.id):
            _check(deadline)
            if not job.state.terminal:
                await self._cancel(job)
                are_open = True
            elif not user.keeps_datasets:
                await self._delete_job(job, deadline)
        return not are_open

    async def _cancel(self, job: Job) -> None:
        try:
            await self._parts.transitions.cancel(job)
        except Conflict:
            # it has ended meanwhile
            return

    async def _delete_job(self, job: Job, deadline: Deadline) -> None:
        try:
            task = await self._deletion.delete_job(job.user_id, job.id, keeps_dataset=False)
        except (Conflict, NotFound):
            # its dataset is under legal hold, or another run has deleted it
            return
        if task is not None:
            await self._deletion.handle(task, deadline)

    async def _erase_datasets(self, user: User, deadline: Deadline) -> bool:
        """Deletes datasets whose jobs have no row, and all that is stored beside jobs; returns whether that is done."""
        async for dataset in self._datasets(user.id):
            _check(deadline)
            await self._delete_dataset(dataset, deadline)
        if await self._parts.data.jobs.has_any(user.id):
            return False
        async for _ in self._datasets(user.id):
            return False
        await self._parts.catalog.erase_all(user.id)
        await self._parts.keys.erase(user.id)
        await self._parts.transitions.erase_slots(user.id)
        if not await delete_blobs(self._parts.data.storage.blobs, inputs_prefix(user.id), deadline):
            raise _OutOfTimeError
        await self._parts.lists.erase(user.id)
        return True

    async def _delete_dataset(self, dataset: Dataset, deadline: Deadline) -> None:
        try:
            task = await self._deletion.delete_dataset(dataset.user_id, dataset.id)
        except (Conflict, NotFound):
            # it is under legal hold, or another run has deleted it
            return
        await self._deletion.handle(task, deadline)

    def _jobs(self, user_id: str) -> AsyncIterator[Job]:
        return _items(lambda after: self._parts.data.jobs.page(user_id, after, _PAGE))

    def _datasets(self, user_id: str) -> AsyncIterator[Dataset]:
        return _items(lambda after: self._parts.catalog.page(user_id, after, _PAGE, also_deleting=True))


async def _items[Item](read_page: Callable[[str], Awaitable[Listing[Item]]]) -> AsyncIterator[Item]:
    after: str | None = ""
    while after is not None:
        page = await read_page(after)
        for item in page.items:
            yield item
        after = page.more_after


def _check(deadline: Deadline) -> None:
    if deadline.passed:
        raise _OutOfTimeError
