"""Changes of a job's state: each a compare-and-swap, tried again on what is stored, and followed by its message."""

from dataclasses import replace
from functools import partial

from shared.errors import Changed, Conflict, Damaged
from shared.jobs.flow.job_ends import JobEnds
from shared.jobs.flow.rounds import MAX_ROUNDS, Rounds
from shared.jobs.flow.slots import Slots
from shared.jobs.job.failures import DAMAGED
from shared.jobs.job.job import Failure, Job
from shared.jobs.job.messages import ARCHIVES_QUEUE, JOBS_QUEUE, WEBHOOKS_QUEUE, message_of
from shared.jobs.job.states import State
from shared.jobs.ledger.job_data import JobData
from shared.runtime import Runtime


class Transitions:
    """Moves jobs from state to state. Every method may be repeated, and leaves later revisions of the job alone."""

    def __init__(self, data: JobData, slots: Slots, rounds: Rounds, runtime: Runtime) -> None:
        self._jobs = data.jobs
        self._ledger = data.ledger
        self._queues = data.storage.queues
        self._slots = slots
        self._rounds = rounds
        self._clock = runtime.clock
        self._ends = JobEnds(data.ledger, runtime.telemetry)

    async def begin(self, job: Job) -> Job:
        """Have a queued job discovered as soon as its user has a slot for it; returns it as it is stored then."""
        if job.state is not State.QUEUED or not await self._slots.claim(job):
            return job
        job = await self.advance(job, State.QUEUED, State.DISCOVERING)
        if job.state.terminal:  # it ended while it claimed its slot
            await self._slots.release(job)
        return job

    async def free_slot(self, job: Job) -> None:
        """Let the user's next job begin, now that this one has ended; idempotent."""
        await self._slots.release(job)

    async def can_begin(self, job: Job) -> bool:
        """Whether its user has a slot for a queued job."""
        return await self._slots.has_room(job)

    async def advance(self, job: Job, current: State, following: State) -> Job:
        """Move the job on where it is in `current`; otherwise return it as it is stored."""

        async def move(stored: Job) -> Job:
            if stored.state is not current or (stored.revision, stored.round) != (job.revision, job.round):
                return stored
            return await self._jobs.save(stored.moved(following, self._clock.now()))

        return await self._jobs.swap(job, move)

    async def complete(self, job: Job, images: int) -> Job:
        """End a job whose dataset stands, with so many images; returns it as it is stored."""
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
        """Bring the job to a terminal state unless it has one, and do what follows; returns it as it is stored.

        Whoever writes the end reports it.

        Raises:
            Conflict: the job is in a state from which the table has no such step.
        """

        async def move(stored: Job) -> tuple[Job, bool]:
            if stored.state.terminal or stored.revision != job.revision:
                return stored, False
            return await self._jobs.save(stored.moved(state, self._clock.now(), failure)), True

        ended, won = await self._jobs.swap(job, move)
        if won:
            await self._ends.report(ended, images=images, cause=cause)
        return await self.follow_end(ended)

    async def follow_end(self, job: Job) -> Job:
        """Where the job has ended, free its slot and have its webhook called; returns it as it is stored.

        What is done already is not done again. The webhook is called by a message, so that nobody waits for it here.
        """
        if not job.state.terminal:
            return job
        await self._slots.release(job)
        if job.webhook_is_due(job.revision) and not job.enqueued:
            return await self._enqueue(WEBHOOKS_QUEUE, job)
        return job

    async def fail(self, job: Job, code: str, detail: str, cause: BaseException | None = None) -> Job:
        """End the job as failed, with the reason that its owner will read; `cause` is the error behind it."""
        return await self._end(job, State.FAILED, Failure(code, detail), cause=cause)

    async def fail_damaged(self, job: Job, error: Damaged) -> Job:
        """End the job as failed because something that it has stored is gone or cannot be read."""
        return await self.fail(job, DAMAGED, error.detail, error)

    async def cancel(self, job: Job) -> Job:
        """End the job as cancelled; a job that is cancelled already stays so.

        Raises:
            Conflict: the job has completed or failed.
        """
        job = await self._end(job, State.CANCELLED)
        if job.state is not State.CANCELLED:
            raise Conflict(f"The job is {job.state} and cannot be cancelled.")
        return job

    async def close_if_crawled(self, job: Job, *, repeated: bool = False) -> None:
        """Start the archive, or another round, where discovery has ended and every chunk is done.

        Whoever finishes a chunk calls this, and so does discovery at its end: the last of them to write sees all
        done. Several may; the compare-and-swap lets one of them win, and that one sends the message. Where it died
        before it did, its own message comes again: `repeated` then has the message sent by whoever finds that it was
        not.
        """
        # the job before its chunks: once it crawls, discovery adds no more
        stored = await self._jobs.require(job.user_id, job.id)
        closed, won = await self._jobs.swap(stored, partial(self._close, job.revision))
        if closed.revision != job.revision or not (won or repeated):
            return
        if closed.state is State.DISCOVERING and closed.round and not await self._rounds.begun(closed):
            await self._queues.send(JOBS_QUEUE, message_of(closed))
        if closed.state is State.ARCHIVING and not closed.enqueued:
            await self.start_archive(closed)

    async def _close(self, revision: int, job: Job) -> tuple[Job, bool]:
        """The job as it is stored then, and whether this call moved it on because every chunk is done."""
        crawls = job.revision == revision and job.state is State.CRAWLING
        if not crawls or not await self._ledger.all_done(job.id):
            return job, False
        return await self._jobs.save(await self._after_crawl(job)), True

    async def _after_crawl(self, job: Job) -> Job:
        """What becomes of a job whose chunks are all done."""
        if job.round < MAX_ROUNDS and await self._rounds.wanted(job):
            return replace(job, round=job.round + 1).moved(State.DISCOVERING, self._clock.now())
        return job.moved(State.ARCHIVING, self._clock.now())

    async def start_archive(self, job: Job) -> None:
        """Send the archive's message, and note it."""
        await self._enqueue(ARCHIVES_QUEUE, job)

    async def _enqueue(self, queue: str, job: Job) -> Job:
        """Send the message that the job's state calls for, and note it; returns the job as it is stored."""
        await self._queues.send(queue, message_of(job))

        async def note(stored: Job) -> Job:
            moved = (stored.state, stored.revision) != (job.state, job.revision)
            if moved or stored.enqueued:
                return stored
            return await self._jobs.save(replace(stored, enqueued=True))

        return await self._jobs.swap(job, note)

    async def touch(self, job: Job) -> None:
        """Note that the job moves, in a state that lasts long, so that the watchdog leaves it alone."""
        try:
            await self._jobs.save(replace(job, updated_at=self._clock.now(), nudges=0))
        except Changed:
            return  # somebody else touched it
