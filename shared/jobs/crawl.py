"""Step 3 of a job: work through one chunk of candidates.

The records blob is the commit point. What follows it (counting, the rest as a new chunk, the last chunk's message)
is done again by whoever gets the message again, and changes nothing the second time.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from shared.candidates import NumberedCandidate, decode_candidates, encode_candidates
from shared.clock import Clock, Deadline
from shared.crawling.chunk import Chunk, CrawlOptions
from shared.crawling.worker import ChunkWorker
from shared.errors import AlreadyExists, AppError, NotFound, Retryable
from shared.ids import Ids
from shared.jobs.chunk_ledger import ChunkLedger, ChunkRow
from shared.jobs.job import Job, work_prefix
from shared.jobs.job_store import JobStore
from shared.jobs.messages import CHUNKS_QUEUE, ChunkMessage, encode
from shared.jobs.tally import Tally
from shared.jobs.transitions import Transitions
from shared.records import Reason, Record, Rejected, decode_records, encode_records
from shared.storage.blobs import BlobAttributes, BlobStore
from shared.storage.queues import QueueSender
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry

_JSON_LINES = BlobAttributes("application/x-ndjson")


@dataclass(frozen=True, slots=True)
class CrawlConfig:
    """`cancel_poll_seconds` is how often a running chunk looks whether its job was cancelled."""

    cancel_poll_seconds: float = 4.0


@dataclass(slots=True)
class _Stop:
    raised: bool = field(default=False)

    def __call__(self) -> bool:
        return self.raised


class Crawl:
    """Crawls chunks. Safe to run twice, at the same time, and to die at any line."""

    def __init__(
        self,
        jobs: JobStore,
        ledger: ChunkLedger,
        blobs: BlobStore,
        queues: QueueSender,
        transitions: Transitions,
        worker: ChunkWorker,
        telemetry: Telemetry,
        clock: Clock,
        ids: Ids,
        config: CrawlConfig,
    ) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self._blobs = blobs
        self._queues = queues
        self._transitions = transitions
        self._worker = worker
        self._telemetry = telemetry
        self._clock = clock
        self._ids = ids
        self._config = config

    async def run(self, message: ChunkMessage, deadline: Deadline) -> None:
        """Crawl the chunk, or as much of it as the deadline allows, and enqueue the rest.

        Raises:
            Retryable: storage did not answer, or nothing at all could be done; the message should come again.
        """
        found = await self._find(message)
        if found is None:
            return
        job, chunk = found
        candidates = await self._candidates(chunk)
        records = await self._committed(job.id, chunk.id)
        if records is None and not chunk.done:
            crawled = await self._crawl(job, chunk, candidates, deadline)
            if not crawled:
                current = await self._jobs.get(job.user_id, job.id)
                if current is None or current.state.terminal:
                    return
                raise Retryable("The chunk ran out of time before its first image.")
            records = await self._commit(job.id, chunk.id, crawled)
        await self._finish(job, chunk, candidates, records or ())

    async def give_up(self, message: ChunkMessage) -> None:
        """Record every candidate of a chunk that keeps crashing as crashed, so that the job goes on."""
        found = await self._find(message)
        if found is None:
            return
        job, chunk = found
        candidates = await self._candidates(chunk)
        records = await self._committed(job.id, chunk.id)
        if records is None and not chunk.done:
            outcome = Rejected(Reason.CRASHED, "the chunk could not be worked through")
            crashed = [Record(item.index, item.candidate, outcome) for item in candidates]
            records = await self._commit(job.id, chunk.id, crashed)
        await self._finish(job, chunk, candidates, records or ())

    async def _find(self, message: ChunkMessage) -> tuple[Job, ChunkRow] | None:
        job = await self._jobs.get(message.user_id, message.job_id)
        if job is None or job.state.terminal:
            return None
        chunk = await self._ledger.chunk(job.id, message.chunk)
        return (job, chunk) if chunk is not None else None

    async def _candidates(self, chunk: ChunkRow) -> tuple[NumberedCandidate, ...]:
        return tuple(decode_candidates(await self._blobs.get(chunk.candidates_blob)))

    async def _committed(self, job_id: str, chunk_id: str) -> Sequence[Record] | None:
        try:
            return tuple(decode_records(await self._blobs.get(records_blob(job_id, chunk_id))))
        except NotFound:
            return None

    async def _crawl(
        self, job: Job, chunk: ChunkRow, candidates: Sequence[NumberedCandidate], deadline: Deadline
    ) -> Sequence[Record]:
        spec = await self._jobs.spec(job.id)
        shard = f"{job.work_prefix}shards/{chunk.id}-{self._ids.nonce()}"
        work = Chunk(
            candidates=tuple(item.candidate for item in candidates),
            indices=tuple(item.index for item in candidates),
            shard=shard,
            options=CrawlOptions(spec.filters, spec.transform, spec.respect),
        )
        async with self._watching_for_cancel(job) as stop:
            result = await self._worker.work(work, deadline, stop)
        return result.records

    @contextlib.asynccontextmanager
    async def _watching_for_cancel(self, job: Job) -> AsyncIterator[_Stop]:
        stop = _Stop()

        async def watch() -> None:
            while not stop.raised:
                await asyncio.sleep(self._config.cancel_poll_seconds)
                with contextlib.suppress(AppError):  # the next look may succeed
                    current = await self._jobs.get(job.user_id, job.id)
                    stop.raised = current is None or current.state.terminal

        watcher = asyncio.create_task(watch())
        try:
            yield stop
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    async def _commit(self, job_id: str, chunk_id: str, records: Sequence[Record]) -> Sequence[Record]:
        """Write the records unless another run did; returns those that stand."""
        try:
            name = records_blob(job_id, chunk_id)
            await self._blobs.put(name, encode_records(records), _JSON_LINES, overwrite=False)
        except AlreadyExists:
            return await self._committed(job_id, chunk_id) or ()
        return records

    async def _finish(
        self, job: Job, chunk: ChunkRow, candidates: Sequence[NumberedCandidate], records: Sequence[Record]
    ) -> None:
        successor = await self._rest(job.id, chunk, candidates, records)
        if not chunk.done:
            tally = Tally.of(records)
            await self._ledger.finish(job.id, chunk, tally, successor, self._clock.now())
            signals.images_processed(self._telemetry, job_id=job.id, kept=tally.kept, found=tally.found)
        if successor is not None:
            following = ChunkMessage(job.user_id, job.id, successor.id, job.traceparent)
            await self._queues.send(CHUNKS_QUEUE, encode(following))
            return
        await self._transitions.close_if_crawled(job)

    async def _rest(
        self,
        job_id: str,
        chunk: ChunkRow,
        candidates: Sequence[NumberedCandidate],
        records: Sequence[Record],
    ) -> ChunkRow | None:
        """The chunk of what has no record yet; the same one, however often it is asked for."""
        done = {record.index for record in records}
        rest = [item for item in candidates if item.index not in done]
        if not rest:
            return None
        stem, _, number = chunk.id.partition(".")
        chunk_id = f"{stem}.{int(number or 1) + 1:04}"
        name = f"{work_prefix(job_id)}candidates/{chunk_id}.jsonl"
        if not chunk.done:
            await self._blobs.put(name, encode_candidates(rest), _JSON_LINES)
        return ChunkRow(chunk_id, name, len(rest))


def records_blob(job_id: str, chunk_id: str) -> str:
    """Where the records of a chunk are."""
    return f"{work_prefix(job_id)}records/{chunk_id}.jsonl"
