"""Reads the records of a job page by page: those of chunks that are done, and the final ones once these are written.

A place among chunks stays valid when the job ends, until its working blobs are deleted. Chunks are read in the order of
their names, and while the job runs only up to the first one that is not done. So no record is skipped.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from shared.clock import Clock, Deadline
from shared.errors import NotFound
from shared.jobs.job.delivered import has_records
from shared.jobs.job.job import Job
from shared.jobs.ledger.chunk_blobs import read_records
from shared.jobs.ledger.job_data import JobData
from shared.jobs.ledger.record_pieces import Line, Piece, Place, final_pieces
from shared.records.delivered import fields_of

_SECONDS = 3.0
_MOST_PIECES = 20
_MOST_CHARACTERS = 4_000_000


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """The conditions for a record to be in a page. All of them hold; an empty text sets no condition."""

    outcome: str = ""
    reason: str = ""
    label: str = ""

    def matches(self, line: Line) -> bool:
        """Returns whether the record is in the page."""
        wanted = {"outcome": self.outcome, "reason": self.reason, "label": self.label}
        return all(not text or line.get(name) == text for name, text in wanted.items())


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Some records, in their order. `following` is where the next page begins, or None if there is none.

    It `waits` if there are no more records now, and more may come while the job runs.
    """

    lines: Sequence[Line]
    following: Place | None
    waits: bool = False


class RecordPages:
    """Reads pages of records. A call takes some seconds and some megabytes at most."""

    def __init__(self, data: JobData, clock: Clock) -> None:
        self._jobs = data.jobs
        self._ledger = data.ledger
        self._discovery = data.discovery
        self._blobs = data.storage.blobs
        self._clock = clock

    async def read(self, job: Job, wanted: RecordFilter, place: Place | None, size: int) -> RecordPage:
        """Returns up to `size` records. There may be fewer, or none, though more follow.

        Raises:
            NotFound: the job has no records, or those at the place are deleted.
            Conflict: the final records are in the Archive tier.
            Damaged: records cannot be read.
        """
        begin = place or Place(revision=job.revision if has_records(job) else 0)
        # a job without files may have the id of another user's job
        if not (begin.revision and has_records(job)) and not await self._jobs.owns_work(job):
            raise NotFound(f"Job {job.id} has no records, or they are deleted.")
        is_final = begin.revision > 0
        pieces = final_pieces(self._blobs, job.id, begin) if is_final else self._chunk_pieces(job, begin)
        async with aclosing(pieces):
            page = await self._take(pieces, wanted, begin.lines, size)
        if isinstance(page, RecordPage):
            return page
        found, last = page
        if is_final or job.state.terminal:
            return RecordPage(found, None)
        return RecordPage(found, last or begin, waits=True)

    async def _take(
        self, pieces: AsyncGenerator[Piece], wanted: RecordFilter, skip: int, size: int
    ) -> RecordPage | tuple[Sequence[Line], Place | None]:
        """Takes the matching lines; returns a page, or the lines and the last place if the pieces end before."""
        deadline = Deadline.after(self._clock, _SECONDS)
        found: list[Line] = []
        characters = pieces_read = 0
        last: Place | None = None
        async for piece in pieces:
            for number, line in enumerate(piece.lines[skip:], skip + 1):
                if not wanted.matches(line):
                    continue
                found.append(line)
                characters += len(json.dumps(line))
                if len(found) == size or characters > _MOST_CHARACTERS:
                    return RecordPage(found, piece.after(number))
            skip = 0
            pieces_read += 1
            last = piece.after(len(piece.lines))
            if pieces_read == _MOST_PIECES or deadline.passed:
                return RecordPage(found, last)
        return found, last

    async def _chunk_pieces(self, job: Job, begin: Place) -> AsyncGenerator[Piece]:
        """Yields the records of chunks, up to the first chunk that may still become done."""
        if begin.chunk:
            first = await self._ledger.chunk(job.id, begin.chunk)
            if first is None or not first.done:
                raise NotFound(f"The records of job {job.id} at this cursor are deleted.")
            yield Piece(Place(chunk=first.id), await self._lines(job.id, first.id))
        async for chunk in self._ledger.chunks(job.id, after=begin.chunk or await self._counted_after(job)):
            if chunk.done:
                yield Piece(Place(chunk=chunk.id), await self._lines(job.id, chunk.id))
            elif not job.state.terminal:
                return

    async def _counted_after(self, job: Job) -> str:
        """Returns where the chunks begin that count: a refresh takes over all that counts of earlier revisions."""
        if job.refresh is None:
            return ""
        discovery = await self._discovery.state(job.id)
        return discovery.counted_after

    async def _lines(self, job_id: str, chunk_id: str) -> Sequence[Line]:
        return [fields_of(record) for record in await read_records(self._blobs, job_id, chunk_id)]
