"""The second part of discovery: pages through a job's sources, each query in turn, until all have ended."""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from shared.clock import Deadline
from shared.errors import AppError, NotFound, Permanent, RateLimited, Retryable
from shared.jobs.discovery_run import DiscoveryRun
from shared.jobs.discovery_state import StreamState
from shared.jobs.spec import JobSpec
from shared.sources.registry import SourceContext, open_source
from shared.sources.source import Page, Query, Source

_MAX_FAILURES = 5
_MAX_WAIT_SECONDS = 900.0
_OVERSAMPLING, _SPARE = 2, 20  # so many candidates for an image that is wanted, as some will be rejected


@dataclass(slots=True)
class _Stream:
    key: str
    source: Source
    query: Query
    limit: int | None
    state: StreamState
    pages: AsyncGenerator[Page] | None = None


class Paging:
    """Pages through sources into a run of discovery."""

    def __init__(self, sources: SourceContext) -> None:
        self._sources = sources

    async def run(self, run: DiscoveryRun, spec: JobSpec, deadline: Deadline) -> float | None:
        """Page until all streams have ended (None), or say after how many seconds to go on; one page at least.

        Raises:
            Changed: another run is ahead.
            Permanent: no source gave anything, and some failed.
        """
        streams = self._open(run, spec)
        waiting: list[float] = []
        turn = deque(stream for stream in streams if not stream.state.ended)
        try:
            while turn:
                await run.look()
                stream = turn.popleft()
                wait = await self._take_turn(run, stream)
                if wait is not None:
                    waiting.append(wait)
                elif not stream.state.ended:
                    turn.append(stream)
                if deadline.passed:
                    break
        finally:
            for stream in streams:
                if stream.pages is not None:
                    await stream.pages.aclose()
        if turn or waiting:
            await run.pause()
            return 0.0 if turn else min(waiting)
        run.state.complete = True
        await run.save()
        if run.state.candidates == 0 and run.state.problems and streams:
            raise Permanent("No source gave a candidate: " + "; ".join(run.state.problems[:3]))
        return None

    def _open(self, run: DiscoveryRun, spec: JobSpec) -> Sequence[_Stream]:
        streams: list[_Stream] = []
        context = replace(self._sources, respect=spec.respect)
        for position, config in enumerate(spec.sources):
            source = open_source(config, context)
            for query in source.queries(spec.labels):
                key = f"{position}:{query.key}"
                state = run.state.streams.get(key) or StreamState()
                limit = spec.limit_of(query.label or "", searched=config.searches)
                most = None if limit is None else limit * _OVERSAMPLING + _SPARE
                streams.append(_Stream(key, source, query, most, state))
        return streams

    async def _take_turn(self, run: DiscoveryRun, stream: _Stream) -> float | None:
        """Take a page of the stream; returns how long to wait where the source says so."""
        run.state.streams[stream.key] = stream.state
        if _is_full(run, stream, stream.query.label):
            stream.state.ended = True
            return None
        try:
            page = await self._next_page(stream)
        except RateLimited as error:
            return min(error.retry_after_seconds, _MAX_WAIT_SECONDS)
        except Retryable as error:
            stream.state.failures += 1
            if stream.state.failures < _MAX_FAILURES:
                return 5.0 * (1 << stream.state.failures)
            _give_up(run, stream, error.detail)
            return None
        except (Permanent, NotFound) as error:
            _give_up(run, stream, error.detail)
            return None
        stream.state.failures = 0
        _take(run, stream, page)
        if run.fills_a_chunk:
            await run.save()
        return None

    async def _next_page(self, stream: _Stream) -> Page:
        if stream.pages is None:
            stream.pages = stream.source.pages(stream.query, stream.state.cursor)
        try:
            return await anext(stream.pages, Page((), None))
        except AppError:
            stream.pages = None  # it is over; the next try begins at the cursor
            raise


def _take(run: DiscoveryRun, stream: _Stream, page: Page) -> None:
    run.state.note(page.problems)
    for candidate in page.candidates:
        if not _is_full(run, stream, candidate.label):
            run.take(candidate)
    stream.state.cursor = page.cursor
    stream.state.ended = page.cursor is None


def _is_full(run: DiscoveryRun, stream: _Stream, label: str | None) -> bool:
    return stream.limit is not None and label is not None and run.state.found.get(label, 0) >= stream.limit


def _give_up(run: DiscoveryRun, stream: _Stream, why: str) -> None:
    stream.state.ended = stream.state.gave_up = True
    run.state.note([f"{stream.query.label or stream.key}: {why}"])
