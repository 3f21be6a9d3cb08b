"""Retries a job that has ended, if the retry may have another result.

The job goes back to its queue, with its next revision. Its discovery has candidates tried again that failed for a
transient reason, continues if it was not complete, and asks the sources again that it gave up. Chunks that were not
crawled are crawled. Kept images are not fetched again. The dataset of the earlier revision stays until the new one is
complete.
"""

from shared.clock import Clock
from shared.datasets.catalog import Catalog
from shared.errors import Conflict, Damaged
from shared.jobs.flow.quotas import Quotas
from shared.jobs.job.failures import DAMAGED, NO_IMAGES, OVER_QUOTA, REFUSED
from shared.jobs.job.job import Job
from shared.jobs.job.messages import JOBS_QUEUE, message_of
from shared.jobs.job.states import State
from shared.jobs.job.store import WORK_IS_GONE
from shared.jobs.ledger.job_data import JobData
from shared.jobs.ledger.report import DiscoveryReport
from shared.jobs.ledger.rows import Progress
from shared.telemetry.correlation import current_origin

_REFUSALS = {
    REFUSED: "This job stands for a message that is not valid; send it again, corrected.",
    OVER_QUOTA: "This job stands for a message that was over the quota; send it again when there is room.",
}


class Retry:
    """Retries jobs. A call during a retry does not start a second one."""

    def __init__(self, data: JobData, catalog: Catalog, quotas: Quotas, clock: Clock) -> None:
        self._data = data
        self._catalog = catalog
        self._quotas = quotas
        self._clock = clock

    async def run(self, user_id: str, job_id: str) -> Job:
        """Puts the job back on its queue; returns the stored job.

        Raises:
            NotFound: this user has no such job.
            Conflict: it runs for the first time, there is nothing to retry, its working files are gone, or its dataset
                is under legal hold.
            Forbidden: the owner is not an active user.
            QuotaExceeded: the owner's tier leaves no room.
        """

        async def reopen(stored: Job) -> Job:
            if not stored.state.terminal:
                return stored
            progress, report = (
                await self._data.ledger.progress(stored.id),
                await self._data.ledger.report(stored.id),
            )
            await self._check(stored, progress, report)
            await self._check_state(stored)
            if not await self._catalog.may_delete(stored.user_id, stored.id):
                raise Conflict("The job's dataset is under legal hold; a retry would replace it.")
            return await self._reopen(stored)

        job = await self._data.jobs.swap(await self._data.jobs.require(user_id, job_id), reopen)
        if job.revision == 1:
            raise Conflict(f"The job is {job.state}; only a job that has ended can be retried.")
        if job.state is State.QUEUED:
            await self._data.storage.queues.send(JOBS_QUEUE, message_of(job))
        return job

    async def _reopen(self, stored: Job) -> Job:
        """Reserves for the next revision and stores it. The reservation of the earlier revision is settled first."""
        await self._quotas.settle(stored)
        again = stored.retried(self._clock.now(), current_origin())
        if not self._quotas.apply_to(stored):
            return await self._data.jobs.reopen(again)
        try:
            spec = await self._data.jobs.needed_spec(stored.id)
        except Damaged as error:
            raise Conflict(f"The job cannot be retried. {error.detail}") from None
        grant = await self._quotas.reserve(again, spec)
        try:
            return await self._data.jobs.reopen(grant.job)
        except Conflict:
            await self._quotas.give_back(grant)
            raise

    async def is_possible(self, job: Job, progress: Progress, report: DiscoveryReport) -> bool:
        """Returns whether `run` would retry the job now. The progress and the report are those in the ledger.

        It reads a row and a blob's attributes. The state of discovery, which may be large, is read only if the job
        failed because something of it is damaged.
        """
        if not job.state.terminal:
            return False
        try:
            await self._check(job, progress, report)
            if job.failure is not None and job.failure.code == DAMAGED:
                await self._check_state(job)
        except Conflict:
            return False
        return True

    async def _check(self, job: Job, progress: Progress, report: DiscoveryReport) -> None:
        failure = job.failure.code if job.failure else ""
        if failure in _REFUSALS:
            raise Conflict(_REFUSALS[failure])
        if not await self._data.jobs.keeps_work(job):
            raise Conflict(WORK_IS_GONE)
        unfinished = job.state is State.CANCELLED or (job.state is State.FAILED and failure != NO_IMAGES)
        if unfinished or report.can_continue:
            return
        if not progress.transient:
            raise Conflict("There is nothing to retry: no candidate failed for a transient reason.")

    async def _check_state(self, job: Job) -> None:
        try:
            await self._data.discovery.state(job.id)
        except Damaged as error:
            raise Conflict(f"The job cannot be retried. {error.detail}") from None
