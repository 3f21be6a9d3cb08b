"""Collects the candidates of one run of discovery over one job, and saves them.

One transaction saves a chunk, the cursors behind it and the progress. A run that finds that another run has saved
first gives up. The message of a chunk is sent after the transaction. If the run dies in between, the next run sends it.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from shared.concurrency import process_concurrently
from shared.damage import reading
from shared.errors import Changed
from shared.jobs.discovery.begin_refresh import begin_refresh, is_new_refresh
from shared.jobs.discovery.cutting import ChunkSizes, characters_of, split_evenly
from shared.jobs.discovery.known_candidates import KnownCandidates, read_known
from shared.jobs.discovery.moved_images import MovedImages
from shared.jobs.flow.dispatch import Dispatch
from shared.jobs.flow.job_watch import JobWatches
from shared.jobs.flow.rounds import Rounds
from shared.jobs.job.chunk_ids import chunk_id, is_added
from shared.jobs.job.job import Job
from shared.jobs.ledger.chunk_blobs import read_candidates
from shared.jobs.ledger.chunks import MAX_ROWS, Addition
from shared.jobs.ledger.discovery import DiscoveryState
from shared.jobs.ledger.job_data import JobData
from shared.jobs.ledger.report import DiscoveryReport, Problems
from shared.jobs.ledger.rows import ChunkRow, DiscoveryRow
from shared.jobs.ledger.seen import Seen, identity_of
from shared.jobs.ledger.tally import Tally
from shared.records.blob_names import candidates_blob, listed_blob, seen_blob
from shared.records.candidates import Candidate, NumberedCandidate, encode_candidates
from shared.records.delivered import Delivered
from shared.records.records import Record
from shared.runtime import Runtime
from shared.text.plain_text import one_line

_CHUNKS_BETWEEN_SEEN = 250
_MAX_NOTICE = 1000
_WRITES_AT_A_TIME = 4


@dataclass(frozen=True, slots=True)
class DiscoveryParts:
    """Holds what a run works with.

    A chunk usually has at most `chunk_size` candidates, and never more than half as many again.
    """

    data: JobData
    dispatch: Dispatch
    rounds: Rounds
    moved_images: MovedImages
    watches: JobWatches
    runtime: Runtime
    chunk_size: int = 1024


class DiscoveryRun:
    """Collects candidates and saves them. Every method that saves raises `Changed` if another run is ahead.

    `state` is what the next save stores, `problems` are those of all runs so far.
    """

    def __init__(
        self, parts: DiscoveryParts, job: Job, state: DiscoveryState, row: DiscoveryRow, seen: Seen
    ) -> None:
        self.job = job
        self.state = state
        self.problems = Problems.of(row.report)
        self._parts = parts
        self._row = row
        self._seen = seen
        self._found: list[Candidate] = []
        self._characters = 0
        self._watch = parts.watches.watch(job)
        self._known: KnownCandidates | None = None

    @classmethod
    def begin(cls, parts: DiscoveryParts, job: Job) -> "DiscoveryRun":
        """Returns the first run of a job, which has stored nothing yet."""
        return cls(parts, job, DiscoveryState(), DiscoveryRow(b""), Seen())

    @classmethod
    async def resume(cls, parts: DiscoveryParts, job: Job) -> "DiscoveryRun":
        """Returns a run that goes on from the stored state.

        The first run of a revision sends the messages of all unfinished chunks again. The first run of a round has
        the sources asked again for labels that need more candidates.

        Raises:
            Changed: the stored state is of a later revision or round.
            Damaged: something that the job has stored is gone or cannot be read.
        """
        state, row = await parts.data.discovery.read(job.id)
        if (state.revision, state.round) > (job.revision, job.round):
            raise Changed("The job is in a later revision or round.")
        new_revision, new_round = state.revision < job.revision, state.round < job.round
        restarts = is_new_refresh(job, state)
        if restarts:
            state = await begin_refresh(parts.data, job, state, parts.runtime.ids.nonce())
            row = replace(row, report=DiscoveryReport())
        elif new_revision:
            state.begin_revision(job.revision)
        if new_round and not restarts:
            state.begin_round(job.round, await parts.rounds.raised_limits(job))
        run = cls(parts, job, state, row, await _read_seen(parts, job, state))
        run._known = await read_known(parts.data.storage.blobs, state)
        if restarts:
            await run._commit(Addition(restarts=True))
            return run
        if new_revision:
            await parts.dispatch.resend(job)
            state.announced = state.chunks
        else:
            await run._announce(again=True)
        if new_revision or new_round:
            await run.save()
        return run

    def take(self, candidate: Candidate) -> bool:
        """Takes a candidate unless the job has it already; returns whether it was taken.

        A candidate that a refresh knows is only noted as listed, and counts like one that was taken.
        """
        first = self._known.note(candidate) if self._known is not None else None
        if first is False or (first is None and not self._seen.add(identity_of(candidate))):
            return False
        label = candidate.label
        self.state.found[label] = self.state.found.get(label, 0) + 1
        if first is not None and self.state.refresh is not None:
            self.state.refresh.listed += 1
            return True
        self._found.append(candidate)
        self._characters += characters_of(candidate)
        return True

    @property
    def candidates(self) -> int:
        """How many candidates the sources have given, including those that are not saved yet."""
        return self.state.sought + len(self._found)

    def lists(self, line: Delivered) -> bool:
        """Returns whether a source lists an image that a refresh knows."""
        return self._known is not None and self._known.is_listed(line)

    async def check_job(self) -> None:
        """Checks every few seconds that the job was not cancelled or retried meanwhile.

        Raises:
            Changed: it was.
        """
        await self._watch.check_if_due()

    @property
    def notice(self) -> str:
        """The stored notice to the job's owner about what discovery waits for; empty if it does not wait."""
        return self._row.report.notice

    async def save_notice(self, notice: str) -> None:
        """Saves the notice to the job's owner, and nothing else. An empty notice clears the stored one."""
        line = one_line(notice, _MAX_NOTICE)
        if line != self.notice:
            parts = self._parts
            row = replace(self._row, report=replace(self._row.report, notice=line))
            self._row = await parts.data.ledger.add(self.job.id, Addition(), row, parts.runtime.clock.now())

    @property
    def fills_a_chunk(self) -> bool:
        """Whether it is time to save: there is enough for a chunk, or for two chunks if they have the largest size.

        So enough candidates remain at the end of discovery to be cut into small chunks, and all instances finish at
        about the same time.
        """
        size = self._sizes.enough
        return len(self._found) >= (size if size < self._parts.chunk_size else 2 * size)

    async def save(self) -> None:
        """Writes the taken candidates as chunks, saves the state with them, and announces the chunks."""
        count = len(self._found)
        size = self._sizes.last if self.state.complete else self._sizes.largest
        numbered = list(map(NumberedCandidate, itertools.count(self.state.candidates), self._found))
        chunks = await self._write_chunks(split_evenly(numbered, max(size, -(-count // MAX_ROWS))))
        self.state.candidates += count
        self._found.clear()
        self._characters = 0
        await self._commit(Addition(chunks, found=count))
        if self.state.chunks - self.state.seen_chunks >= _CHUNKS_BETWEEN_SEEN:
            await self._save_seen()

    async def save_retried(self, failed: Sequence[Record], chunks_before: Sequence[ChunkRow]) -> None:
        """Writes the candidates of failed records as a new chunk, with the indices that they have.

        `chunks_before` are the chunks whose records they are, which must be at most `MAX_ROWS`.
        """
        numbered = [NumberedCandidate(record.index, record.candidate) for record in failed]
        chunks = await self._write_chunks([numbered] if numbered else [])
        await self._commit(Addition(chunks, retried=chunks_before, retried_outcomes=Tally.of(failed)))

    async def save_taken_over(self, known: Sequence[NumberedCandidate]) -> None:
        """Writes known candidates as a new chunk, with the indices that they have, and saves the state with it."""
        chunks = await self._write_chunks([sorted(known, key=attrgetter("index"))] if known else [])
        await self._commit(Addition(chunks, found=len(known)))

    async def pause(self) -> None:
        """Saves everything, and the addresses seen if there are new ones, so that the next run begins quickly."""
        await self.save()
        if not self.state.complete and self.state.seen_chunks < self.state.chunks:
            await self._save_seen()

    @property
    def _sizes(self) -> ChunkSizes:
        found = len(self._found)
        return ChunkSizes(found, self._characters, self.state.candidates + found, self._parts.chunk_size)

    async def _save_seen(self) -> None:
        name = seen_blob(self.job.id, self.state.chunks, self._parts.runtime.ids.nonce())
        await self._parts.data.storage.blobs.put(name, self._seen.encode())
        self.state.seen_blob, self.state.seen_chunks = name, self.state.chunks
        await self._commit(Addition())

    async def _write_chunks(self, parts: Sequence[Sequence[NumberedCandidate]]) -> list[ChunkRow]:
        """Writes the candidates of the next chunks, and returns the rows of these chunks."""
        rows: dict[str, ChunkRow] = {}
        for part in parts:
            self.state.chunks += 1
            name = chunk_id(self.state.chunks)
            blob = candidates_blob(self.job.id, f"{name}-{self._parts.runtime.ids.nonce()}")
            rows[blob] = ChunkRow(name, blob, len(part))

        async def write(found: tuple[str, Sequence[NumberedCandidate]]) -> None:
            await self._parts.data.storage.blobs.put(found[0], encode_candidates(found[1]))

        await process_concurrently(zip(rows, parts, strict=True), write, _WRITES_AT_A_TIME)
        return list(rows.values())

    async def _commit(self, addition: Addition) -> None:
        parts = self._parts
        await self._save_listed()
        encoded = await parts.data.discovery.encode(self.job.id, self.state, parts.runtime.ids.nonce())
        report = DiscoveryReport(
            problem_count=self.problems.count,
            problems=tuple(self.problems.lines),
            notice="" if self.state.complete else self.notice,
            can_continue=self.state.can_continue,
        )
        row = replace(self._row, state=encoded, report=report)
        self._row = await parts.data.ledger.add(self.job.id, addition, row, parts.runtime.clock.now())
        # the job may have ended meanwhile, but then its chunks are ignored, and the first one need not wait
        await self._announce()
        await self._watch.check_if_due()

    async def _save_listed(self) -> None:
        """Stores which known images the sources have listed, before the cursors behind them are saved."""
        known, refresh = self._known, self.state.refresh
        if known is not None and known.changed and refresh is not None:
            name = listed_blob(self.job.id, self.state.chunks, self._parts.runtime.ids.nonce())
            await self._parts.data.storage.blobs.put(name, known.encode_listed())
            refresh.listed_blob, known.changed = name, False

    async def _announce(self, *, again: bool = False) -> None:
        """Announces the chunks that the state does not count as announced. Repeating it does no harm."""
        numbers = range(self.state.announced + 1, self.state.chunks + 1)
        await self._parts.dispatch.announce_added(self.job, numbers, again=again)
        self.state.announced = self.state.chunks


async def _read_seen(parts: DiscoveryParts, job: Job, state: DiscoveryState) -> Seen:
    """Returns the addresses in the stored blob, and those of the chunks that were added after it."""
    if state.complete:
        return Seen()
    seen = Seen()
    if state.seen_blob:
        with reading("the addresses that the job has found"):
            seen = Seen.decode(await parts.data.storage.blobs.get(state.seen_blob))
    if state.chunks > state.seen_chunks:
        async for chunk in parts.data.ledger.chunks(job.id, after=chunk_id(state.seen_chunks) + "~"):
            # All other chunks have candidates of an added one.
            if is_added(chunk.id):
                for numbered in await read_candidates(parts.data.storage.blobs, chunk):
                    seen.add(identity_of(numbered.candidate))
    return seen
