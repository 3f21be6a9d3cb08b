"""Changes the states of jobs. Each change is a compare-and-swap on the stored job, followed by its message."""

from dataclasses import replace

from shared.errors import AppError, Changed, Conflict, Damaged, Retryable
from shared.jobs.flow.job_ends import JobEnds
from shared.jobs.flow.quotas import Quotas
from shared.jobs.flow.rounds import MAX_ROUNDS, Rounds
from shared.jobs.flow.slots import Slots
from shared.jobs.job.failures import DAMAGED
from shared.jobs.job.job import Failure, Job
from shared.jobs.job.messages import ARCHIVES_QUEUE, JOBS_QUEUE, WEBHOOKS_QUEUE, message_of
from shared.jobs.job.states import State
from shared.jobs.ledger.job_data import JobData
from shared.jobs.ledger.rows import Progress
from shared.runtime import Runtime


class Transitions:
    """Moves jobs from state to state. Every method may be repeated, and does not touch later revisions of the job."""

    def __init__(self, data: JobData, slots: Slots, quotas: Quotas, rounds: Rounds, runtime: Runtime) -> None:
        self._jobs = data.jobs
        self._ledger = data.ledger
        self._queues = data.storage.queues
        self._slots = slots
        self._quotas = quotas
        self._rounds = rounds
        self._clock = runtime.clock
        self._ends = JobEnds(data.ledger, runtime.telemetry)

    async def begin(self, job: Job) -> Job:
        """Moves a queued job to discovering if its user has a slot for it; returns the stored job.

        If there is no slot, the job stays queued, and its message is sent again when there is one.
        """
        if job.state is not State.QUEUED or not await self._slots.claim(job):
            return job
        job = await self.advance(job, State.QUEUED, State.DISCOVERING)
        if job.state.terminal:
            # It ended while it claimed its slot.
            await self._slots.release(job)
        return job

    async def give_back(self, job: Job) -> None:
        """Settles the quota of a job that has ended, and frees its slot, so the user's next job begins. Idempotent."""
        await self._quotas.settle(job)
        await self._slots.release(job)

    async def erase_slots(self, user_id: str) -> None:
        """Deletes the slots of a user who has no jobs any more. Idempotent."""
        await self._slots.erase(user_id)

    async def can_begin(self, job: Job) -> bool:
        """Returns whether the user has a slot for the queued job."""
        return await self._slots.has_room(job)

    async def advance(self, job: Job, current: State, following: State) -> Job:
        """Moves the job from `current` to `following`, unless it is in another state; returns the stored job."""

        async def move(stored: Job) -> Job:
            if stored.state is not current or (stored.revision, stored.round) != (job.revision, job.round):
                return stored
            return await self._jobs.save(stored.moved(following, self._clock.now()))

        return await self._jobs.swap(job, move)

    async def complete(self, job: Job, images: int) -> Job:
        """Ends a job whose dataset of `images` images is complete; returns the stored job."""
        return await self._end(job, State.COMPLETED, images=images)

    async def _end(
        self,
        job: Job,
        state: State,
        failure: Failure | None = None,
        *,
        images: int | None = None,
        cause: BaseException | None = None,
    ) -> Job:
        """Moves the job to a terminal state unless it is in one, and does what follows; returns the stored job.

        The call that writes the end reports it to the telemetry, also if storage fails right after that.

        Raises:
            Conflict: the table of transitions has no such step from the job's state.
        """
        written: Job | None = None

        async def move(stored: Job) -> tuple[Job, bool]:
            nonlocal written
            if stored.state.terminal or stored.revision != job.revision:
                return stored, False
            moved = stored.moved(state, self._clock.now(), failure)
            if state is State.COMPLETED and images is not None:
                moved = replace(moved, images=images)
            written = moved
            return await self._jobs.save(moved), True

        try:
            ended, moved = await self._jobs.swap(job, move)
        except Retryable:
            # the next try finds the end, and does not report it
            if written is not None and await self._is_stored(written):
                await self._ends.report(written, images=images, cause=cause)
            raise
        if moved:
            await self._ends.report(ended, images=images, cause=cause)
        return await self.follow_end(ended)

    async def _is_stored(self, written: Job) -> bool:
        """Returns whether a write took effect whose answer was lost. If storage does not say, it did not."""
        try:
            stored = await self._jobs.get(written.user_id, written.id)
        except AppError:
            return False
        ours = written.state, written.revision, written.updated_at
        return stored is not None and (stored.state, stored.revision, stored.updated_at) == ours

    async def follow_end(self, job: Job) -> Job:
        """Gives back what a job that has ended holds, and has its end announced to its webhook; returns the stored job.

        Nothing happens if the job has not ended. What was done already is not done again.
        """
        if not job.state.terminal:
            return job
        await self.give_back(job)
        if job.webhook_is_due(job.revision) and not job.enqueued:
            return await self._enqueue(WEBHOOKS_QUEUE, job)
        return job

    async def fail(self, job: Job, code: str, detail: str, cause: BaseException | None = None) -> Job:
        """Ends the job as failed, with the reason that its owner will read. `cause` is the error that made it fail."""
        return await self._end(job, State.FAILED, Failure(code, detail), cause=cause)

    async def fail_damaged(self, job: Job, error: Damaged) -> Job:
        """Ends the job as failed because something that it has stored is gone or cannot be read."""
        return await self.fail(job, DAMAGED, error.detail, error)

    async def cancel(self, job: Job) -> Job:
        """Ends the job as cancelled, unless it is cancelled already; returns the stored job.

        Raises:
            Conflict: the job has completed or failed.
        """
        job = await self._end(job, State.CANCELLED)
        if job.state is not State.CANCELLED:
            raise Conflict(f"The job is {job.state} and cannot be cancelled.")
        return job

    async def close_if_crawled(
        self, job: Job, *, repeated: bool = False, seen: Progress | None = None
    ) -> None:
        """Starts the archive or another round of discovery, if discovery has ended and every chunk is done.

        It is called after each chunk that may be the last one, and at the end of discovery. The last caller to write
        sees that all chunks are done. If several callers see it, the compare-and-swap lets one of them move the job,
        and that one sends the message. If it dies before that, its own message is delivered again: a call for a
        `repeated` message also sends the message of a job that was moved before, unless it is known to be sent.

        `job` may have been read long ago. `seen` is the progress of its chunks, if it was read after the job.
        """
        # The job is read before its chunks: once it is crawling, discovery adds no more. A job that was crawling when
        # it was read is so until it is written, and then its version is another one.
        known, progress = job, seen
        if job.state is not State.CRAWLING:
            known, progress = await self._jobs.require(job.user_id, job.id), None

        async def close(stored: Job) -> tuple[Job, bool]:
            nonlocal progress
            counted, progress = progress, None
            if stored.revision != job.revision or stored.state is not State.CRAWLING:
                return stored, False
            counted = counted or await self._ledger.progress(job.id)
            if counted.done < counted.added:
                return stored, False
            return await self._jobs.save(await self._after_crawl(stored)), True

        closed, moved = await self._jobs.swap(known, close)
        if closed.revision != job.revision or not (moved or repeated):
            return
        if closed.state is State.DISCOVERING and closed.round and not await self._rounds.has_begun(closed):
            await self._queues.send(JOBS_QUEUE, message_of(closed))
        if closed.state is State.ARCHIVING and not closed.enqueued:
            await self.start_archive(closed)

    async def _after_crawl(self, job: Job) -> Job:
        """Returns the job in the state after its crawl: in another round of discovery, or archiving."""
        # a refresh looks as deep into its sources as the earlier revisions did
        if job.refresh is None and job.round < MAX_ROUNDS and await self._rounds.raised_limits(job):
            return replace(job, round=job.round + 1).moved(State.DISCOVERING, self._clock.now())
        return job.moved(State.ARCHIVING, self._clock.now())

    async def start_archive(self, job: Job) -> None:
        """Sends the message of the archive step, and notes in the job that it is sent."""
        await self._enqueue(ARCHIVES_QUEUE, job)

    async def _enqueue(self, queue: str, job: Job) -> Job:
        """Sends the message that the job's state calls for, and notes it in the job; returns the stored job."""
        await self._queues.send(queue, message_of(job))

        async def note(stored: Job) -> Job:
            moved_on = (stored.state, stored.revision) != (job.state, job.revision)
            if moved_on or stored.enqueued:
                return stored
            return await self._jobs.save(replace(stored, enqueued=True))

        return await self._jobs.swap(job, note)

    async def touch(self, job: Job) -> None:
        """Notes that a job in a long step makes progress, so the watchdog does not send it on."""
        try:
            await self._jobs.save(replace(job, updated_at=self._clock.now(), nudges=0))
        except Changed:
            # Another run has written the job, which shows its progress as well.
            return
