"""Finds jobs that stand still, because a message was lost or an instance died for good, and sends them on."""

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime

from shared.clock import Deadline
from shared.errors import AppError, Changed, Damaged
from shared.jobs.flow.dispatch import Dispatch
from shared.jobs.flow.transitions import Transitions
from shared.jobs.job.failures import STALLED
from shared.jobs.job.job import Failure, Job
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, WEBHOOKS_QUEUE, message_of
from shared.jobs.job.rows import Work
from shared.jobs.job.states import State
from shared.jobs.ledger.job_data import JobData
from shared.runtime import Runtime
from shared.telemetry import signals

_QUEUES = {
    State.QUEUED: JOBS_QUEUE,
    State.DISCOVERING: JOBS_QUEUE,
    State.CRAWLING: CHUNKS_QUEUE,
    State.ARCHIVING: ARCHIVES_QUEUE,
    State.COMPLETED: WEBHOOKS_QUEUE,
    State.FAILED: WEBHOOKS_QUEUE,
    State.CANCELLED: WEBHOOKS_QUEUE,
}
_STALLED = Failure(STALLED, "The job made no progress however often it was sent on.")


@dataclass(frozen=True, slots=True)
class WatchdogConfig:
    """After `stall_after_seconds` without progress a job is sent on; after `max_nudges` in vain it fails.

    While messages wait in the job's queue it may only be its turn that has not come: then it takes
    `patience` times as long.
    """

    stall_after_seconds: float = 900.0
    patience: float = 4.0
    max_nudges: int = 8


class Watchdog:
    """Sends stalled jobs on. Repeating a message does no harm, so neither does running this twice."""

    def __init__(
        self,
        data: JobData,
        dispatch: Dispatch,
        transitions: Transitions,
        runtime: Runtime,
        config: WatchdogConfig,
    ) -> None:
        self._data = data
        self._dispatch = dispatch
        self._transitions = transitions
        self._runtime = runtime
        self._config = config

    async def run(self, deadline: Deadline) -> int:
        """Look at every unfinished job; returns how many were sent on."""
        nudged = 0
        async for work in self._data.jobs.works():
            if deadline.passed:
                break
            if work.finished_at is not None:
                continue
            try:
                nudged += await self._look_at(work)
            except Damaged as error:
                await self._fail_damaged(work, error)
            except AppError as error:  # one job's trouble is not the others'
                signals.failure(self._runtime.telemetry, error, operation="watchdog", job_id=work.job_id)
        return nudged

    async def _fail_damaged(self, work: Work, error: Damaged) -> None:
        signals.failure(self._runtime.telemetry, error, operation="watchdog", job_id=work.job_id)
        with contextlib.suppress(AppError):  # the next run may succeed
            await self._transitions.fail_damaged(
                await self._data.jobs.require(work.user_id, work.job_id), error
            )

    async def _look_at(self, work: Work) -> bool:
        now = self._runtime.clock.now()
        job = await self._data.jobs.get(work.user_id, work.job_id)
        if job is None:
            if (now - work.since).total_seconds() > self._config.stall_after_seconds:
                await self._data.jobs.mark_finished(work, now)
            return False
        if job.state.terminal:
            await self._transitions.free_slot(job)
            if job.webhook_is_due(job.revision):
                return await self._have_owner_told(job, now)
            await self._data.jobs.mark_finished(work, job.updated_at)
            return False
        job = await self._with_progress(job)
        if not await self._stands_still(job, now):
            return False
        if job.state is State.QUEUED and not await self._transitions.can_begin(job):
            return False  # it waits for its turn
        return await self._nudge(job, _STALLED)

    async def _have_owner_told(self, job: Job, now: datetime) -> bool:
        """Send the webhook's message again, each time after twice as long, until that was in vain too often.

        The job's `updated_at` stays, which is when it ended.
        """
        if not await self._stands_still(job, now, times=1 << job.nudges):
            return False
        in_vain = job.nudges >= self._config.max_nudges
        webhook = job.webhook.given_up(now) if in_vain else job.webhook
        try:
            await self._data.jobs.save(replace(job, webhook=webhook, nudges=job.nudges + 1))
        except Changed:
            return False  # it is being told, or retried
        if not in_vain:
            await self._data.storage.queues.send(WEBHOOKS_QUEUE, message_of(job))
        return not in_vain

    async def handle_poison(self, job: Job, failure: Failure) -> bool:
        """Send a job on whose message turned to poison, or fail it for it; returns whether it was sent on.

        Poison alone proves nothing: a host that dies has tried each message that it held.
        """
        if job.state.terminal:
            return False
        return await self._nudge(await self._with_progress(job), failure)

    async def _nudge(self, job: Job, failure: Failure) -> bool:
        """Send the job on, unless that was in vain too often."""
        if job.nudges >= self._config.max_nudges:
            await self._transitions.fail(job, failure.code, failure.detail)
            return False
        try:
            job = await self._data.jobs.save(
                replace(job, nudges=job.nudges + 1, updated_at=self._runtime.clock.now())
            )
        except Changed:
            return False  # it moves after all
        await self._send_on(job)
        return True

    async def _with_progress(self, job: Job) -> Job:
        """The job, as of the last thing that moved in it; what moves was not nudged in vain."""
        moved_at = await self._moved_at(job)
        return replace(job, nudges=0, updated_at=moved_at) if moved_at > job.updated_at else job

    async def _moved_at(self, job: Job) -> datetime:
        """When a chunk was last added or done, discovery last saved its place, or the job's state last changed."""
        progress, report = await self._data.ledger.progress(job.id), await self._data.ledger.report(job.id)
        moments = (progress.moved_at, report.saved_at)
        return max((moment for moment in moments if moment is not None), default=job.updated_at)

    async def _stands_still(self, job: Job, now: datetime, *, times: int = 1) -> bool:
        """Whether the job has not moved for too long, which is `times` as long as usual."""
        idle_seconds = (now - job.updated_at).total_seconds()
        limit_seconds = self._config.stall_after_seconds * times
        if idle_seconds <= limit_seconds:
            return False
        if idle_seconds > limit_seconds * self._config.patience:
            return True
        return await self._data.storage.queues.depth(_QUEUES[job.state]) == 0

    async def _send_on(self, job: Job) -> None:
        if job.state in {State.QUEUED, State.DISCOVERING}:
            await self._data.storage.queues.send(JOBS_QUEUE, message_of(job))
        if job.state is State.ARCHIVING:
            await self._transitions.start_archive(job)
        if job.state in {State.DISCOVERING, State.CRAWLING}:
            sent = await self._dispatch.resend(job)
            if not sent:
                await self._transitions.close_if_crawled(job, repeated=True)
