"""The ledger of a job's chunks: which chunks it has, which are done, and their outcomes.

Each job has one table partition, which holds everything that must change together: a row for each chunk, the state of
discovery, and the progress. The progress is spread over sixteen rows, the lanes, so chunks that end at the same time
seldom collide. Eight count what discovery adds, and eight what is done, and added for it. A chunk's row and the lane
that counts it change in one transaction. So the numbers are exact however often messages are repeated, and one query
reads them however many chunks there are. The number of a chunk decides its lanes. Each of the first eight chunks is the
first one in its lanes, so these are written without being read.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.errors import Changed
from shared.jobs.job.chunk_ids import is_added, number_of
from shared.jobs.ledger.activity import Activity, Counts
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
    lane_row,
)
from shared.jobs.ledger.tally import Tally
from shared.storage.cells import as_bytes
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Change, Entity, EntityStore, Insert, Replace

_TABLE = "chunks"
# for what discovery adds, and as many for what is done
_LANES = 8
_NEW_LANE = Progress(), ""
_BUSY = "The ledger of the job is too busy."
MAX_ROWS = 90
"""How many chunks one `Addition` may name. A transaction holds 100 changes."""


@dataclass(frozen=True, slots=True)
class Addition:
    """Chunks to add.

    Attributes:
        chunks: The rows of the new chunks.
        found: How many of their candidates are new.
        retried: Done chunks whose failed candidates are among the added ones, to be tried again.
        retried_outcomes: The outcomes of these candidates so far, which no longer count.
        restarts: Whether the candidates that were found or done before no longer count. Their chunks still do.
    """

    chunks: Sequence[ChunkRow] = ()
    found: int = 0
    retried: Sequence[ChunkRow] = ()
    retried_outcomes: Tally = field(default_factory=Tally)
    restarts: bool = False

    def apply_to(self, progress: Progress, now: datetime) -> Progress:
        """Returns the progress after the addition."""
        return replace(
            progress,
            added=progress.added + len(self.chunks),
            found=progress.found + self.found,
            tally=progress.tally.minus(self.retried_outcomes),
            moved_at=now,
        )


class ChunkLedger:
    """Stores the chunks, the progress and the discovery of all jobs."""

    def __init__(self, entities: EntityStore) -> None:
        self._entities = entities

    async def discovery(self, job_id: str) -> DiscoveryRow | None:
        """Returns the stored discovery; None if it has not begun.

        The state is read before the report. If another run saves between the two reads, the state's version is an old
        one, and `add` refuses it.
        """
        state = await self._entities.get(_TABLE, job_id, DISCOVERY)
        if state is None:
            return None
        return discovery_row(state, await self._entities.get(_TABLE, job_id, REPORT))

    async def state(self, job_id: str) -> bytes:
        """Returns the stored state of discovery, as in `DiscoveryRow`; empty if it has not begun."""
        entity = await self._entities.get(_TABLE, job_id, DISCOVERY)
        return as_bytes(entity.values["state"]) if entity else b""

    async def report(self, job_id: str) -> DiscoveryReport:
        """Returns what the job's owner sees of discovery, which is empty before it begins. It is one small read."""
        return report_of(await self._entities.get(_TABLE, job_id, REPORT))

    async def add(
        self, job_id: str, addition: Addition, discovery: DiscoveryRow, now: datetime
    ) -> DiscoveryRow:
        """Adds chunks and saves the state of discovery after them and its report, in one transaction.

        Returns:
            The saved discovery with its new version.

        Raises:
            Changed: another run has saved its state since `discovery` was read; nothing was added.
            Unavailable: the lane is too busy.
        """
        lane = _lane_of_added(addition.chunks[0].id) if addition.chunks else 0
        rows: list[Change] = [Insert(chunk_entity(job_id, chunk)) for chunk in addition.chunks]
        rows += [Replace(chunk_entity(job_id, replace(chunk, transient=0))) for chunk in addition.retried]
        if addition.restarts:
            return await self._restart(job_id, discovery, now)

        async def read() -> tuple[Progress, str]:
            current = await self._entities.get(_TABLE, job_id, DISCOVERY)
            if (current.etag if current else "") != discovery.etag:
                raise Changed("Another run discovers this job.")
            return await self._read_lane(job_id, lane)

        async def write(counted: tuple[Progress, str]) -> DiscoveryRow:
            progress, version = counted
            changes = [*discovery_changes(job_id, discovery, now), *rows]
            if addition.chunks:
                changes.append(lane_change(job_id, lane, addition.apply_to(progress, now), version))
            etags = await self._entities.apply(_TABLE, job_id, changes)
            return replace(discovery, report=replace(discovery.report, saved_at=now), etag=etags[0])

        is_new = not addition.chunks or _has_new_lanes(addition.chunks[0].id)
        counted = _NEW_LANE if is_new else await self._read_lane(job_id, lane)
        return await compare_and_swap(read, write, busy=_BUSY, known=counted)

    async def _restart(self, job_id: str, discovery: DiscoveryRow, now: datetime) -> DiscoveryRow:
        """Saves the state of discovery, and forgets the outcomes and the number of candidates in all lanes."""

        async def read() -> list[tuple[int, Progress, str]]:
            current = await self._entities.get(_TABLE, job_id, DISCOVERY)
            if (current.etag if current else "") != discovery.etag:
                raise Changed("Another run discovers this job.")
            stored = {row.row: (lane_progress(row), row.etag) async for row in self._lanes(job_id)}
            return [(lane, *stored.get(lane_row(lane), _NEW_LANE)) for lane in range(2 * _LANES)]

        async def write(lanes: list[tuple[int, Progress, str]]) -> DiscoveryRow:
            changes: list[Change] = list(discovery_changes(job_id, discovery, now))
            for lane, progress, version in lanes:
                fresh = replace(progress, found=0, tally=Tally(), moved_at=now)
                changes.append(lane_change(job_id, lane, fresh, version))
            etags = await self._entities.apply(_TABLE, job_id, changes)
            return replace(discovery, report=replace(discovery.report, saved_at=now), etag=etags[0])

        return await compare_and_swap(read, write, busy=_BUSY)

    async def chunk(self, job_id: str, chunk_id: str) -> ChunkRow | None:
        """Returns a chunk's row; None if there is no such chunk."""
        entity = await self._entities.get(_TABLE, job_id, CHUNK + chunk_id)
        return chunk_row(entity) if entity else None

    async def chunks(self, job_id: str, after: str = "") -> AsyncIterator[ChunkRow]:
        """Yields the job's chunks in order of id, beginning after the id `after`."""
        async for entity in self._entities.query(_TABLE, job_id, after=CHUNK + after, before=CHUNK + "~"):
            yield chunk_row(entity)

    async def replace_chunk(self, job_id: str, chunk: ChunkRow) -> ChunkRow | None:
        """Writes a chunk's row over the version that was read.

        Returns:
            The row with its new version; None if it has changed since it was read, and nothing was written.
        """
        try:
            (etag,) = await self._entities.apply(_TABLE, job_id, [Replace(chunk_entity(job_id, chunk))])
        except Changed:
            return None
        return replace(chunk, etag=etag)

    async def finish(
        self, job_id: str, chunk: ChunkRow, tally: Tally, successors: Sequence[ChunkRow], now: datetime
    ) -> bool:
        """Marks the chunk as done, counts its outcomes and adds its successors, in one transaction and only once.

        Returns:
            Whether this call did it; False if an earlier call did.

        Raises:
            Unavailable: the ledger is too busy.
        """
        lane = _lane_of_done(chunk.id)
        names = tuple(row.id for row in successors)

        async def read() -> tuple[ChunkRow, tuple[Progress, str]]:
            # A chunk without a row belongs to a ledger that is erased: there is nothing left to do.
            stored = await self.chunk(job_id, chunk.id) or replace(chunk, done=True)
            return stored, await self._read_lane(job_id, lane)

        async def write(found: tuple[ChunkRow, tuple[Progress, str]]) -> bool:
            stored, (progress, version) = found
            if stored.done:
                return False
            counts = Counts(1, tally.kept, tally.found - tally.kept)
            moved = replace(
                progress,
                done=progress.done + 1,
                added=progress.added + len(successors),
                tally=progress.tally.plus(tally),
                moved_at=now,
                activity=progress.activity.plus(Activity.at(now, counts)),
            )
            done = replace(stored, done=True, successors=names, transient=tally.transient)
            changes: list[Change] = [
                Replace(chunk_entity(job_id, done)),
                lane_change(job_id, lane, moved, version),
            ]
            changes += [Insert(chunk_entity(job_id, row)) for row in successors]
            await self._entities.apply(_TABLE, job_id, changes)
            return True

        counted = _NEW_LANE if _has_new_lanes(chunk.id) else await self._read_lane(job_id, lane)
        return await compare_and_swap(read, write, busy=_BUSY, known=(chunk, counted))

    async def progress(self, job_id: str) -> Progress:
        """Returns the sum over all lanes, by one query.

        Lanes may change during the query. While discovery adds nothing, a sum in which all chunks are done is true all
        the same: a lane counts a chunk and all that descend from it, so once its chunks are done, they stay so.
        """
        lanes = [lane_progress(entity) async for entity in self._lanes(job_id)]
        return Progress(
            added=sum(lane.added for lane in lanes),
            done=sum(lane.done for lane in lanes),
            found=sum(lane.found for lane in lanes),
            tally=Tally.sum(lane.tally for lane in lanes),
            moved_at=max((lane.moved_at for lane in lanes if lane.moved_at is not None), default=None),
        )

    async def activity(self, job_id: str) -> Activity:
        """Returns when chunks of the job were done, over all its revisions, by one query."""
        return Activity.sum([lane_progress(entity).activity async for entity in self._lanes(job_id)])

    async def erase(self, job_id: str) -> None:
        """Deletes the job's ledger. Idempotent."""
        await self._entities.erase(_TABLE, job_id)

    def _lanes(self, job_id: str) -> AsyncIterator[Entity]:
        return self._entities.query(_TABLE, job_id, after=PROGRESS, before=PROGRESS + "~")

    async def _read_lane(self, job_id: str, lane: int) -> tuple[Progress, str]:
        entity = await self._entities.get(_TABLE, job_id, lane_row(lane))
        return (lane_progress(entity), entity.etag) if entity else _NEW_LANE


def _lane_of_added(chunk: str) -> int:
    return number_of(chunk) % _LANES


def _lane_of_done(chunk: str) -> int:
    return _LANES + number_of(chunk) % _LANES


def _has_new_lanes(chunk: str) -> bool:
    """Returns whether no chunk was counted in the lanes of this one before, unless the job was refreshed."""
    return is_added(chunk) and number_of(chunk) <= _LANES
