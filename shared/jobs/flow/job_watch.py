"""Notices that a job has ended or was retried while a step still works for it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass

from shared.clock import Clock
from shared.errors import AppError, Changed
from shared.jobs.job.job import Job
from shared.jobs.job.store import JobStore


class JobEnded(Changed):
    """The job has ended or was retried meanwhile: what is done for this revision is in vain."""


@dataclass(frozen=True, slots=True)
class JobWatches:
    """Makes the watches of all steps, which look at the job every `every_seconds`."""

    jobs: JobStore
    clock: Clock
    every_seconds: float = 4.0

    def over(self, job: Job) -> "JobWatch":
        """A watch for one run of a step over the job, which has just been read."""
        return JobWatch(self, job)


class JobWatch:
    """Looks now and then whether a job has ended, or is in a later revision than the run that works for it.

    A look reads the job's row. If storage does not answer, a look that the interval calls for is left out, and the
    next one makes up for it; a look that the caller asks for raises.
    """

    def __init__(self, watches: JobWatches, job: Job) -> None:
        self._watches = watches
        self._job = job
        self._ended = False
        self._looked_at = watches.clock.monotonic()

    def has_ended(self) -> bool:
        """Whether the last look found that the job has ended; reads nothing."""
        return self._ended

    async def look(self) -> bool:
        """Look now; returns whether the job has ended.

        Raises:
            Unavailable: storage did not answer.
        """
        if not self._ended:
            self._looked_at = self._watches.clock.monotonic()
            stored = await self._watches.jobs.get(self._job.user_id, self._job.id)
            self._ended = self._job.superseded_by(stored)
        return self._ended

    async def check(self) -> None:
        """Look now.

        Raises:
            JobEnded: the job has ended.
            Unavailable: storage did not answer.
        """
        if await self.look():
            raise JobEnded("The job ended meanwhile.")

    async def check_if_due(self) -> None:
        """Look if the last look is an interval ago; for steps that come by often.

        Raises:
            JobEnded: the job has ended.
        """
        if self._watches.clock.monotonic() - self._looked_at > self._watches.every_seconds:
            with contextlib.suppress(AppError):  # the next look may succeed
                await self.look()
        if self._ended:
            raise JobEnded("The job ended meanwhile.")

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[asyncio.Task[None]]:
        """Look at each interval within the block; yields the task that looks, which is done once the job has ended."""
        watcher = asyncio.create_task(self._look_until_the_end())
        try:
            yield watcher
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    async def unless_ended[Result](self, work: Coroutine[object, object, Result]) -> Result:
        """What the work returns; it is cancelled if the job ends meanwhile, and has stopped when this returns.

        Raises:
            JobEnded: the job has ended.
        """
        task = asyncio.create_task(work)
        try:
            async with self.watching() as watcher:
                await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise JobEnded("The job ended meanwhile.")
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _look_until_the_end(self) -> None:
        while not self._ended:
            await asyncio.sleep(self._watches.every_seconds)
            with contextlib.suppress(AppError):  # the next look may succeed
                await self.look()
