"""Step 3 of a job: work through one chunk of candidates.

The records blob is the commit point. What follows it (counting, the rest as a new chunk, the last chunk's message)
is done again by whoever gets the message again, and changes nothing the second time.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.clock import Deadline
from shared.crawling.chunk import Chunk, ChunkResult
from shared.crawling.options import CrawlOptions
from shared.crawling.worker import ChunkWorker
from shared.damage import reading
from shared.errors import AlreadyExists, Damaged, Retryable
from shared.jobs.flow.dispatch import Dispatch
from shared.jobs.flow.job_watch import JobWatches
from shared.jobs.flow.transitions import Transitions
from shared.jobs.job.chunk_ids import halves_of, rest_of
from shared.jobs.job.job import Job
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
_KEPT_OPTIONS = 32
# after which a chunk comes again whose hosts have no turn left for it
_POSTPONED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Task:
    """A chunk of a job, with its candidates."""

    job: Job
    chunk: ChunkRow
    candidates: Sequence[NumberedCandidate]


@dataclass(frozen=True, slots=True)
class _Commit:
    """What the records blob of a chunk says. Without any record it says that the chunk is halved."""

    records: Sequence[Record]

    @property
    def halves(self) -> bool:
        return not self.records


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
        self._options: OrderedDict[str, CrawlOptions] = OrderedDict()

    async def run(self, message: ChunkMessage, deadline: Deadline, *, again: bool = True) -> None:
        """Crawl the chunk, or as much of it as the deadline allows, and enqueue the rest.

        Where other chunks have taken all turns at its hosts, the whole chunk is enqueued anew for a while later. That
        is no failure, and counts as none: those others move on, and a job in which nothing does is the watchdog's. A
        chunk that had turns and came to no outcome with them is one: it takes more turns than there are, and in the
        end is halved.

        A message that comes `again` is looked at for what an earlier run committed before it died. One that comes for
        the first time is not: where something is committed all the same, the work is done twice, and dropped.

        The job fails if a stored file of its own is gone or damaged.

        Raises:
            Retryable: storage did not answer, or time or turns ran out before anything was done; the message should
                come again.
        """
        found = await self._find(message)
        if found is None:
            return
        job, chunk = found
        try:
            await self._run(job, chunk, deadline, again=again)
        except Damaged as error:
            await self._transitions.fail_damaged(job, error)

    async def _run(self, job: Job, chunk: ChunkRow, deadline: Deadline, *, again: bool) -> None:
        if chunk.done:
            await self._go_on(job, chunk, repeated=True)
            return
        task = _Task(job, chunk, await read_candidates(self._blobs, chunk))
        earlier = await self._committed(task) if again else None
        if earlier is not None:
            await self._finish(task, earlier)
            return
        result, stopped = await self._crawl(task, deadline)
        if result.records:
            await self._finish(task, await self._commit(task, _Commit(result.records)), stopped=stopped)
        elif not stopped:
            if deadline.passed or result.asked:
                raise Retryable("The chunk ran out of time before its first image.")
            await self._dispatch.postpone(job, chunk.id, _POSTPONED_SECONDS)

    async def give_up(self, message: ChunkMessage) -> None:
        """Halve a chunk that crashes again and again; record a candidate that does so alone as crashed.

        So the job goes on, and loses no more than what makes it crash.
        """
        found = await self._find(message)
        if found is None:
            return
        job, chunk = found
        try:
            await self._give_up(job, chunk)
        except Damaged as error:
            await self._transitions.fail_damaged(job, error)

    async def _give_up(self, job: Job, chunk: ChunkRow) -> None:
        if chunk.done:
            await self._go_on(job, chunk, repeated=True)
            return
        task = _Task(job, chunk, await read_candidates(self._blobs, chunk))
        commit = await self._committed(task)
        if commit is None:
            outcome = Rejected(Reason.CRASHED, "it could not be worked through")
            crashed = [Record(item.index, item.candidate, outcome) for item in task.candidates]
            commit = await self._commit(task, _Commit(crashed if len(crashed) == 1 else ()))
        await self._finish(task, commit)

    async def _find(self, message: ChunkMessage) -> tuple[Job, ChunkRow] | None:
        job = await self._jobs.get(message.user_id, message.job_id)
        if job is None or job.state.terminal:
            return None
        chunk = await self._ledger.chunk(job.id, message.chunk)
        return (job, chunk) if chunk is not None else None

    async def _options_of(self, job_id: str) -> CrawlOptions:
        """What the job's spec says of crawling; specs never change, so those of the last few jobs are kept."""
        if job_id not in self._options:
            spec = await self._jobs.needed_spec(job_id)
            self._options[job_id] = CrawlOptions(spec.filters, spec.transform, spec.respect)
            if len(self._options) > _KEPT_OPTIONS:
                self._options.popitem(last=False)
        return self._options[job_id]

    async def _committed(self, task: _Task) -> _Commit | None:
        """What another run has committed; None where none has."""
        job_id, chunk_id = task.job.id, task.chunk.id
        if await self._blobs.info(records_blob(job_id, chunk_id)) is None:
            return None
        records = await read_records(self._blobs, job_id, chunk_id)
        with reading(f"the records of chunk {chunk_id}"):
            if not {record.index for record in records} <= {item.index for item in task.candidates}:
                raise ValueError("records of other candidates")
        return _Commit(records)

    async def _crawl(self, task: _Task, deadline: Deadline) -> tuple[ChunkResult, bool]:
        """What was done, and whether the job's end stopped it before the others were."""
        job = task.job
        work = Chunk(
            candidates=task.candidates,
            shard=shard_name(job.id, task.chunk.id, self._runtime.ids.nonce()),
            options=await self._options_of(job.id),
        )
        watch = self._watches.over(job)
        async with watch.watching():
            result = await self._worker.work(work, deadline, watch.has_ended)
            stopped = bool(result.unfinished) and await watch.look()
        return result, stopped

    async def _commit(self, task: _Task, commit: _Commit) -> _Commit:
        """Write the records unless another run did; returns what stands."""
        name = records_blob(task.job.id, task.chunk.id)
        try:
            await self._blobs.put(name, encode_records(commit.records), _PACKED_LINES, overwrite=False)
        except AlreadyExists:
            return await self._committed(task) or commit
        return commit

    async def _finish(self, task: _Task, commit: _Commit, *, stopped: bool = False) -> None:
        job, chunk = task.job, task.chunk
        successors = await self._successors(task, commit)
        tally = Tally.of(commit.records)
        first = await self._ledger.finish(job.id, chunk, tally, successors, self._runtime.clock.now())
        if first:
            signals.images_processed(
                self._runtime.telemetry, job_id=job.id, kept=tally.kept, found=tally.found
            )
        if not stopped:
            done = replace(chunk, done=True, successors=tuple(row.id for row in successors))
            await self._go_on(job, done, repeated=not first)

    async def _go_on(self, job: Job, chunk: ChunkRow, *, repeated: bool) -> None:
        """Have done what comes after a chunk that is done.

        Where the progress, looked at after the chunk was done, shows chunks that are not, who ends the last of them
        looks after the job: it need not be asked for here.
        """
        progress = await self._ledger.progress(job.id)
        await self._dispatch.announce_after(job, chunk, progress.added)
        if progress.done >= progress.added:
            await self._transitions.close_if_crawled(job, repeated=repeated)

    async def _successors(self, task: _Task, commit: _Commit) -> Sequence[ChunkRow]:
        """The chunks of what has no record yet; the same ones, however often they are asked for."""
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
