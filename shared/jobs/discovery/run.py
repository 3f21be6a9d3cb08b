"""One run of discovery over one job: what it has found, and how it is saved.

A chunk, the cursors behind it and the progress are saved in one transaction; whoever finds that another run saved
first steps aside. The message of a chunk is sent after that, and sent again by the next run where this one died
in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from shared.damage import reading
from shared.errors import Changed
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
from shared.jobs.ledger.seen import Seen
from shared.jobs.ledger.tally import Tally
from shared.records.blob_names import candidates_blob, seen_blob
from shared.records.candidates import Candidate, NumberedCandidate, encode_candidates
from shared.records.records import Record
from shared.runtime import Runtime
from shared.text.plain_text import one_line
from shared.web.addresses.urls import address_key

_SMALL_CHUNK = 256
_LAST_CHUNKS = 3
_CHUNK_CHARACTERS = 4 << 20  # of text; candidates have some hundred each, but in a list they may have 30,000
_CHUNKS_BETWEEN_SEEN = 250
_MAX_NOTICE = 1000


@dataclass(frozen=True, slots=True)
class DiscoveryParts:
    """What a run works with. A chunk has about `chunk_size` candidates at most; a page's rest makes it more or less."""

    data: JobData
    dispatch: Dispatch
    rounds: Rounds
    moved_images: MovedImages
    watches: JobWatches
    runtime: Runtime
    chunk_size: int = 1024


class DiscoveryRun:
    """Collects candidates and saves them. Every method raises `Changed` where another run is ahead."""

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
        self._watch = parts.watches.over(job)

    @classmethod
    async def resume(cls, parts: DiscoveryParts, job: Job) -> "DiscoveryRun":
        """The run that goes on where the last one saved.

        First in a job's revision, it brings the job's chunks back; first in a round, it takes up what was left.
        """
        state, row = await parts.data.discovery.read(job.id)
        if (state.revision, state.round) > (job.revision, job.round):
            raise Changed("The job is in a later revision or round.")
        begins, goes_on = state.revision < job.revision, state.round < job.round
        if begins:
            state.begin(job.revision)
        if goes_on:
            state.go_on(job.round, await parts.rounds.wanted(job))
        run = cls(parts, job, state, row, await _seen(parts, job, state))
        if begins:
            await parts.dispatch.resume(job)
            state.announced = state.chunks
        else:
            await run._announce(again=True)
        if begins or goes_on:
            await run.save()
        return run

    def take(self, candidate: Candidate) -> bool:
        """Take a candidate, unless it was there before; whether it was taken."""
        if not self._seen.add(_key(candidate)):
            return False
        label = candidate.label
        self.state.found[label] = self.state.found.get(label, 0) + 1
        self._found.append(candidate)
        self._characters += _characters_of(candidate)
        return True

    async def look(self) -> None:
        """See every few seconds whether the job was cancelled; raises `Changed` where it was."""
        await self._watch.check_if_due()

    @property
    def notice(self) -> str:
        """What the job's owner is told that discovery waits for."""
        return self._row.report.notice

    async def tell(self, notice: str) -> None:
        """Save what discovery waits for, for the job's owner (empty for nothing), and nothing else."""
        line = one_line(notice, _MAX_NOTICE)
        if line != self.notice:
            parts = self._parts
            row = replace(self._row, report=replace(self._row.report, notice=line))
            self._row = await parts.data.ledger.add(self.job.id, Addition(), row, parts.runtime.clock.now())

    @property
    def fills_a_chunk(self) -> bool:
        """Whether it is time to save: where there is enough for a chunk, or for two of the largest.

        So what is left when discovery ends can be cut small, and the instances end about together.
        """
        size = self._chunk_size
        return len(self._found) >= (size if size < self._parts.chunk_size else 2 * size)

    async def save(self) -> None:
        """Write what was taken as chunks, save the state with them, and announce them."""
        chunks: list[ChunkRow] = []
        count = len(self._found)
        size = self._chunk_size
        if self.state.complete:
            size = min(size, max(_SMALL_CHUNK, count // _LAST_CHUNKS))
        for part in _divided(self._found, max(size, -(-count // MAX_ROWS))):
            first = self.state.candidates
            numbered = [NumberedCandidate(first + at, candidate) for at, candidate in enumerate(part)]
            chunks.append(await self._written(numbered))
            self.state.candidates += len(part)
        self._found.clear()
        self._characters = 0
        await self._commit(Addition(chunks, found=count))
        if self.state.chunks - self.state.seen_chunks >= _CHUNKS_BETWEEN_SEEN:
            await self._save_seen()

    async def save_again(self, records: Sequence[Record], taken: Sequence[ChunkRow]) -> None:
        """Write a chunk of candidates that failed before, as `records` say, in the chunks `taken`."""
        chunks: list[ChunkRow] = []
        if records:
            numbered = [NumberedCandidate(record.index, record.candidate) for record in records]
            chunks.append(await self._written(numbered))
        await self._commit(Addition(chunks, taken=taken, outcomes=Tally.of(records)))

    async def pause(self) -> None:
        """Save everything, the addresses seen too if there are new ones, so that the next run begins at once."""
        await self.save()
        if not self.state.complete and self.state.seen_chunks < self.state.chunks:
            await self._save_seen()

    @property
    def _chunk_size(self) -> int:
        """So many candidates make a chunk now: half of those that are known, within limits.

        Small chunks let a job begin early, spread over instances and show its progress; large ones cost fewer calls
        of storage an image. Where candidates have so much text that it would count in memory, fewer make a chunk.
        """
        count = len(self._found)
        known = self.state.candidates + count
        by_text = count * _CHUNK_CHARACTERS // max(self._characters, 1)
        return min(self._parts.chunk_size, max(_SMALL_CHUNK, known // 2), max(by_text, 1))

    async def _save_seen(self) -> None:
        name = seen_blob(self.job.id, self.state.chunks, self._parts.runtime.ids.nonce())
        await self._parts.data.storage.blobs.put(name, self._seen.encode())
        self.state.seen_blob, self.state.seen_chunks = name, self.state.chunks
        await self._commit(Addition())

    async def _written(self, candidates: Sequence[NumberedCandidate]) -> ChunkRow:
        self.state.chunks += 1
        name = chunk_id(self.state.chunks)
        blob = candidates_blob(self.job.id, f"{name}-{self._parts.runtime.ids.nonce()}")
        await self._parts.data.storage.blobs.put(blob, encode_candidates(candidates))
        return ChunkRow(name, blob, len(candidates))

    async def _commit(self, addition: Addition) -> None:
        parts = self._parts
        encoded = await parts.data.discovery.encode(self.job.id, self.state, parts.runtime.ids.nonce())
        report = DiscoveryReport(
            problem_count=self.problems.count,
            problems=tuple(self.problems.lines),
            notice="" if self.state.complete else self.notice,
            can_continue=self.state.can_continue,
        )
        row = replace(self._row, state=encoded, report=report)
        self._row = await parts.data.ledger.add(self.job.id, addition, row, parts.runtime.clock.now())
        await self._watch.check()
        await self._announce()

    async def _announce(self, *, again: bool = False) -> None:
        """Have the chunks announced that were not yet offered to be; repeating it does no harm."""
        numbers = range(self.state.announced + 1, self.state.chunks + 1)
        await self._parts.dispatch.added(self.job, numbers, again=again)
        self.state.announced = self.state.chunks


async def _seen(parts: DiscoveryParts, job: Job, state: DiscoveryState) -> Seen:
    """What was seen, as it was saved, and what is in the chunks since then."""
    if state.complete:
        return Seen()
    seen = Seen()
    if state.seen_blob:
        with reading("the addresses that the job has found"):
            seen = Seen.decode(await parts.data.storage.blobs.get(state.seen_blob))
    if state.chunks > state.seen_chunks:
        async for chunk in parts.data.ledger.chunks(job.id, after=chunk_id(state.seen_chunks) + "~"):
            if is_added(chunk.id):  # the others have candidates of an earlier one
                for numbered in await read_candidates(parts.data.storage.blobs, chunk):
                    seen.add(_key(numbered.candidate))
    return seen


def _key(candidate: Candidate) -> str:
    """What tells a candidate from others: its address, or where its bytes are stored.

    Two datasets may have other bytes of one address: it changed between them.
    """
    stored = candidate.stored
    return f"{stored.blob}:{stored.offset}" if stored else address_key(candidate.url)


def _characters_of(candidate: Candidate) -> int:
    """How much text it has, without its keys."""
    told = candidate.provenance
    texts = (candidate.url, candidate.caption, told.page_url, told.title, told.creator, told.creator_url)
    more = (told.license_url, told.attribution, *candidate.extra.values())
    return sum(len(text) for text in (*texts, *more) if text)


def _divided(candidates: Sequence[Candidate], size: int) -> list[Sequence[Candidate]]:
    """Parts of about `size`, as even as can be."""
    count = max(1, round(len(candidates) / size)) if candidates else 0
    bounds = [len(candidates) * at // count for at in range(count + 1)] if count else []
    return [candidates[start:end] for start, end in pairwise(bounds)]
