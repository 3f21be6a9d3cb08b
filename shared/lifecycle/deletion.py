"""Deletes jobs and datasets: for their owners, for policies, and with their users. No other module does.

Whoever asks for a deletion marks the rows and sends a task. From then on nobody finds the job or the dataset. The task
deletes the blobs in slices. A run that still works for the job may write more of them until an hour after the job's
end. So the task deletes the blobs at once, and once more after that hour. Then it deletes the rows, and finally it
takes the id off the list of what is being deleted. A task that is lost is sent again by the nightly run.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import Conflict, NotFound
from shared.ids import PlainId
from shared.jobs.flow.transitions import Transitions
from shared.jobs.job.deletions import JobDeletions
from shared.jobs.job.job import Job
from shared.jobs.job.keys import JobKeys
from shared.jobs.ledger.job_data import JobData
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.jobs.webhooks.delivery_store import DeliveryStore
from shared.jobs.webhooks.signing_secrets import SigningSecrets
from shared.lifecycle.blob_deletion import delete_blobs
from shared.lifecycle.messages import Task, TaskSender
from shared.lifecycle.task_queue import Again, Kind
from shared.records.blob_names import dataset_of, dataset_prefix, derived_from, derived_prefix, work_prefix
from shared.runtime import Runtime

QUIET_AFTER = timedelta(hours=1)
"""How long after a job's end a run may still write blobs for it."""
# no function runs that long (`functionTimeout`): whoever listed an id has marked what is deleted, or has died
_MARKED_AFTER = timedelta(minutes=15)
# a task that waits until it is quiet is not lost
_LOST_AFTER = 2 * QUIET_AFTER


@dataclass(frozen=True, slots=True)
class DeleteTask(Task):
    """Asks for the deletion of what is marked of a job and its dataset."""

    kind: ClassVar[str] = "delete"
    user_id: PlainId
    job_id: PlainId


@dataclass(frozen=True, slots=True)
class JobParts:
    """The services that end jobs and delete their stored data."""

    data: JobData
    keys: JobKeys
    transitions: Transitions
    catalog: Catalog
    deletions: JobDeletions
    deliveries: DeliveryStore
    secrets: SigningSecrets
    lists: UploadedLists


@dataclass(frozen=True, slots=True)
class _Marked:
    """What is stored of a job and its dataset. `dataset` is also set if it is kept."""

    task: DeleteTask
    job: Job | None
    dataset: Dataset | None

    @property
    def deletes_job(self) -> bool:
        return self.job is not None and self.job.deleting_since is not None

    @property
    def deletes_dataset(self) -> bool:
        return self.dataset is not None and self.dataset.keeping.deleting_since is not None


class Deletion:
    """Deletes jobs and datasets. Every method may be repeated, run at the same time, and die at any line."""

    def __init__(self, parts: JobParts, sender: TaskSender, runtime: Runtime) -> None:
        self._parts = parts
        self._jobs = parts.data.jobs
        self._catalog = parts.catalog
        self._deletions = parts.deletions
        self._blobs = parts.data.storage.blobs
        self._sender = sender
        self._clock = runtime.clock

    async def delete_job(self, user_id: str, name: str, *, keeps_dataset: bool) -> DeleteTask | None:
        """Begins the deletion of a job that has ended; returns the task that was sent.

        It returns None if the job had nothing but its row, which is deleted then. `name` may be any name of the job.

        Raises:
            NotFound: this user has no such job.
            Conflict: the job has not ended, or its dataset is under legal hold.
        """
        job = await self._jobs.get(user_id, name, also_deleting=True)
        if job is None:
            job = await self._parts.keys.find(user_id, name)
        dataset = await self._catalog.get(user_id, job.id, also_deleting=True)
        _refuse_held(dataset)
        if job.deleting_since is None:
            job = await self._deletions.block_retries(job)
            await self._parts.transitions.give_back(job)
            if dataset is None and not await self._jobs.owns_work(job):
                await self._erase_job(job)
                return None
        now = self._clock.now()
        await self._deletions.enlist(user_id, job.id, now)
        if dataset is not None and not keeps_dataset:
            await self._catalog.begin_deletion(user_id, job.id, now)
        await self._deletions.mark(job, now, keeps_dataset=keeps_dataset and dataset is not None)
        return await self.send(user_id, job.id)

    async def delete_dataset(self, user_id: str, dataset_id: str) -> DeleteTask:
        """Begins the deletion of a dataset; returns the task that was sent.

        Its job stays, but without its working blobs: it cannot be retried any more.

        Raises:
            NotFound: this user has no such dataset.
            Conflict: its job is being retried, or the dataset is under legal hold.
        """
        await self.mark_dataset(user_id, dataset_id, self._clock.now())
        return await self.send(user_id, dataset_id)

    async def mark_dataset(
        self, user_id: str, dataset_id: str, now: datetime, *, only_as: Dataset | None = None
    ) -> Dataset:
        """Marks a dataset as being deleted since `now`; returns it. `send` must follow.

        With `only_as`, a dataset that is no longer recorded as this one is not marked.

        Raises:
            NotFound: this user has no such dataset.
            Conflict: its job is being retried, or the dataset is under legal hold or no longer `only_as`.
        """
        dataset = await self._catalog.get(user_id, dataset_id, also_deleting=True)
        if dataset is None:
            raise NotFound(f"There is no dataset {dataset_id}.")
        if dataset.keeping.deleting_since is None:
            _refuse_held(dataset)
            if only_as is not None and dataset != only_as:
                raise Conflict(f"The dataset {dataset_id} was changed or used just now.")
            job = await self._jobs.get(user_id, dataset_id)
            if job is not None:
                await self._deletions.block_retries(job)
        await self._deletions.enlist(user_id, dataset_id, self._clock.now())
        return await self._catalog.begin_deletion(user_id, dataset_id, now, only_as=only_as)

    async def resume(self, deadline: Deadline) -> None:
        """Sends a task for each id that was listed two hours ago or earlier, in case its task was lost."""
        async for listed in self._deletions.listed():
            if deadline.passed:
                return
            if self._clock.now() - listed.since > _LOST_AFTER:
                await self.send(listed.user_id, listed.job_id)

    async def send(self, user_id: str, job_id: str) -> DeleteTask:
        """Sends the task to delete what is marked of a job and its dataset; returns the task. It may be sent again."""
        task = DeleteTask(user_id, job_id)
        await self._sender.send(task)
        return task

    @property
    def kind(self) -> Kind[DeleteTask]:
        """The kind of task that it handles."""
        return Kind(DeleteTask, self.handle)

    async def handle(self, task: DeleteTask, deadline: Deadline) -> Again | None:
        """Deletes what is marked until the deadline passes; returns the further task if something is left.

        Raises:
            Unavailable: storage did not answer; the task should be run again.
        """
        marked = await self._find(task)
        if not (marked.deletes_job or marked.deletes_dataset):
            return await self._unlist(task, deadline)
        if marked.job is None or marked.deletes_job:
            # this also ends the attempts to call its webhook
            await self._parts.deliveries.erase(task.user_id, task.job_id)
        wait = self._seconds_until_quiet(marked)
        if not await self._delete_blobs(marked, deadline, is_quiet=not wait):
            return Again(task)
        if wait:
            return Again(task, wait)
        await self._erase_rows(marked)
        return await self._unlist(task, deadline)

    async def _find(self, task: DeleteTask) -> _Marked:
        """Reads what is marked.

        A dataset that a late run has recorded since its job was marked, and that the deletion does not keep, is marked
        here.
        """
        job = await self._jobs.get(task.user_id, task.job_id, also_deleting=True)
        dataset = await self._catalog.get(task.user_id, task.job_id, also_deleting=True)
        marked = _Marked(task, job, dataset)
        if (
            job is None
            or job.keeps_dataset
            or dataset is None
            or not marked.deletes_job
            or marked.deletes_dataset
        ):
            return marked
        try:
            dataset = await self._catalog.begin_deletion(task.user_id, task.job_id, self._clock.now())
        except Conflict:
            # It is under legal hold already, and stays.
            return marked
        return _Marked(task, job, dataset)

    def _seconds_until_quiet(self, marked: _Marked) -> float:
        """Returns for how long a run may still write blobs. A job without a row was deleted after that."""
        if marked.job is None:
            return 0.0
        return max(0.0, (marked.job.updated_at + QUIET_AFTER - self._clock.now()).total_seconds())

    async def _delete_blobs(self, marked: _Marked, deadline: Deadline, *, is_quiet: bool) -> bool:
        """Deletes working blobs and the dataset's; returns whether all are deleted.

        A late run may undo the revision that it has recorded of a dataset that is kept. So the files of its other
        revisions are deleted only when it is quiet.
        """
        job_id, dataset = marked.task.job_id, marked.dataset
        if not await delete_blobs(self._blobs, work_prefix(job_id), deadline):
            return False
        if dataset is None or marked.deletes_dataset:
            of_dataset = await delete_blobs(self._blobs, dataset_prefix(job_id), deadline)
            return of_dataset and await delete_blobs(self._blobs, derived_prefix(job_id), deadline)
        if not is_quiet or dataset.keeping.legal_hold:
            return True
        recorded = dataset.id, dataset.revision
        of_dataset = await delete_blobs(
            self._blobs, dataset_prefix(job_id), deadline, lambda info: dataset_of(info.name) == recorded
        )
        return of_dataset and await delete_blobs(
            self._blobs, derived_prefix(job_id), deadline, lambda info: derived_from(info.name) == recorded
        )

    async def _erase_rows(self, marked: _Marked) -> None:
        """Deletes the rows of what is marked. The job's own row is the last one, since it says what is left to do."""
        job, dataset = marked.job, marked.dataset
        if dataset is not None and marked.deletes_dataset:
            await self._catalog.erase(dataset.user_id, dataset.id, dataset.created_at)
        if job is None or not marked.deletes_job:
            return
        if dataset is None:
            # a revision that did not complete leaves an empty row
            await self._catalog.erase(job.user_id, job.id, job.created_at)
        await self._parts.data.ledger.erase(job.id)
        await self._jobs.forget_work(job.id)
        await self._erase_job(job)

    async def _erase_job(self, job: Job) -> None:
        await self._parts.keys.forget(job)
        await self._jobs.erase(job)

    async def _unlist(self, task: DeleteTask, deadline: Deadline) -> Again | None:
        """Removes an id of which nothing is left from the list of deletions, once no call can still mark more of it.

        A call that showed the dataset when its deletion began may have died after it had stored a small image. So the
        blobs that are derived from a deleted dataset are deleted once more.
        """
        listed = await self._deletions.find(task.job_id)
        if listed is None or listed.user_id != task.user_id:
            return None
        wait = (listed.since + _MARKED_AFTER - self._clock.now()).total_seconds()
        if wait > 0:
            return Again(task, wait)
        is_gone = await self._catalog.owner(task.job_id) is None
        if is_gone and not await delete_blobs(self._blobs, derived_prefix(task.job_id), deadline):
            return Again(task)
        await self._deletions.unlist(listed)
        return None


def _refuse_held(dataset: Dataset | None) -> None:
    """Refuses to delete a dataset under legal hold, and its job, which says how the dataset was made.

    Raises:
        Conflict: it is under legal hold.
    """
    if dataset is not None and dataset.keeping.legal_hold:
        raise Conflict(
            f"The dataset {dataset.id} is under legal hold; neither it nor its job can be deleted."
        )
