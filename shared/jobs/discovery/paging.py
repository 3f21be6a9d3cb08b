"""The second part of discovery: pages through a job's sources, each query in turn, until all have ended."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace

from shared.clock import Clock, Deadline
from shared.errors import AppError, NotFound, Permanent, RateLimited, Retryable
from shared.jobs.discovery.run import DiscoveryRun
from shared.jobs.discovery.streams import OpenSource, Stream, Streams, Turns
from shared.jobs.discovery.waiting import WaitingNotice
from shared.jobs.ledger.report import MAX_PROBLEM_CHARACTERS
from shared.jobs.spec.spec import JobSpec
from shared.records.candidates import Candidate
from shared.sources.registry import SourceRegistry
from shared.sources.source import Page, SourceConfig
from shared.text.labels import UNLABELLED, clean_label
from shared.text.plain_text import one_line

_MAX_FAILURES = 5
_MAX_WAIT_SECONDS = 900.0
# without a page in between: a source that asks to wait again and again would be waited for forever
_MAX_WAITED_SECONDS = 6 * 3600.0
_LONGEST_NAP_SECONDS = 30.0  # longer waits are the queue's, which costs nothing
_PORTION = 1  # candidate that a stream gives in its turn, where its label has a limit: that keeps what was found first
_MAX_HELD = 20_000  # candidates of pages that were not taken whole


class Paging:
    """Pages through sources into a run of discovery."""

    def __init__(
        self, sources: SourceRegistry, clock: Clock, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._sleep = sleep

    async def run(self, run: DiscoveryRun, spec: JobSpec, deadline: Deadline) -> float | None:
        """Page until all streams have ended (None), or say after how many seconds to go on; one page at least.

        Raises:
            Changed: another run is ahead.
            Permanent: no source gave anything, and some failed.
        """
        licenses = spec.filters.licenses
        configs = [config.under(licenses) if licenses else config for config in spec.sources]
        streams = Streams(spec, self._open(spec, configs), run.state.streams)
        if not run.state.streams:
            run.problems.note(_unused(spec, configs, streams.made))
        turns = Turns(tuple(streams.made), self._clock, streams.vary)
        notice = WaitingNotice(run, turns, self._clock)
        try:
            await self._take_turns(run, turns, notice, deadline)
        finally:
            for stream in streams.made:
                if stream.pages is not None:
                    await stream.pages.aclose()
        if (wait := turns.wait_seconds) is not None:
            await _take_what_is_held(run, streams.made)
            await notice.rest()
            await run.pause()
            return wait
        run.state.complete = True
        await run.save()
        if run.state.candidates == 0 and run.problems.count and (streams.made or None in configs):
            raise Permanent("No source gave a candidate: " + "; ".join(run.problems.lines[:3]))
        return None

    def _open(self, spec: JobSpec, configs: Sequence[SourceConfig | None]) -> Sequence[OpenSource]:
        """The sources, which keep their places in the keys of streams where others are left out."""
        return [
            OpenSource(position, config, self._sources.open(config, spec.respect, spec.filters.formats))
            for position, config in enumerate(configs)
            if config is not None
        ]

    async def _take_turns(
        self, run: DiscoveryRun, turns: Turns, notice: WaitingNotice, deadline: Deadline
    ) -> None:
        """Let streams have their turns until all have ended, the deadline passes, or all wait for too long."""
        while (wait := turns.wait_seconds) is not None:
            await run.look()
            stream = turns.take()
            if stream is not None:
                portion = _PORTION if turns.held <= _MAX_HELD else None
                turns.put_back(stream, await self._take_turn(run, stream, portion))
                await notice.look()
            elif wait <= min(_LONGEST_NAP_SECONDS, deadline.remaining_seconds):
                await notice.rest()
                await self._sleep(wait)
            else:
                break
            if deadline.passed:
                break

    @staticmethod
    async def _take_turn(run: DiscoveryRun, stream: Stream, portion: int | None) -> float | None:
        """Take a portion of the stream's page, or all; returns how long to wait where the source says so."""
        run.state.streams[stream.key] = stream.state
        label = stream.query.label
        if label is not None and _is_full(run, stream, label):
            stream.state.leave(label)
            stream.state.ended = True
            _let_go(run, stream)
            return None
        try:
            await _hold_page(stream)
        except RateLimited as error:
            wait = min(error.retry_after_seconds, _MAX_WAIT_SECONDS)
            stream.state.waited_seconds += wait
            stream.state.why = one_line(error.detail, MAX_PROBLEM_CHARACTERS)
            if stream.state.waited_seconds < _MAX_WAITED_SECONDS:
                return wait
            _give_up(run, stream, f"{error.detail} It has done so for hours.")
            return None
        except Retryable as error:
            stream.state.failures += 1
            tries = f"it failed {stream.state.failures} of {_MAX_FAILURES} times."
            stream.state.why = one_line(f"{tries} {error.detail}", MAX_PROBLEM_CHARACTERS)
            if stream.state.failures < _MAX_FAILURES:
                return 5.0 * (1 << stream.state.failures)
            _give_up(run, stream, error.detail)
            return None
        except (Permanent, NotFound) as error:
            _give_up(run, stream, error.detail)
            return None
        stream.state.failures, stream.state.waited_seconds = 0, 0.0
        _take(run, stream, portion if stream.limit is not None else None)
        if run.fills_a_chunk:
            await run.save()
        return None


def _unused(
    spec: JobSpec, configs: Sequence[SourceConfig | None], streams: Sequence[Stream]
) -> Iterator[str]:
    """What of the spec is of no use: sources that are not asked, keywords that nobody is asked for."""
    for config, asked in zip(spec.sources, configs, strict=True):
        if asked is None:
            yield f"{config.type}: not asked, as it gives nothing under the licences of filters.licenses"
    if spec.labels and None not in configs and not any(stream.query.text for stream in streams):
        yield "none of the sources searches: keywords are not used"


async def _take_what_is_held(run: DiscoveryRun, streams: Sequence[Stream]) -> None:
    """Take the rest of all pages, in turn, so that no service is asked for a page again in the next slice."""
    while held := [stream for stream in streams if stream.left]:
        for stream in held:
            _take(run, stream, _PORTION)
        if run.fills_a_chunk:
            await run.save()


async def _hold_page(stream: Stream) -> None:
    if stream.page is not None:
        return
    if stream.pages is None:
        stream.pages = stream.source.pages(stream.query, stream.state.cursor)
    try:
        stream.page = await anext(stream.pages, Page((), None))
    except AppError:
        stream.pages = None  # it is over; the next try begins at the cursor
        raise
    stream.left.extend(map(_labelled, stream.page.candidates))


def _labelled(candidate: Candidate) -> Candidate:
    """The candidate with a clean label, whatever its source has given."""
    label = clean_label(candidate.label) or UNLABELLED
    return candidate if label == candidate.label else replace(candidate, label=label)


def _take(run: DiscoveryRun, stream: Stream, portion: int | None) -> None:
    """Take so many new candidates of the page, so that other sources have their share; the rest another time.

    The cursor stays before the page until all of it is taken: who goes on there meets what it knows already.
    """
    taken = 0
    while stream.left and (portion is None or taken < portion):
        candidate = stream.left.popleft()
        if _is_full(run, stream, candidate.label):
            stream.state.leave(candidate.label)
        else:
            taken += run.take(candidate)
            if stream.limit is None:
                run.state.listed.add(candidate.label)
    if not stream.left and stream.page is not None:
        stream.state.cursor = stream.page.cursor
        stream.state.ended = stream.page.cursor is None
        _let_go(run, stream)


def _let_go(run: DiscoveryRun, stream: Stream) -> None:
    if stream.page is not None:
        run.problems.note(stream.page.problems)
    stream.left.clear()
    stream.page = None


def _is_full(run: DiscoveryRun, stream: Stream, label: str) -> bool:
    if stream.limit is None:
        return False
    return run.state.found.get(label, 0) >= run.state.most.get(label, stream.limit)


def _give_up(run: DiscoveryRun, stream: Stream, why: str) -> None:
    stream.state.ended = stream.state.gave_up = True
    stream.state.waited_seconds = 0.0
    run.problems.note([f"{stream.query.label or stream.place}: {why}"])
