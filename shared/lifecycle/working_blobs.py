"""Deletes the working blobs of jobs that ended some days ago, through the queue, in slices.

With the working blobs of a job, the files of all revisions of its dataset are deleted except the recorded one: those
of earlier revisions, and those of revisions that were not completed. After that the job cannot be retried, so no new
revision can come.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.errors import AppError
from shared.jobs.archive_step.start import ArchiveStarts
from shared.jobs.job.rows import Work
from shared.jobs.job.states import State
from shared.jobs.ledger.job_data import JobData
from shared.lifecycle.blob_deletion import delete_blobs
from shared.lifecycle.messages import Task
from shared.lifecycle.task_queue import Again, Kind
from shared.records.blob_names import work_prefix
from shared.runtime import Runtime
from shared.telemetry import signals


@dataclass(frozen=True, slots=True)
class ClearWork(Task):
    """The task to look at the jobs that have working blobs, in order of id, behind the id `after`."""

    kind: ClassVar[str] = "clear_work"
    after: str = ""


class WorkingBlobs:
    """Clears jobs. Slices may be handled twice, also at the same time. A failure of one job does not stop the rest."""

    def __init__(self, data: JobData, catalog: Catalog, runtime: Runtime, *, retention_days: int) -> None:
        self._blobs = data.storage.blobs
        self._jobs = data.jobs
        self._ledger = data.ledger
        self._catalog = catalog
        self._starts = ArchiveStarts(data.storage.blobs, catalog)
        self._clock = runtime.clock
        self._telemetry = runtime.telemetry
        self._retention = timedelta(days=retention_days)

    @property
    def kind(self) -> Kind[ClearWork]:
        """The kind of task that it handles."""
        return Kind(ClearWork, self.handle)

    async def handle(self, task: ClearWork, deadline: Deadline) -> Again | None:
        """Clears jobs until the deadline passes; returns the further task, or None if all jobs were looked at.

        Raises:
            Unavailable: storage did not answer when the jobs were listed.
        """
        now, after = self._clock.now(), task.after
        async for work in self._jobs.works(after):
            if deadline.passed or not await self._clear_if_ended(work, now, deadline):
                return Again(ClearWork(after))
            after = work.job_id
        return None

    async def _clear_if_ended(self, work: Work, now: datetime, deadline: Deadline) -> bool:
        """Returns whether there is nothing left to do for the job, or it failed. Otherwise the deadline has passed."""
        before = now - self._retention
        if work.finished_at is None or work.finished_at >= before:
            return True
        try:
            # the files of earlier revisions are found by the job's working blobs once the hold is lifted
            if not await self._catalog.may_delete(work.user_id, work.job_id):
                return True
            if not await self._jobs.begin_clearing(work.job_id, before):
                return True
            return await self._clear(work, now, deadline)
        except AppError as error:
            signals.failure(self._telemetry, error, operation="clear_work", job_id=work.job_id)
            return True

    async def _clear(self, work: Work, now: datetime, deadline: Deadline) -> bool:
        """Deletes the working blobs and rows of a job that ended, and finally the row that the run finds it by.

        It returns whether all is deleted. Otherwise the deadline has passed, and the next slice goes on.

        This is idempotent. If the job recorded a dataset but did not complete, the dataset is taken back first: the
        blobs that this needs are deleted here, and the files of the dataset that counts again must not be deleted.
        """
        job = await self._jobs.get(work.user_id, work.job_id)
        if job is not None and job.state is not State.COMPLETED:
            await self._starts.take_back(job)
        if not await self._catalog.delete_other_revisions(work.user_id, work.job_id, now, deadline):
            return False
        if not await delete_blobs(self._blobs, work_prefix(work.job_id), deadline):
            return False
        await self._ledger.erase(work.job_id)
        await self._jobs.forget_work(work.job_id)
        return True
