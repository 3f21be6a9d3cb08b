"""The ledger of a job's chunks: which there are, which are done, what came of them.

One table partition a job holds everything that must change together: a row a chunk, the state of discovery, and
the progress, spread over eight rows so that chunks that end at the same time seldom collide. A chunk's row and its
progress row change in one transaction, so the numbers are exact however often messages are repeated, and reading
them costs one query however many chunks there are.
"""

import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.errors import Changed
from shared.jobs.ledger.report import REPORT, DiscoveryReport, report_of
from shared.jobs.ledger.rows import (
    CHUNK,
    DISCOVERY,
    PROGRESS,
    ChunkRow,
    DiscoveryRow,
    Progress,
    chunk_entity,
    chunk_row,
    discovery_changes,
    discovery_row,
    lane_change,
    lane_progress,
)
from shared.jobs.ledger.tally import Tally
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Change, EntityStore, Insert, Replace

_TABLE = "chunks"
_LANES = 8
_BUSY = "The ledger of the job is too busy."
MAX_ROWS = 90
"""So many chunks may be named in one `Addition`: a transaction holds 100 changes."""


@dataclass(frozen=True, slots=True)
class Addition:
    """Chunks to be added, and how many candidates of theirs are new.

    `taken` are done chunks whose failed candidates are among the added ones, to be tried again; `outcomes` counts
    what they had come to, which no longer holds.
    """

    chunks: Sequence[ChunkRow] = ()
    found: int = 0
    taken: Sequence[ChunkRow] = ()
    outcomes: Tally = field(default_factory=Tally)

    def applied(self, progress: Progress, now: datetime) -> Progress:
        """The progress with the addition in it."""
        return replace(
            progress,
            added=progress.added + len(self.chunks),
            found=progress.found + self.found,
            tally=progress.tally.minus(self.outcomes),
            moved_at=now,
        )


class ChunkLedger:
    """Chunks, progress and discovery of all jobs."""

    def __init__(self, entities: EntityStore) -> None:
        self._entities = entities

    async def discovery(self, job_id: str) -> DiscoveryRow | None:
        """The saved discovery; None if it has not begun.

        The state is read before the report. If another run saves between the two reads, the state's version is an old
        one, and `add` refuses it.
        """
        state = await self._entities.get(_TABLE, job_id, DISCOVERY)
        if state is None:
            return None
        return discovery_row(state, await self._entities.get(_TABLE, job_id, REPORT))

    async def report(self, job_id: str) -> DiscoveryReport:
        """What the job's owner sees of discovery, by one small read; an empty report if discovery has not begun."""
        return report_of(await self._entities.get(_TABLE, job_id, REPORT))

    async def add(
        self, job_id: str, addition: Addition, discovery: DiscoveryRow, now: datetime
    ) -> DiscoveryRow:
        """Add chunks and save the state of discovery behind them and its report, together or not at all.

        Raises:
            Changed: another run saved its state since `discovery` was read; nothing was added.
        """
        rows: list[Change] = [Insert(chunk_entity(job_id, chunk)) for chunk in addition.chunks]
        rows += [Replace(chunk_entity(job_id, replace(chunk, transient=0))) for chunk in addition.taken]
        lane = _lane(addition.chunks[0].id) if addition.chunks else 0

        async def read() -> tuple[Progress, str]:
            current = await self._entities.get(_TABLE, job_id, DISCOVERY)
            if (current.etag if current else "") != discovery.etag:
                raise Changed("Another run discovers this job.")
            return await self._read_lane(job_id, lane)

        async def write(counted: tuple[Progress, str]) -> DiscoveryRow:
            progress, version = counted
            changes = [*discovery_changes(job_id, discovery, now), *rows]
            if addition.chunks:
                changes.append(lane_change(job_id, lane, addition.applied(progress, now), version))
            etags = await self._entities.apply(_TABLE, job_id, changes)
            return replace(discovery, report=replace(discovery.report, saved_at=now), etag=etags[0])

        counted = await self._read_lane(job_id, lane) if addition.chunks else (Progress(), "")
        return await compare_and_swap(read, write, busy=_BUSY, known=counted)

    async def chunk(self, job_id: str, chunk_id: str) -> ChunkRow | None:
        """One chunk's row; None where there is none."""
        entity = await self._entities.get(_TABLE, job_id, CHUNK + chunk_id)
        return chunk_row(entity) if entity else None

    async def chunks(self, job_id: str, after: str = "") -> AsyncIterator[ChunkRow]:
        """The job's chunks in order of id, from behind the id `after`."""
        async for entity in self._entities.query(_TABLE, job_id, after=CHUNK + after, before=CHUNK + "~"):
            yield chunk_row(entity)

    async def note(self, job_id: str, chunk: ChunkRow) -> ChunkRow | None:
        """Write the row of a chunk whose announcement moves on; None where the row has changed since it was read."""
        try:
            (etag,) = await self._entities.apply(_TABLE, job_id, [Replace(chunk_entity(job_id, chunk))])
        except Changed:
            return None
        return replace(chunk, etag=etag)

    async def finish(
        self, job_id: str, chunk: ChunkRow, tally: Tally, successors: Sequence[ChunkRow], now: datetime
    ) -> bool:
        """Mark the chunk done, count its outcomes and add its successors: all at once, and once only.

        Returns:
            Whether this call did it; False where another one had done it before.
        """
        lane = _lane(chunk.id)
        names = tuple(row.id for row in successors)

        async def read() -> ChunkRow:
            return await self.chunk(job_id, chunk.id) or replace(chunk, done=True)

        async def write(stored: ChunkRow) -> bool:
            if stored.done:
                return False
            progress, version = await self._read_lane(job_id, lane)
            moved = replace(
                progress,
                done=progress.done + 1,
                added=progress.added + len(successors),
                tally=progress.tally.plus(tally),
                moved_at=now,
            )
            done = replace(stored, done=True, successors=names, transient=tally.transient)
            changes: list[Change] = [
                Replace(chunk_entity(job_id, done)),
                lane_change(job_id, lane, moved, version),
            ]
            changes += [Insert(chunk_entity(job_id, row)) for row in successors]
            await self._entities.apply(_TABLE, job_id, changes)
            return True

        return await compare_and_swap(read, write, busy=_BUSY, known=chunk)

    async def progress(self, job_id: str) -> Progress:
        """The sum over all lanes, in one query; each lane as it is at some moment of the query."""
        total, _ = await self._read_lanes(job_id)
        return total

    async def all_done(self, job_id: str) -> bool:
        """Whether every chunk that was added is done; true of one moment, however many end at the same time.

        The lanes are read one after the other, and what moves between them can be missed in one and counted in
        another. So the sum counts only where a second reading finds every lane at the version of the first. Who
        changes a lane in between looks after that.
        """
        progress, versions = await self._read_lanes(job_id)
        if progress.done < progress.added:
            return False
        _, again = await self._read_lanes(job_id)
        return versions == again

    async def erase(self, job_id: str) -> None:
        """Delete the job's ledger; idempotent."""
        await self._entities.erase(_TABLE, job_id)

    async def _read_lanes(self, job_id: str) -> tuple[Progress, tuple[str, ...]]:
        lanes, versions = list[Progress](), list[str]()
        query = self._entities.query(_TABLE, job_id, after=PROGRESS, before=PROGRESS + "~")
        async for entity in query:
            lanes.append(lane_progress(entity))
            versions.append(entity.etag)
        total = Progress(
            added=sum(lane.added for lane in lanes),
            done=sum(lane.done for lane in lanes),
            found=sum(lane.found for lane in lanes),
            tally=Tally.sum(lane.tally for lane in lanes),
            moved_at=max((lane.moved_at for lane in lanes if lane.moved_at is not None), default=None),
        )
        return total, tuple(versions)

    async def _read_lane(self, job_id: str, lane: int) -> tuple[Progress, str]:
        entity = await self._entities.get(_TABLE, job_id, f"{PROGRESS}{lane}")
        return (lane_progress(entity), entity.etag) if entity else (Progress(), "")


def _lane(chunk_id: str) -> int:
    return zlib.crc32(chunk_id.encode()) % _LANES
