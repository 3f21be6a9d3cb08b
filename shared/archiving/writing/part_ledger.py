"""Stores which slices of a dataset's files are written, and their checksums."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.archiving.planning.parts import WrittenSlices
from shared.errors import AlreadyExists
from shared.storage.cells import as_datetime, from_cells, to_cells
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Entity, EntityStore, Insert, Replace

_DIGEST_BYTES = 32
_MISSING = bytes(_DIGEST_BYTES)
# beside the job's chunks, so that it is erased with them
_TABLE = "chunks"
_CELLS = "digests"
_ROW = "archive-"


@dataclass(frozen=True, slots=True)
class PlanProgress:
    """How far the slices of a plan are.

    `planned_at` is when the plan was complete, and `moved_at` when a slice was last written or found to be missing.
    """

    planned_at: datetime
    moved_at: datetime
    slices: int
    written: int


class PartLedger:
    """The slices that are written, in one row for each plan, which is changed by compare-and-swap."""

    def __init__(self, entities: EntityStore) -> None:
        self._entities = entities

    async def open(self, job_id: str, plan: str, slices: int, now: datetime) -> WrittenSlices:
        """Creates the row of a plan with this many slices, none of them written. An existing row is not changed.

        Returns what the row says then.
        """
        values = {**to_cells(_CELLS, _MISSING * slices), "planned_at": now, "moved_at": now}
        entity = Entity(job_id, _row(plan), values)
        try:
            [etag] = await self._entities.apply(_TABLE, job_id, [Insert(entity)])
        except AlreadyExists:
            return await self.read(job_id, plan)
        return _decoded(replace(entity, etag=etag))

    async def read(self, job_id: str, plan: str) -> WrittenSlices:
        """Returns what the row of a plan says. There are no slices if there is no row."""
        return await self._read(Entity(job_id, _row(plan)))

    async def _read(self, row: Entity) -> WrittenSlices:
        entity = await self._entities.get(_TABLE, row.partition, row.row)
        return _decoded(entity) if entity else WrittenSlices((), row)

    async def plans(self, job_id: str) -> AsyncIterator[PlanProgress]:
        """Yields the progress of each plan of the job, in no order. Usually each revision of a job has one plan."""
        async for entity in self._entities.query(_TABLE, job_id, after=_ROW, before=f"{_ROW}~"):
            digests, values = _decoded(entity).digests, entity.values
            yield PlanProgress(
                planned_at=as_datetime(values["planned_at"]),
                moved_at=as_datetime(values["moved_at"]),
                slices=len(digests),
                written=len(digests) - digests.count(None),
            )

    async def note(
        self, known: WrittenSlices, digests: dict[int, bytes], now: datetime
    ) -> WrittenSlices | None:
        """Notes that slices are written, with their SHA-256 by number, in the row that was known.

        Returns what the row says then if this call has completed the plan, else None. Only one of several calls at the
        same time can complete it.
        """
        before, after = await self._change(known, digests, now)
        return after if None in before.digests and None not in after.digests else None

    async def forget(self, known: WrittenSlices, slices: Sequence[int], now: datetime) -> None:
        """Notes in the row that was known that these slices must be written again."""
        await self._change(known, dict.fromkeys(slices, _MISSING), now)

    async def _change(
        self, known: WrittenSlices, digests: dict[int, bytes], now: datetime
    ) -> tuple[WrittenSlices, WrittenSlices]:
        """Writes digests; returns what the row says before and after that: no slices if there is no row."""

        async def note(before: WrittenSlices) -> tuple[WrittenSlices, WrittenSlices]:
            entity = before.row
            if not before.digests:
                return before, before
            stored = bytearray(from_cells(_CELLS, entity.values))
            for number, digest in digests.items():
                stored[number * _DIGEST_BYTES : (number + 1) * _DIGEST_BYTES] = digest
            values = {**entity.values, **to_cells(_CELLS, bytes(stored)), "moved_at": now}
            changed = replace(entity, values=values)
            [etag] = await self._entities.apply(_TABLE, entity.partition, [Replace(changed)])
            return before, _decoded(replace(changed, etag=etag))

        busy = "The ledger of the archive is too busy."
        return await compare_and_swap(lambda: self._read(known.row), note, busy=busy, known=known)


def _row(plan: str) -> str:
    return f"{_ROW}{plan}"


def _decoded(entity: Entity) -> WrittenSlices:
    data = from_cells(_CELLS, entity.values)
    digests = [data[at : at + _DIGEST_BYTES] for at in range(0, len(data), _DIGEST_BYTES)]
    return WrittenSlices([digest.hex() if digest != _MISSING else None for digest in digests], entity)
