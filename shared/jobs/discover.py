"""Step 2 of a job: page through the sources, and write down candidates, a chunk at a time.

A chunk, the cursors behind it and the progress are saved in one transaction; whoever finds that another run saved
first steps aside. The message of a chunk is sent after that, and sent again by the next run where this one died
in between.
"""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from shared.candidates import Candidate, NumberedCandidate, decode_candidates, encode_candidates
from shared.clock import Clock, Deadline
from shared.errors import AppError, Changed, NotFound, Permanent, RateLimited, Retryable
from shared.ids import Ids
from shared.jobs.chunk_ledger import ChunkLedger, ChunkRow, DiscoveryRow
from shared.jobs.discovery_state import DiscoveryState, DiscoveryStates, Seen, StreamState
from shared.jobs.job import Job
from shared.jobs.job_store import JobStore
from shared.jobs.messages import CHUNKS_QUEUE, JOBS_QUEUE, ChunkMessage, JobMessage, encode
from shared.jobs.spec import JobSpec
from shared.jobs.states import State
from shared.jobs.transitions import Transitions
from shared.sources.registry import SourceContext, open_source
from shared.sources.source import Page, Query, Source
from shared.storage.blobs import BlobStore
from shared.storage.queues import QueueSender
from shared.web.urls import address_key

_MAX_FAILURES = 5
_MAX_WAIT_SECONDS = 900.0
_OVERSAMPLING, _SPARE = 2, 20  # so many candidates for an image that is wanted, as some will be rejected


@dataclass(frozen=True, slots=True)
class DiscoverConfig:
    """`chunk_size` is about how many candidates a chunk has; a page's rest makes it a little more or less."""

    chunk_size: int = 256


@dataclass(slots=True)
class _Stream:
    key: str
    source: Source
    query: Query
    limit: int | None
    state: StreamState
    pages: AsyncGenerator[Page] | None = None


@dataclass(slots=True)
class _Run:
    """One run of discovery over one job."""

    job: Job
    state: DiscoveryState
    row: DiscoveryRow
    seen: Seen
    buffer: list[Candidate] = field(default_factory=list)


class Discover:
    """Finds a job's candidates. Safe to run twice, at the same time, and to die at any line."""

    def __init__(
        self,
        jobs: JobStore,
        ledger: ChunkLedger,
        blobs: BlobStore,
        queues: QueueSender,
        transitions: Transitions,
        sources: SourceContext,
        clock: Clock,
        ids: Ids,
        config: DiscoverConfig,
    ) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self._states = DiscoveryStates(ledger, blobs)
        self._blobs = blobs
        self._queues = queues
        self._transitions = transitions
        self._sources = sources
        self._clock = clock
        self._ids = ids
        self._config = config

    async def run(self, message: JobMessage, deadline: Deadline) -> None:
        """Discover until everything is found, or the deadline passes and a continuation is enqueued.

        Raises:
            Retryable: storage did not answer; the message should come again.
        """
        job = await self._jobs.get(message.user_id, message.job_id)
        if job is None or job.state.terminal or job.state is State.ARCHIVING:
            return
        job = await self._transitions.advance(job, State.QUEUED, State.DISCOVERING)
        try:
            run = await self._resume(job)
            await self._announce(run)
            if job.state is State.DISCOVERING and not run.state.complete:
                delay = await self._page_through(run, deadline)
                if delay is not None:
                    again = encode(JobMessage(job.user_id, job.id, message.traceparent))
                    await self._queues.send(JOBS_QUEUE, again, delay_seconds=delay)
                    return
        except Changed:
            return  # another run of this job is ahead, with a message of its own
        except Permanent as error:
            await self._transitions.fail(job, "discovery_failed", error.detail)
            return
        job = await self._transitions.advance(job, State.DISCOVERING, State.CRAWLING)
        await self._transitions.close_if_crawled(job)

    async def _resume(self, job: Job) -> _Run:
        state, row = await self._states.read(job.id)
        seen = Seen()
        if state.seen_blob and not state.complete:
            seen = Seen.decode(await self._blobs.get(state.seen_blob))
        if not state.complete and state.chunks > state.seen_chunks:
            async for chunk in self._ledger.chunks(job.id, after=_chunk_id(state.seen_chunks) + "~"):
                if "." in chunk.id:
                    continue  # the rest of an earlier chunk, whose candidates are known
                for numbered in decode_candidates(await self._blobs.get(chunk.candidates_blob)):
                    seen.add(address_key(numbered.candidate.url))
        return _Run(job, state, row, seen)

    async def _page_through(self, run: _Run, deadline: Deadline) -> float | None:
        """Page until all streams have ended (None), or say after how many seconds to go on."""
        spec = await self._jobs.spec(run.job.id)
        streams = self._open_streams(run, spec)
        waiting: list[float] = []
        turn = deque(stream for stream in streams if not stream.state.ended)
        try:
            while turn and not deadline.passed:
                stream = turn.popleft()
                wait = await self._take_turn(run, stream)
                if wait is not None:
                    waiting.append(wait)
                elif not stream.state.ended:
                    turn.append(stream)
        finally:
            for stream in streams:
                if stream.pages is not None:
                    await stream.pages.aclose()
        if turn or waiting:
            await self._pause(run)
            return 0.0 if turn else min(waiting)
        run.state.complete = True
        await self._save(run)
        self._refuse_if_nothing_worked(run, streams)
        return None

    def _open_streams(self, run: _Run, spec: JobSpec) -> list[_Stream]:
        streams: list[_Stream] = []
        for position, config in enumerate(spec.sources):
            source = open_source(config, self._sources)
            for query in source.queries(spec.labels):
                key = f"{position}:{query.key}"
                state = run.state.streams.get(key) or StreamState()
                limit = spec.limit_of(query.label or "", searched=query.label is not None)
                most = None if limit is None else limit * _OVERSAMPLING + _SPARE
                streams.append(_Stream(key, source, query, most, state))
        return streams

    async def _take_turn(self, run: _Run, stream: _Stream) -> float | None:
        """Take pages of the stream until a chunk is full; returns how long to wait where the source says so."""
        run.state.streams[stream.key] = stream.state
        if self._is_full(run, stream, stream.query.label):
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
            self._give_up(run, stream, error.detail)
            return None
        except (Permanent, NotFound) as error:
            self._give_up(run, stream, error.detail)
            return None
        stream.state.failures = 0
        self._take(run, stream, page)
        if len(run.buffer) >= self._config.chunk_size:
            await self._save(run)
        return None

    async def _next_page(self, stream: _Stream) -> Page:
        if stream.pages is None:
            stream.pages = stream.source.pages(stream.query, stream.state.cursor)
        try:
            return await anext(stream.pages, Page((), None))
        except AppError:
            stream.pages = None  # it is over; the next try begins at the cursor
            raise

    def _take(self, run: _Run, stream: _Stream, page: Page) -> None:
        run.state.note(page.problems)
        for candidate in page.candidates:
            if self._is_full(run, stream, candidate.label):
                continue
            if run.seen.add(address_key(candidate.url)):
                run.state.found[candidate.label] = run.state.found.get(candidate.label, 0) + 1
                run.buffer.append(candidate)
        stream.state.cursor = page.cursor
        stream.state.ended = page.cursor is None

    @staticmethod
    def _is_full(run: _Run, stream: _Stream, label: str | None) -> bool:
        return (
            stream.limit is not None and label is not None and run.state.found.get(label, 0) >= stream.limit
        )

    @staticmethod
    def _give_up(run: _Run, stream: _Stream, why: str) -> None:
        stream.state.ended = True
        run.state.note([f"{stream.query.label or stream.key}: {why}"])

    def _refuse_if_nothing_worked(self, run: _Run, streams: Sequence[_Stream]) -> None:
        if run.state.candidates == 0 and run.state.problems and streams:
            raise Permanent("No source gave a candidate: " + "; ".join(run.state.problems[:3]))

    async def _pause(self, run: _Run) -> None:
        """Save everything, the seen addresses too, so that the next run begins at once."""
        await self._save(run)
        name = f"{run.job.work_prefix}seen/{run.state.chunks:05}-{self._ids.nonce()}"
        await self._blobs.put(name, run.seen.encode())
        run.state.seen_blob, run.state.seen_chunks = name, run.state.chunks
        await self._save(run)

    async def _save(self, run: _Run) -> None:
        """Write the buffer as chunks, save the state with them, and announce them."""
        chunks: list[ChunkRow] = []
        for part in _parts(run.buffer, self._config.chunk_size):
            run.state.chunks += 1
            chunk_id = _chunk_id(run.state.chunks)
            name = f"{run.job.work_prefix}candidates/{chunk_id}-{self._ids.nonce()}.jsonl"
            first = run.state.candidates
            numbered = (NumberedCandidate(first + at, candidate) for at, candidate in enumerate(part))
            await self._blobs.put(name, encode_candidates(numbered))
            run.state.candidates += len(part)
            chunks.append(ChunkRow(chunk_id, name, len(part)))
        run.buffer.clear()
        encoded = await self._states.encode(run.job.id, run.state, self._ids.nonce())
        row = replace(run.row, state=encoded)
        run.row = await self._ledger.add_chunks(run.job.id, chunks, row, self._clock.now())
        current = await self._jobs.get(run.job.user_id, run.job.id)
        if current is None or current.state.terminal:
            raise Changed("The job ended meanwhile.")
        await self._announce(run)

    async def _announce(self, run: _Run) -> None:
        """Send the messages of the chunks that have had none; repeating one does no harm."""
        while run.state.announced < run.state.chunks:
            chunk_id = _chunk_id(run.state.announced + 1)
            message = ChunkMessage(run.job.user_id, run.job.id, chunk_id, run.job.traceparent)
            await self._queues.send(CHUNKS_QUEUE, encode(message))
            run.state.announced += 1


def _chunk_id(number: int) -> str:
    return f"{number:05}"


def _parts(candidates: Sequence[Candidate], size: int) -> list[Sequence[Candidate]]:
    """Parts of about `size`, as even as can be."""
    count = max(1, round(len(candidates) / size)) if candidates else 0
    bounds = [len(candidates) * at // count for at in range(count + 1)] if count else []
    return [candidates[start:end] for start, end in pairwise(bounds)]
