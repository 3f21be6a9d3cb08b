"""Stores which slices of a dataset's files are written, and their checksums."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

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

    async def open(self, job_id: str, plan: str, slices: int, now: datetime) -> None:
        """Creates the row of a plan with this many slices, none of them written. An existing row is not changed."""
        values = {**to_cells(_CELLS, _MISSING * slices), "planned_at": now, "moved_at": now}
        entity = Entity(job_id, _row(plan), values)
        try:
            await self._entities.apply(_TABLE, job_id, [Insert(entity)])
        except AlreadyExists:
            return

    async def read(self, job_id: str, plan: str) -> Sequence[str | None]:
        """Returns the SHA-256 of each slice in hex, or None for a slice that is not written yet.

        The result is empty if there is no row.
        """
        entity = await self._entities.get(_TABLE, job_id, _row(plan))
        return _decoded(entity) if entity else ()

    async def plans(self, job_id: str) -> AsyncIterator[PlanProgress]:
        """Yields the progress of each plan of the job, in no order. Usually each revision of a job has one plan."""
        async for entity in self._entities.query(_TABLE, job_id, after=_ROW, before=f"{_ROW}~"):
            digests, values = _decoded(entity), entity.values
            yield PlanProgress(
                planned_at=as_datetime(values["planned_at"]),
                moved_at=as_datetime(values["moved_at"]),
                slices=len(digests),
                written=len(digests) - digests.count(None),
            )

    async def note(self, job_id: str, plan: str, digests: dict[int, bytes], now: datetime) -> bool:
        """Notes that slices are written, with their SHA-256 by number.

        Returns whether this call has completed the plan. Only one of several calls at the same time can do so.
        """
        before, after = await self._change(job_id, plan, digests, now)
        return None in before and None not in after

    async def forget(self, job_id: str, plan: str, slices: Sequence[int], now: datetime) -> None:
        """Notes that these slices must be written again."""
        await self._change(job_id, plan, dict.fromkeys(slices, _MISSING), now)

    async def _change(
        self, job_id: str, plan: str, digests: dict[int, bytes], now: datetime
    ) -> tuple[Sequence[str | None], Sequence[str | None]]:
        """Writes digests; returns those of all slices before and after that, both empty if there is no row."""

        async def note(entity: Entity | None) -> tuple[Sequence[str | None], Sequence[str | None]]:
            if entity is None:
                return (), ()
            stored = bytearray(from_cells(_CELLS, entity.values))
            for number, digest in digests.items():
                stored[number * _DIGEST_BYTES : (number + 1) * _DIGEST_BYTES] = digest
            values = {**entity.values, **to_cells(_CELLS, bytes(stored)), "moved_at": now}
            changed = Entity(job_id, _row(plan), values, entity.etag)
            await self._entities.apply(_TABLE, job_id, [Replace(changed)])
            return _decoded(entity), _decoded(changed)

        busy = "The ledger of the archive is too busy."
        return await compare_and_swap(lambda: self._entities.get(_TABLE, job_id, _row(plan)), note, busy=busy)


def _row(plan: str) -> str:
    return f"{_ROW}{plan}"


def _decoded(entity: Entity) -> Sequence[str | None]:
    data = from_cells(_CELLS, entity.values)
    digests = [data[at : at + _DIGEST_BYTES] for at in range(0, len(data), _DIGEST_BYTES)]
    return [digest.hex() if digest != _MISSING else None for digest in digests]
