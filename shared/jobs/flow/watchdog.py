"""Finds jobs without progress, because a message was lost or an instance died, and sends them on.

To send a job on is to send the messages of its current step again.
"""

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime

from shared.clock import Deadline
from shared.errors import AppError, Changed, Damaged, Permanent, Retryable
from shared.jobs.flow.dispatch import Dispatch
from shared.jobs.flow.quotas import Quotas
from shared.jobs.flow.transitions import Transitions
from shared.jobs.job.failures import STALLED
from shared.jobs.job.job import Failure, Job, WebhookState
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, WEBHOOKS_QUEUE, message_of
from shared.jobs.job.rows import Work
from shared.jobs.job.states import State
from shared.jobs.ledger.job_data import JobData
from shared.runtime import Runtime
from shared.telemetry import signals
from shared.telemetry.correlation import NO_ORIGIN, working_for

_QUEUES = {
    State.QUEUED: JOBS_QUEUE,
    State.DISCOVERING: JOBS_QUEUE,
    State.CRAWLING: CHUNKS_QUEUE,
    State.ARCHIVING: ARCHIVES_QUEUE,
    State.COMPLETED: WEBHOOKS_QUEUE,
    State.FAILED: WEBHOOKS_QUEUE,
    State.CANCELLED: WEBHOOKS_QUEUE,
}
_SHARE_OF_QUOTAS = 0.25
_STALLED = Failure(STALLED, "The job made no progress however often it was sent on.")


@dataclass(frozen=True, slots=True)
class WatchdogConfig:
    """The limits of the watchdog.

    Attributes:
        stall_after_seconds: A job is sent on after this time without progress.
        patience: If messages wait in the job's queue, the job may only be behind them. Then the time without progress
            is this many times as long.
        max_nudges: A job fails after it was sent on this many times without progress.
    """

    stall_after_seconds: float = 900.0
    patience: float = 4.0
    max_nudges: int = 8


class Watchdog:
    """Sends stalled jobs on. It is safe to run twice, since a repeated message does no harm."""

    def __init__(
        self,
        data: JobData,
        dispatch: Dispatch,
        transitions: Transitions,
        quotas: Quotas,
        runtime: Runtime,
        config: WatchdogConfig,
    ) -> None:
        self._data = data
        self._dispatch = dispatch
        self._transitions = transitions
        self._quotas = quotas
        self._runtime = runtime
        self._config = config

    async def run(self, deadline: Deadline) -> int:
        """Checks all unfinished jobs until the deadline; returns how many were sent on.

        Before that, it settles lost reservations, in a quarter of the time at most.
        """
        await self._settle_lost(deadline)
        nudged = 0
        async for work in self._data.jobs.works():
            if deadline.passed:
                break
            if work.finished_at is not None:
                continue
            try:
                nudged += await self._check(work)
            except Damaged as error:
                await self._fail_damaged(work, error)
            except AppError as error:
                # The other jobs are checked all the same.
                await self._report(work, error)
        return nudged

    async def _settle_lost(self, deadline: Deadline) -> None:
        clock = self._runtime.clock
        try:
            await self._quotas.settle_lost(
                Deadline.after(clock, deadline.remaining_seconds * _SHARE_OF_QUOTAS)
            )
        except AppError as error:
            # The jobs are checked all the same.
            signals.failure(self._runtime.telemetry, error, operation="watchdog")

    async def _report(self, work: Work, error: AppError) -> None:
        """Reports an error as an item of the job's operation, if the job can be read, and not of the watchdog's."""
        origin = NO_ORIGIN
        if not isinstance(error, Retryable):
            with contextlib.suppress(AppError):
                origin = (await self._data.jobs.require(work.user_id, work.job_id)).origin
        with working_for(origin, work.job_id):
            signals.failure(self._runtime.telemetry, error, operation="watchdog", job_id=work.job_id)

    async def _fail_damaged(self, work: Work, error: Damaged) -> None:
        await self._report(work, error)
        # If this fails, the next run may succeed.
        with contextlib.suppress(AppError):
            await self._transitions.fail_damaged(
                await self._data.jobs.require(work.user_id, work.job_id), error
            )

    async def _check(self, work: Work) -> bool:
        now = self._runtime.clock.now()
        job = await self._data.jobs.get(work.user_id, work.job_id)
        if job is None:
            if (now - work.since).total_seconds() > self._config.stall_after_seconds:
                await self._data.jobs.mark_finished(work, now)
            return False
        if job.state.terminal:
            await self._transitions.give_back(job)
            if job.webhook_is_due(job.revision):
                return await self._resend_end(job, now)
            await self._data.jobs.mark_finished(work, job.updated_at)
            return False
        job = await self._with_last_progress(job)
        if not await self._is_stalled(job, now):
            return False
        if job.state is State.QUEUED and not await self._transitions.can_begin(job):
            # It waits for a slot.
            return False
        return await self._nudge(job, _STALLED)

    async def _resend_end(self, job: Job, now: datetime) -> bool:
        """Sends the message that has the job's end announced again; returns whether it was sent.

        The time until the next message doubles each time, and after `max_nudges` messages there are no more. The job's
        `updated_at` stays the moment of its end.
        """
        if not await self._is_stalled(job, now, times=1 << job.nudges):
            return False
        given_up = job.nudges >= self._config.max_nudges
        webhook = WebhookState.LOST if given_up else job.webhook
        try:
            await self._data.jobs.save(replace(job, webhook=webhook, nudges=job.nudges + 1))
        except Changed:
            # The end was announced meanwhile, or the job was retried.
            return False
        if not given_up:
            await self._data.storage.queues.send(WEBHOOKS_QUEUE, message_of(job))
            return True
        with working_for(job.origin, job.id):
            error = Permanent("The job's end could not be announced to its webhook.")
            signals.failure(self._runtime.telemetry, error, operation="webhook", job_id=job.id)
        return False

    async def handle_poison(self, job: Job, failure: Failure) -> bool:
        """Sends a job on whose message became poison, or fails it after `max_nudges`; returns whether it was sent on.

        One poison message proves nothing: a host that dies has used up a delivery of each message that it held.
        """
        if job.state.terminal:
            return False
        return await self._nudge(await self._with_last_progress(job), failure)

    async def _nudge(self, job: Job, failure: Failure) -> bool:
        """Sends the job on, or fails it after `max_nudges`; returns whether it was sent on."""
        if job.nudges >= self._config.max_nudges:
            await self._transitions.fail(job, failure.code, failure.detail)
            return False
        try:
            job = await self._data.jobs.save(
                replace(job, nudges=job.nudges + 1, updated_at=self._runtime.clock.now())
            )
        except Changed:
            # It has made progress meanwhile.
            return False
        await self._send_on(job)
        return True

    async def _with_last_progress(self, job: Job) -> Job:
        """Returns the job with the moment of its last progress, and without nudges if that is newer than the row."""
        moved_at = await self._moved_at(job)
        return replace(job, nudges=0, updated_at=moved_at) if moved_at > job.updated_at else job

    async def _moved_at(self, job: Job) -> datetime:
        """Returns when the job last made progress: in its chunks, in discovery or in its state."""
        progress, report = await self._data.ledger.progress(job.id), await self._data.ledger.report(job.id)
        moments = (progress.moved_at, report.saved_at)
        return max((moment for moment in moments if moment is not None), default=job.updated_at)

    async def _is_stalled(self, job: Job, now: datetime, *, times: int = 1) -> bool:
        """Returns whether the job was without progress for `times` the usual limit."""
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
