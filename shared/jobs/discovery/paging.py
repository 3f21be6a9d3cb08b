"""The second part of discovery: pages through a job's sources, one query after the other, until all have ended."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from shared.clock import Clock, Deadline
from shared.errors import Permanent
from shared.jobs.discovery.run import DiscoveryRun
from shared.jobs.discovery.streams import OpenSource, Streams, Turns
from shared.jobs.discovery.visits import StreamVisits
from shared.jobs.discovery.waiting import WaitingNotice
from shared.jobs.ledger.discovery import WHOLE_JOB
from shared.jobs.spec.effects import NONE_SEARCHES, NOT_ASKED, asked_sources
from shared.jobs.spec.spec import JobSpec
from shared.sources.registry import SourceRegistry

# An instance that sleeps is paid for. Longer waits are the delay of the continuation's message, which costs nothing.
_LONGEST_NAP_SECONDS = 5.0
_MAX_NAPS_SECONDS = 10.0
# At most this many candidates are held, in pages from which only some candidates were taken, before a visit takes all
# of its page.
_MAX_HELD = 20_000


@dataclass(frozen=True, slots=True)
class Continuation:
    """Discovery has saved its place, and another run must go on from there after `delay_seconds`."""

    delay_seconds: float = 0.0


class Paging:
    """Pages through the sources of one run of discovery."""

    def __init__(
        self,
        run: DiscoveryRun,
        spec: JobSpec,
        sources: SourceRegistry,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._run = run
        self._spec = spec
        self._sleep = sleep
        self._configs = asked_sources(spec)
        opened = [
            OpenSource(position, config, sources.open(config, spec.respect, spec.filters.formats))
            for position, config in enumerate(self._configs)
            if config is not None
        ]
        self._streams = Streams(spec, opened, run.state.streams)
        self._visits = StreamVisits(run)
        self._turns = Turns(tuple(self._streams.made), clock, self._streams.make_variations)
        self._notice = WaitingNotice(run, self._turns, clock)
        self._naps_left_seconds = _MAX_NAPS_SECONDS

    async def page(self, deadline: Deadline) -> Continuation | None:
        """Pages until all streams have ended, the deadline passes, or all streams wait.

        Waits of up to 5 seconds are slept here, at most 10 seconds in all. At least one stream is visited, if any is
        due. The place is saved at the end.

        Returns:
            How another run is to go on; None if all streams have ended.

        Raises:
            Changed: another run is ahead.
            Permanent: no source gave a candidate, and some source failed.
        """
        if not self._run.state.streams:
            self._run.problems.note(self._unused())
        try:
            await self._take_turns(deadline)
        finally:
            await self._close_streams()
        wait_seconds = self._turns.wait_seconds
        if wait_seconds is None:
            await self._complete()
            return None
        await self._visits.take_held(self._streams.made)
        await self._notice.update_before_wait()
        await self._run.pause()
        return Continuation(wait_seconds)

    def _unused(self) -> Iterator[str]:
        """Describes the parts of the spec without effect: sources that are not asked, and unused keywords."""
        for config, asked in zip(self._spec.sources, self._configs, strict=True):
            if asked is None:
                yield f"{config.type}: {NOT_ASKED}"
        searched = any(stream.query.text for stream in self._streams.made)
        if self._spec.labels and None not in self._configs and not searched:
            yield f"{NONE_SEARCHES}: keywords are not used"

    async def _take_turns(self, deadline: Deadline) -> None:
        while (wait_seconds := self._turns.wait_seconds) is not None:
            await self._run.check_job()
            stream = self._turns.take()
            if stream is not None:
                # One candidate per turn fills a limited label from all of its sources.
                most = 1 if self._turns.held_candidates <= _MAX_HELD else None
                self._turns.put_back(stream, await self._visits.visit(stream, most))
                await self._notice.update()
            elif wait_seconds <= min(
                _LONGEST_NAP_SECONDS, self._naps_left_seconds, deadline.remaining_seconds
            ):
                await self._notice.update_before_wait()
                await self._sleep(wait_seconds)
                self._naps_left_seconds -= wait_seconds
            else:
                return
            if deadline.passed:
                return

    async def _close_streams(self) -> None:
        for stream in self._streams.made:
            if stream.pages is not None:
                await stream.pages.aclose()

    async def _complete(self) -> None:
        state, problems = self._run.state, self._run.problems
        state.complete = True
        if any(WHOLE_JOB in stream.skipped_labels for stream in state.streams.values()):
            most = f"{self._run.job.max_images or 0:,}"
            problems.note([f"limit: no more candidates were sought, since the job may keep {most} images"])
        await self._run.save()
        had_sources = bool(self._streams.made) or None in self._configs
        if state.candidates == 0 and problems.count and had_sources:
            raise Permanent("No source gave a candidate: " + "; ".join(problems.lines[:3]))
