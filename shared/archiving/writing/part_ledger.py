"""Notes which parts of a dataset's files are written, and their checksums."""

from collections.abc import Sequence

from shared.errors import AlreadyExists
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Entity, EntityStore, Insert, Replace, Value

_DIGEST_BYTES = 32
_MISSING = bytes(_DIGEST_BYTES)
# beside the job's chunks, so that it is erased with them
_TABLE = "chunks"
# a table's cell takes 64 KiB
_CELL_BYTES = 1000 * _DIGEST_BYTES


class PartLedger:
    """Which slices of which plan are written: one row a plan, which changes by compare-and-swap."""

    def __init__(self, entities: EntityStore) -> None:
        self._entities = entities

    async def open(self, job_id: str, plan: str, slices: int) -> None:
        """Begin the row; one that is there stays as it is."""
        entity = Entity(job_id, _row(plan), _cells(_MISSING * slices))
        try:
            await self._entities.apply(_TABLE, job_id, [Insert(entity)])
        except AlreadyExists:
            return

    async def written(self, job_id: str, plan: str) -> Sequence[str | None]:
        """The SHA-256 of each slice, in hex; None where it is not written yet."""
        entity = await self._entities.get(_TABLE, job_id, _row(plan))
        return _decoded(entity) if entity else ()

    async def note(self, job_id: str, plan: str, digests: dict[int, bytes]) -> bool:
        """Note that these slices are written, with their SHA-256; says whether with them, and only now, all are."""
        before, after = await self._change(job_id, plan, digests)
        return None in before and None not in after

    async def forget(self, job_id: str, plan: str, slices: Sequence[int]) -> None:
        """Note that these slices have to be written again."""
        await self._change(job_id, plan, dict.fromkeys(slices, _MISSING))

    async def _change(
        self, job_id: str, plan: str, digests: dict[int, bytes]
    ) -> tuple[Sequence[str | None], Sequence[str | None]]:
        """What the row said, and what it says now."""

        async def note(entity: Entity | None) -> tuple[Sequence[str | None], Sequence[str | None]]:
            if entity is None:
                return (), ()
            stored = bytearray(_bytes(entity))
            for number, digest in digests.items():
                stored[number * _DIGEST_BYTES : (number + 1) * _DIGEST_BYTES] = digest
            changed = Entity(job_id, _row(plan), _cells(bytes(stored)), entity.etag)
            await self._entities.apply(_TABLE, job_id, [Replace(changed)])
            return _decoded(entity), _decoded(changed)

        busy = "The ledger of the archive is too busy."
        return await compare_and_swap(lambda: self._entities.get(_TABLE, job_id, _row(plan)), note, busy=busy)


def _row(plan: str) -> str:
    return f"archive-{plan}"


def _cells(digests: bytes) -> dict[str, Value]:
    parts = range(0, len(digests), _CELL_BYTES)
    return {f"digests{at // _CELL_BYTES}": digests[at : at + _CELL_BYTES] for at in parts}


def _bytes(entity: Entity) -> bytes:
    cells = [entity.values[f"digests{number}"] for number in range(len(entity.values))]
    return b"".join(cell for cell in cells if isinstance(cell, bytes))


def _decoded(entity: Entity) -> Sequence[str | None]:
    data = _bytes(entity)
    digests = [data[at : at + _DIGEST_BYTES] for at in range(0, len(data), _DIGEST_BYTES)]
    return [digest.hex() if digest != _MISSING else None for digest in digests]
