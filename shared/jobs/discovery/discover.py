"""Step 2 of a job: pages through the sources, and stores candidates in chunks.

It works in slices: when its time is up, it saves its place and enqueues its own continuation. The discovery of a retry
begins with the candidates that failed before, and that of a refresh ends with the candidates that the dataset knows.
"""

import asyncio
from collections.abc import Awaitable, Callable

from shared.clock import Deadline
from shared.concurrency import task_group
from shared.errors import Changed, Damaged, Permanent
from shared.jobs.discovery.paging import Continuation, Paging
from shared.jobs.discovery.rescan import Rescan
from shared.jobs.discovery.run import DiscoveryParts, DiscoveryRun
from shared.jobs.discovery.take_over import TakeOver
from shared.jobs.flow.transitions import Transitions
from shared.jobs.job.failures import DISCOVERY_FAILED
from shared.jobs.job.job import Job
from shared.jobs.job.messages import JOBS_QUEUE, JobMessage, message_of
from shared.jobs.job.states import State
from shared.sources.registry import SourceRegistry


class Discover:
    """Finds a job's candidates. Safe to run twice, at the same time, and to die at any line."""

    def __init__(
        self,
        parts: DiscoveryParts,
        transitions: Transitions,
        sources: SourceRegistry,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._parts = parts
        self._jobs = parts.data.jobs
        self._queues = parts.data.storage.queues
        self._transitions = transitions
        self._rescan = Rescan(
            parts.data.ledger, parts.data.storage.blobs, parts.moved_images, parts.chunk_size
        )
        self._take_over = TakeOver(parts.data.storage.blobs, parts.chunk_size)
        self._sources = sources
        self._sleep = sleep

    async def run(self, message: JobMessage, deadline: Deadline) -> None:
        """Discovers until everything is found, or enqueues a continuation at the deadline or to wait for sources.

        The job fails if one of its stored files is gone or damaged.

        Raises:
            Retryable: storage did not answer; the message should come again.
        """
        job = await self._jobs.get(message.user_id, message.job_id)
        if job is None:
            return
        if job.state.terminal:
            # An earlier run may have written the end, and died before what follows it.
            await self._transitions.follow_end(job)
            return
        try:
            await self._run(job, deadline)
        except Damaged as error:
            await self._transitions.fail_damaged(job, error)

    async def _run(self, job: Job, deadline: Deadline) -> None:
        repeated = job.state not in {State.QUEUED, State.DISCOVERING}
        is_first = job.state is State.QUEUED and job.revision == 1
        job = await self._transitions.begin(job)
        if job.state is State.QUEUED:
            # It waits for a slot. Its message is sent again when there is one.
            return
        if job.state is State.DISCOVERING:
            try:
                continuation = await self._discover(job, deadline, is_first=is_first)
            except Changed:
                await self._step_aside(job)
                return
            except Damaged:
                raise
            except Permanent as error:
                await self._transitions.fail(job, DISCOVERY_FAILED, error.detail, error)
                return
            if continuation is not None:
                delay_seconds = continuation.delay_seconds
                await self._queues.send(JOBS_QUEUE, message_of(job), delay_seconds=delay_seconds)
                return
            job = await self._transitions.advance(job, State.DISCOVERING, State.CRAWLING)
        await self._transitions.close_if_crawled(job, repeated=repeated)

    async def _step_aside(self, job: Job) -> None:
        """Leaves the job to the run that is ahead, which has a message of its own.

        That run may be a late one of an earlier revision, which leaves the job to this run. Then this run begins anew,
        by a new message.
        """
        if not await self._parts.rounds.has_begun(job):
            await self._queues.send(JOBS_QUEUE, message_of(job))

    async def _discover(self, job: Job, deadline: Deadline, *, is_first: bool) -> Continuation | None:
        """Discovers until the time of this run ends. Returns how to go on, or None if everything is found.

        The first run of a job reads no state: there is none, unless another run began at the same time. Then that run
        is ahead as soon as it saves.
        """
        async with task_group() as group:
            reading_spec = group.create_task(self._jobs.needed_spec(job.id))
            run = (
                DiscoveryRun.begin(self._parts, job)
                if is_first
                else await DiscoveryRun.resume(self._parts, job)
            )
        if not await self._rescan.run(run, deadline):
            return Continuation()
        if not run.state.complete:
            spec = reading_spec.result()
            paging = Paging(run, spec, self._sources, self._parts.runtime.clock, self._sleep)
            continuation = await paging.page(deadline)
            if continuation is not None:
                return continuation
        return None if await self._take_over.run(run, deadline) else Continuation()
