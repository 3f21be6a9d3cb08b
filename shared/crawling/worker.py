"""The crawl step's engine: fetches and judges a chunk's candidates, many at a time."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.clock import Clock, Deadline
from shared.crawling.chunk import Chunk, ChunkResult
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.fetch import Fetched, Fetcher
from shared.crawling.fetching.host_turns import Turns
from shared.crawling.fetching.patience import Patience, Postponed
from shared.crawling.judging.decoding.allocator import return_large_blocks
from shared.crawling.judging.judge import Judged, Waiting, judge, judge_waiting
from shared.errors import Conflict, NotFound, Retryable, Unavailable
from shared.records.candidates import Candidate, StoredRange
from shared.records.records import Kept, Reason, Record, Rejected
from shared.storage.blobs import BlobStore, BlockStore
from shared.storage.writer import BlobWriter
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry

_LOOK_SECONDS = 0.5
BLOB_SCHEME = "blob:"
"""Begins the address of a candidate that is in storage already."""


@dataclass(frozen=True, slots=True)
class _Shift:
    """The work on one chunk. Downloads can be broken off; storing an image cannot, because others wait for it."""

    chunk: Chunk
    shard: BlobWriter
    patience: Patience
    downloads: set[asyncio.Task[object]] = field(default_factory=set)

    @asynccontextmanager
    async def fetching(
        self, fetch: AbstractAsyncContextManager[Fetched | Rejected]
    ) -> AsyncIterator[Fetched | Rejected]:
        """The fetch, which `leave_off` may cancel until it has its image."""
        task = asyncio.current_task()
        if task is not None:
            self.downloads.add(task)
        async with AsyncExitStack() as stack:
            try:
                fetched = await stack.enter_async_context(fetch)
            finally:
                self.downloads.discard(task)
            yield fetched

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Wait for memory within this. `leave_off` may cancel it.

        Raises:
            Postponed: the chunk's time is over.
        """
        if self.patience.ended:
            raise Postponed
        task = asyncio.current_task()
        if task is not None:
            self.downloads.add(task)
        try:
            async with asyncio.timeout(self.patience.remaining_seconds):
                yield
        except TimeoutError:
            raise Postponed from None
        finally:
            self.downloads.discard(task)

    async def leave_off(self, stop: Callable[[], bool]) -> None:
        """Break the downloads off as soon as `stop` says so."""
        while not stop():  # noqa: ASYNC110 - it is a question, not an event
            await asyncio.sleep(_LOOK_SECONDS)
        for task in self.downloads:
            task.cancel()


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """`concurrency` candidates are under way at a time; decoding takes `threads` (all cores where 0).

    Large pictures share about `decoded_bytes` of memory for decoding; one that needs more is decoded alone.
    """

    concurrency: int = 64
    threads: int = 0
    decoded_bytes: int = 512 << 20


class ChunkWorker:
    """Works chunks through. One for a process: its threads, connections and limits are shared by all chunks."""

    def __init__(
        self,
        fetcher: Fetcher,
        budget: ByteBudget,
        blobs: BlobStore,
        blocks: BlockStore,
        telemetry: Telemetry,
        clock: Clock,
        config: WorkerConfig,
    ) -> None:
        self._fetcher = fetcher
        self._budget = budget
        self._blobs = blobs
        self._blocks = blocks
        self._telemetry = telemetry
        self._clock = clock
        self._config = config
        return_large_blocks()
        self._pixels = ByteBudget(config.decoded_bytes)
        self._threads = ThreadPoolExecutor(config.threads or os.cpu_count() or 1, "judge")

    async def work(self, chunk: Chunk, deadline: Deadline, stop: Callable[[], bool]) -> ChunkResult:
        """Fetch, judge and store until all is done, the deadline passes or `stop` says so.

        Every candidate ends as one record or as unfinished. What is stored stands in the chunk's shard when this
        returns; images of records that are then not written down are merely unused bytes.

        Raises:
            Retryable: storage did not answer.
        """
        patience = Patience(len(chunk.candidates), deadline, stop)
        shift = _Shift(chunk, BlobWriter(self._blobs, self._blocks, chunk.shard), patience)
        records: dict[int, Record] = {}
        # twice as many as fetch at a time: while some images of a host are judged, others are under way
        turns = Turns([_host(candidate) for candidate in chunk.candidates], 2 * self._fetcher.per_host)

        async def take_turns() -> None:
            while (position := await turns.take()) is not None:
                try:
                    if patience.ended:
                        return
                    records[position] = await self._record(shift, position)
                except Postponed:
                    continue
                except asyncio.CancelledError:
                    if not stop():
                        raise
                    return
                finally:
                    turns.done(position)

        workers = min(self._config.concurrency, len(chunk.candidates))
        watcher = asyncio.create_task(shift.leave_off(stop))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(take_turns())
        except* Retryable as group_error:
            raise Unavailable("Storage did not answer while the chunk was crawled.") from group_error
        finally:
            watcher.cancel()
        await shift.shard.close()
        ordered = sorted(records.values(), key=lambda record: record.index)
        unfinished = tuple(position for position in range(len(chunk.candidates)) if position not in records)
        return ChunkResult(tuple(ordered), unfinished, patience.asked)

    async def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _record(self, shift: _Shift, position: int) -> Record:
        candidate = shift.chunk.candidates[position]
        index = shift.chunk.indices[position]
        final_url: str | None = None
        outcome: Kept | Rejected
        try:
            outcome, final_url = await self._outcome(candidate, shift)
        except (Retryable, Postponed):
            raise  # storage does not answer, and the whole chunk comes again; or time is up for this one
        except Exception as error:  # noqa: BLE001 - one image's trouble is not its neighbours'
            signals.failure(self._telemetry, error, operation="crawl_candidate")
            outcome = Rejected(Reason.CRASHED, type(error).__name__)
        fetched_at = self._clock.now().isoformat(timespec="seconds")
        moved = final_url if final_url != candidate.url else None
        return Record(index, candidate, outcome, moved, fetched_at)

    async def _outcome(self, candidate: Candidate, shift: _Shift) -> tuple[Kept | Rejected, str | None]:
        options = shift.chunk.options
        licenses = options.filters.licenses
        if licenses is not None and candidate.provenance.license not in licenses:
            return Rejected(Reason.LICENSE_FILTERED, candidate.provenance.license), None
        if candidate.stored is not None:
            return await self._read(candidate.stored, shift), None
        if candidate.url.startswith(BLOB_SCHEME):
            return await self._stored(candidate.url.removeprefix(BLOB_SCHEME), shift), None
        fetch = self._fetcher.fetch(candidate.url, options.filters, options.respect, shift.patience)
        async with shift.fetching(fetch) as fetched:
            if isinstance(fetched, Rejected):
                return fetched, None
            return await self._keep(fetched, shift), fetched.url

    async def _stored(self, name: str, shift: _Shift) -> Kept | Rejected:
        """The outcome of an image that is in storage already, within the same limits as those from the web."""
        info = await self._blobs.info(name)
        if info is None:
            return Rejected(Reason.NOT_FOUND, "no such blob")
        return await self._read(StoredRange(name, 0, info.size_bytes), shift)

    async def _read(self, where: StoredRange, shift: _Shift) -> Kept | Rejected:
        if where.size > shift.chunk.options.filters.max_bytes:
            return Rejected(Reason.TOO_MANY_BYTES, f"{where.size} bytes")
        if not where.size:
            return Rejected(Reason.EMPTY_BODY)
        share = await self._budget.take(where.size)
        try:
            data = await self._blobs.get(where.blob, offset=where.offset, length=where.size)
            if len(data) != where.size:
                return Rejected(Reason.TRANSFER_BROKEN, "the file that it is stored in is cut short")
            return await self._keep(Fetched(data, BLOB_SCHEME + where.blob), shift)
        except (
            NotFound,
            Conflict,
        ) as error:  # its dataset has a later revision, or it waits in the Archive tier
            return Rejected(Reason.TRANSFER_BROKEN, error.detail)
        finally:
            self._budget.give_back(share)

    async def _keep(self, fetched: Fetched | Rejected, shift: _Shift) -> Kept | Rejected:
        if isinstance(fetched, Rejected):
            return fetched
        judged = await self._judged(fetched.body, shift)
        if isinstance(judged, Rejected):
            return judged
        return Kept(shift.shard.name, await shift.shard.append(judged.data), judged.facts)

    async def _judged(self, data: bytes, shift: _Shift) -> Judged | Rejected:
        """Judge the image in a thread. One that needs much memory waits for it in line, without holding a thread."""
        options = shift.chunk.options
        judged = await asyncio.wrap_future(self._threads.submit(judge, data, options))
        while isinstance(judged, Waiting):
            async with shift.waiting():
                share = await self._pixels.take(judged.needed_bytes)
            work = self._threads.submit(judge_waiting, judged, options)
            work.add_done_callback(self._giving_back(share))
            judged = await asyncio.wrap_future(work)
        return judged

    def _giving_back(self, share: int) -> Callable[[object], None]:
        """A callback that returns the share when the thread is done, even if nobody waits for the thread any more."""
        loop = asyncio.get_running_loop()

        def give_back(_: object) -> None:
            with suppress(RuntimeError):  # the loop has ended, and its line with it
                loop.call_soon_threadsafe(self._pixels.give_back, share)

        return give_back


def _host(candidate: Candidate) -> str:
    """What candidates of one host have in common. An image in storage shares with nobody."""
    if candidate.stored is not None or candidate.url.startswith(BLOB_SCHEME):
        return f"{BLOB_SCHEME}{candidate.url}"
    try:
        return urlsplit(candidate.url).netloc
    except ValueError:
        return ""
