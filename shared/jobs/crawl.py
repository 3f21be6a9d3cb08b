"""Step 3 of a job: crawls one chunk of candidates.

The records blob is the commit point. What follows it (the count, the chunk of the rest, the message after the last
chunk) is done again if the message is delivered again, and has no effect the second time.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.clock import Deadline
from shared.concurrency import task_group
from shared.crawling.chunk import Chunk
from shared.crawling.options import CrawlOptions
from shared.crawling.worker import ChunkWorker
from shared.damage import reading
from shared.errors import AlreadyExists, Damaged, Permanent, Retryable
from shared.jobs.flow.dispatch import Dispatch
from shared.jobs.flow.job_watch import JobWatches
from shared.jobs.flow.transitions import Transitions
from shared.jobs.job.chunk_ids import halves_of, rest_of
from shared.jobs.job.failures import MODEL_FAILED
from shared.jobs.job.job import Job, Refresh
from shared.jobs.job.messages import ChunkMessage
from shared.jobs.ledger.chunk_blobs import read_candidates, read_records
from shared.jobs.ledger.job_data import JobData
from shared.jobs.ledger.rows import ChunkRow
from shared.jobs.ledger.tally import Tally
from shared.records.blob_names import candidates_blob, records_blob, shard_name
from shared.records.candidates import NumberedCandidate, encode_candidates
from shared.records.records import Reason, Record, Rejected, encode_records
from shared.runtime import Runtime
from shared.storage.blobs import BlobAttributes
from shared.telemetry import signals

_PACKED_LINES = BlobAttributes("application/gzip")
_MAX_CACHED_OPTIONS = 32
# The delay of a chunk whose hosts are all busy with other chunks.
_POSTPONED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Task:
    """A chunk of a job, with its candidates and the crawl options of the job."""

    job: Job
    chunk: ChunkRow
    candidates: Sequence[NumberedCandidate]
    options: CrawlOptions


@dataclass(frozen=True, slots=True)
class _Commit:
    """The content of a chunk's records blob. A blob without records says that the chunk is halved."""

    records: Sequence[Record]

    @property
    def halves(self) -> bool:
        return not self.records


@dataclass(frozen=True, slots=True)
class _Work:
    """The worker's result for a chunk. `job_ended` is true if it stopped early because the job has ended."""

    records: Sequence[Record]
    asked_hosts: bool
    job_ended: bool


class Crawl:
    """Crawls chunks. Safe to run twice, at the same time, and to die at any line."""

    def __init__(
        self,
        data: JobData,
        dispatch: Dispatch,
        transitions: Transitions,
        worker: ChunkWorker,
        runtime: Runtime,
        watches: JobWatches,
    ) -> None:
        self._jobs = data.jobs
        self._ledger = data.ledger
        self._blobs = data.storage.blobs
        self._dispatch = dispatch
        self._transitions = transitions
        self._worker = worker
        self._runtime = runtime
        self._watches = watches
        self._options: OrderedDict[tuple[str, int], CrawlOptions] = OrderedDict()
        self._reading_options = asyncio.Lock()

    async def run(self, message: ChunkMessage, deadline: Deadline, *, redelivered: bool = True) -> None:
        """Crawls the chunk, or as much of it as the deadline allows, and enqueues the rest.

        If all its hosts are busy with other chunks, the whole chunk is enqueued again with a delay. That does not
        count as a failure: the other chunks move on, and the watchdog handles a job in which nothing moves. A chunk
        that made requests but finished no candidate fails. If that happens again and again, it is halved.

        A message that is `redelivered` may belong to an earlier run that committed its records and then died, so the
        run looks for them. Otherwise it does not. If records are committed all the same, the work is done twice, and
        the second result is dropped.

        The job fails if one of its stored files is gone or damaged, or a model that it needs does not work.

        Raises:
            Retryable: storage did not answer, or the deadline passed or requests were made before any candidate was
                finished; the message should come again.
        """
        found = await self._find(message)
        if found is None:
            return
        job, chunk = found
        try:
            await self._run(job, chunk, deadline, redelivered=redelivered)
        except Damaged as error:
            await self._transitions.fail_damaged(job, error)
        except Permanent as error:
            await self._transitions.fail(job, MODEL_FAILED, error.detail, error)

    async def _run(self, job: Job, chunk: ChunkRow, deadline: Deadline, *, redelivered: bool) -> None:
        if chunk.done:
            await self._follow(job, chunk, repeated=True)
            return
        task = await self._task(job, chunk)
        committed = await self._read_commit(task) if redelivered else None
        if committed is not None:
            await self._finish(task, committed)
            return
        work = await self._crawl(task, deadline)
        if work.records:
            commit = await self._write_commit(task, _Commit(work.records))
            await self._finish(task, commit, job_ended=work.job_ended)
        elif work.job_ended:
            return
        elif deadline.passed or work.asked_hosts:
            raise Retryable("The chunk ran out of time before its first image.")
        else:
            await self._dispatch.postpone(job, chunk.id, _POSTPONED_SECONDS)

    async def handle_poison(self, message: ChunkMessage) -> None:
        """Halves a chunk that crashes again and again, or records its only candidate as crashed.

        So the job goes on, and loses only the candidate that makes it crash. The job fails if one of its stored files
        is gone or damaged.
        """
        found = await self._find(message)
        if found is None:
            return
        job, chunk = found
        try:
            await self._handle_poison(job, chunk)
        except Damaged as error:
            await self._transitions.fail_damaged(job, error)

    async def _handle_poison(self, job: Job, chunk: ChunkRow) -> None:
        if chunk.done:
            await self._follow(job, chunk, repeated=True)
            return
        task = await self._task(job, chunk)
        commit = await self._read_commit(task)
        if commit is None:
            outcome = Rejected(Reason.CRASHED, "it could not be worked through")
            crashed = [Record(item.index, item.candidate, outcome) for item in task.candidates]
            commit = await self._write_commit(task, _Commit(crashed if len(crashed) == 1 else ()))
        await self._finish(task, commit)

    async def _find(self, message: ChunkMessage) -> tuple[Job, ChunkRow] | None:
        """Returns the message's job and chunk; None if the job has ended or one of them does not exist."""
        async with task_group() as group:
            reading_chunk = group.create_task(self._ledger.chunk(message.job_id, message.chunk))
            job = await self._jobs.get(message.user_id, message.job_id)
        chunk = reading_chunk.result()
        if job is None or job.state.terminal or chunk is None:
            return None
        return job, chunk

    async def _task(self, job: Job, chunk: ChunkRow) -> _Task:
        async with task_group() as group:
            reading_options = group.create_task(self._options_of(job))
            candidates = await read_candidates(self._blobs, chunk)
        return _Task(job, chunk, candidates, reading_options.result())

    async def _options_of(self, job: Job) -> CrawlOptions:
        """Returns the crawl options of the job. A few jobs' options are cached: those of a revision never change."""
        key = job.id, job.revision
        if key in self._options:
            return self._options[key]
        # chunks of a job begin at the same time, and one read serves them all
        async with self._reading_options:
            if key not in self._options:
                spec = await self._jobs.needed_spec(job.id)
                refresh = job.refresh or Refresh(began=0, base=0)
                self._options[key] = CrawlOptions(
                    spec.filters,
                    spec.transform,
                    spec.respect,
                    refresh.remove_gone,
                    refresh.check,
                    relevance=spec.wants_relevance,
                    embeddings=spec.output.embeddings,
                )
                if len(self._options) > _MAX_CACHED_OPTIONS:
                    self._options.popitem(last=False)
            return self._options[key]

    async def _crawl(self, task: _Task, deadline: Deadline) -> _Work:
        job = task.job
        chunk = Chunk(
            candidates=task.candidates,
            shard=shard_name(job.id, task.chunk.id, self._runtime.ids.nonce()),
            options=task.options,
        )
        watch = self._watches.watch(job)
        async with watch.watching():
            result = await self._worker.work(chunk, deadline, watch.has_ended)
            job_ended = bool(result.unfinished) and await watch.refresh()
        return _Work(result.records, result.asked, job_ended)

    async def _read_commit(self, task: _Task) -> _Commit | None:
        """Returns what another run has committed; None if no run has."""
        job_id, chunk_id = task.job.id, task.chunk.id
        if await self._blobs.info(records_blob(job_id, chunk_id)) is None:
            return None
        records = await read_records(self._blobs, job_id, chunk_id)
        with reading(f"the records of chunk {chunk_id}"):
            if not {record.index for record in records} <= {item.index for item in task.candidates}:
                raise ValueError("records of other candidates")
        return _Commit(records)

    async def _write_commit(self, task: _Task, commit: _Commit) -> _Commit:
        """Writes the records unless another run has; returns the commit that is stored."""
        name = records_blob(task.job.id, task.chunk.id)
        try:
            await self._blobs.put(name, encode_records(commit.records), _PACKED_LINES, overwrite=False)
        except AlreadyExists:
            return await self._read_commit(task) or commit
        return commit

    async def _finish(self, task: _Task, commit: _Commit, *, job_ended: bool = False) -> None:
        """Counts a committed chunk and adds its successors; then starts what follows, unless the job has ended."""
        job, chunk = task.job, task.chunk
        successors = await self._successors(task, commit)
        tally = Tally.of(commit.records)
        first = await self._ledger.finish(job.id, chunk, tally, successors, self._runtime.clock.now())
        if first:
            signals.images_processed(
                self._runtime.telemetry, job_id=job.id, kept=tally.kept, found=tally.found
            )
        if not job_ended:
            done = replace(chunk, done=True, successors=tuple(row.id for row in successors))
            await self._follow(job, done, repeated=not first)

    async def _follow(self, job: Job, chunk: ChunkRow, *, repeated: bool) -> None:
        """Starts what follows a done chunk: the next chunks, or the job's next step if all chunks are done.

        The progress is read after the chunk was done. If it shows unfinished chunks, whoever finishes the last of them
        starts the next step.
        """
        progress = await self._ledger.progress(job.id)
        await self._dispatch.announce_after(job, chunk, progress.added)
        if progress.done >= progress.added:
            await self._transitions.close_if_crawled(job, repeated=repeated, seen=progress)

    async def _successors(self, task: _Task, commit: _Commit) -> Sequence[ChunkRow]:
        """Writes the blobs of the chunks for the candidates without a record, and returns their rows.

        Every call for the same commit writes the same blobs and returns the same rows.
        """
        done = {record.index for record in commit.records}
        rest = [item for item in task.candidates if item.index not in done]
        if not rest:
            return ()
        parts = {rest_of(task.chunk.id): rest}
        if commit.halves:
            middle = len(rest) // 2
            parts = dict(zip(halves_of(task.chunk.id), (rest[:middle], rest[middle:]), strict=True))
        rows: list[ChunkRow] = []
        for name, part in parts.items():
            blob = candidates_blob(task.job.id, name)
            await self._blobs.put(blob, encode_candidates(part), _PACKED_LINES)
            rows.append(ChunkRow(name, blob, len(part)))
        return rows
