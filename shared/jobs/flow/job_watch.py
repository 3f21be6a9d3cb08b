"""Notices that a job has ended or was retried while a step still works for it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from shared.clock import Clock
from shared.errors import AppError, Changed
from shared.jobs.job.job import Job
from shared.jobs.job.store import JobStore


class JobEnded(Changed):
    """The job has ended or was retried meanwhile, so work for this revision has no use any more."""


@dataclass(slots=True, weakref_slot=True)
class _Seen:
    """What the watches of one revision of a job have seen: whether it has ended, when and how often it was read."""

    refreshed_at: float
    refreshes: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class JobWatches:
    """Makes the watches of all steps, which read the job every `every_seconds`.

    Several runs that work for a revision at the same time share these reads.
    """

    jobs: JobStore
    clock: Clock
    every_seconds: float = 4.0
    _seen: WeakValueDictionary[tuple[str, str, int], _Seen] = field(
        default_factory=WeakValueDictionary, init=False, repr=False, compare=False
    )

    def watch(self, job: Job) -> "JobWatch":
        """Makes a watch for one run of a step. The job must have been read just now."""
        key, now = (job.user_id, job.id, job.revision), self.clock.monotonic()
        seen = self._seen.get(key) or _Seen(now)
        seen.refreshed_at = now
        self._seen[key] = seen
        return JobWatch(self, job, seen)


class JobWatch:
    """Watches whether a job has ended, or is in a later revision than the run that works for it.

    A refresh reads the job's row. If storage does not answer, a refresh that the interval calls for is skipped until
    the next interval. A refresh that the caller asks for raises.
    """

    def __init__(self, watches: JobWatches, job: Job, seen: _Seen) -> None:
        self._watches = watches
        self._job = job
        self._seen = seen

    def has_ended(self) -> bool:
        """Returns whether the last refresh found that the job has ended. It reads nothing."""
        return self._seen.ended

    async def refresh(self) -> bool:
        """Reads the job now; returns whether it has ended.

        Raises:
            Unavailable: storage did not answer.
        """
        seen = self._seen
        if not seen.ended:
            seen.refreshed_at = self._watches.clock.monotonic()
            seen.refreshes += 1
            stored = await self._watches.jobs.get(self._job.user_id, self._job.id)
            if self._job.superseded_by(stored):
                seen.ended = True
        return seen.ended

    async def check(self) -> None:
        """Reads the job now.

        Raises:
            JobEnded: the job has ended.
            Unavailable: storage did not answer.
        """
        if await self.refresh():
            raise JobEnded("The job ended meanwhile.")

    async def check_if_due(self) -> None:
        """Reads the job if the last refresh is an interval ago. A step may call it often.

        Raises:
            JobEnded: the job has ended.
        """
        if self._watches.clock.monotonic() - self._seen.refreshed_at > self._watches.every_seconds:
            with contextlib.suppress(AppError):  # the next refresh may succeed
                await self.refresh()
        if self._seen.ended:
            raise JobEnded("The job ended meanwhile.")

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[asyncio.Task[None]]:
        """Reads the job at each interval within the block, unless another watch has read it in that interval.

        Yields:
            The task that reads the job. It is done as soon as the job has ended.
        """
        watcher = asyncio.create_task(self._refresh_until_ended())
        try:
            yield watcher
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    async def unless_ended[Result](self, work: Coroutine[object, object, Result]) -> Result:
        """Returns the result of the work, which is cancelled if the job ends meanwhile.

        The work has stopped when this returns or raises.

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

    async def _refresh_until_ended(self) -> None:
        seen = self._seen
        while not seen.ended:
            before = seen.refreshes
            await asyncio.sleep(self._watches.every_seconds)
            if seen.refreshes == before:
                with contextlib.suppress(AppError):  # the next refresh may succeed
                    await self.refresh()
