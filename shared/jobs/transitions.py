"""Changes of a job's state: each a compare-and-swap, tried again on what is stored, and followed by its message."""

from dataclasses import replace

from shared.clock import Clock
from shared.errors import Changed, Conflict, Unavailable
from shared.jobs.chunk_ledger import ChunkLedger
from shared.jobs.job import Failure, Job, Webhook
from shared.jobs.job_store import JobStore
from shared.jobs.messages import ARCHIVES_QUEUE, JobMessage, encode
from shared.jobs.states import State
from shared.jobs.webhook import WebhookCaller
from shared.storage.queues import QueueSender

_TRIES = 20


class Transitions:
    """Moves jobs from state to state. Every method may be repeated."""

    def __init__(
        self, jobs: JobStore, ledger: ChunkLedger, queues: QueueSender, webhook: WebhookCaller, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self._queues = queues
        self._webhook = webhook
        self._clock = clock

    async def advance(self, job: Job, current: State, following: State) -> Job:
        """Move the job on where it is in `current`; otherwise return it as it is stored."""
        for _ in range(_TRIES):
            if job.state is not current:
                return job
            try:
                return await self._jobs.save(job.moved(following, self._clock.now()))
            except Changed:
                job = await self._jobs.require(job.user_id, job.id)
        raise Unavailable("The job's record is too busy.")

    async def end(self, job: Job, state: State, failure: Failure | None = None) -> Job:
        """Bring the job to a terminal state unless it has one, and tell its webhook.

        Raises:
            Conflict: the job is in a state from which the table has no such step.
        """
        for _ in range(_TRIES):
            if job.state.terminal:
                break
            try:
                job = await self._jobs.save(job.moved(state, self._clock.now(), failure))
            except Changed:
                job = await self._jobs.require(job.user_id, job.id)
        else:
            raise Unavailable("The job's record is too busy.")
        await self.notify(job)
        return job

    async def fail(self, job: Job, code: str, detail: str) -> Job:
        """End the job as failed, with the reason that its owner will read."""
        return await self.end(job, State.FAILED, Failure(code, detail))

    async def cancel(self, job: Job) -> Job:
        """End the job as cancelled; a job that is cancelled already stays so.

        Raises:
            Conflict: the job has completed or failed.
        """
        job = await self.end(job, State.CANCELLED)
        if job.state is not State.CANCELLED:
            raise Conflict(f"The job has {job.state} and cannot be cancelled.")
        return job

    async def close_if_crawled(self, job: Job) -> None:
        """Start the archive where discovery has ended and every chunk is done.

        Whoever finishes a chunk calls this, and so does discovery at its end: the last of them to write sees all
        done. Several may; the compare-and-swap lets one move the job, and the archive step bears repetition.
        """
        progress = await self._ledger.progress(job.id)
        if progress.done < progress.added:
            return
        job = await self._jobs.require(job.user_id, job.id)
        job = await self.advance(job, State.CRAWLING, State.ARCHIVING)
        if job.state is State.ARCHIVING:
            await self._queues.send(ARCHIVES_QUEUE, encode(JobMessage(job.user_id, job.id, job.traceparent)))

    async def notify(self, job: Job) -> None:
        """Call the webhook of a job that has ended, unless that was done before; at-least-once."""
        if not job.state.terminal or job.webhook is not Webhook.PENDING:
            return
        delivered = await self._webhook.call(job)
        outcome = Webhook.DELIVERED if delivered else Webhook.FAILED
        try:
            await self._jobs.save(replace(job, webhook=outcome))
        except Changed:
            return  # somebody else told it at the same time
