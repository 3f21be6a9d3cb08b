"""Cuts a dataset's files into parts, each written by one function instance at a time, and notes which are written."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import AlreadyExists
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Entity, EntityStore, Insert, Replace, Value

MAX_PARTS = 1500
_MAX_BLOCKS = 49_000  # the service takes 50,000 a blob
_DIGEST_BYTES = 32
_MISSING = bytes(_DIGEST_BYTES)
_TABLE = "chunks"  # beside the job's chunks, so that it is erased with them
_CELL_BYTES = 1000 * _DIGEST_BYTES  # a table's cell takes 64 KiB


@dataclass(frozen=True, slots=True)
class Slice:
    """Blocks of one file, from number `start` to `end`; `number` counts all slices of the dataset."""

    number: int
    file: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """What is written together: a slice of a large file, or some small files."""

    number: int
    slices: tuple[Slice, ...]


def block_bytes_of(size: int, block_bytes: int) -> int:
    """The size of a file's blocks: `block_bytes`, or more where the file would have too many blocks."""
    return max(block_bytes, -(-size // _MAX_BLOCKS))


def cut_parts(sizes: Sequence[int], block_bytes: int, part_bytes: int) -> list[Part]:
    """Parts of about `part_bytes` over files of these sizes; 1,500 at most, and then larger ones.

    A file that is no larger than a part is never cut, so that its checksum is known to whoever wrote it.
    """
    wanted = max(part_bytes, -(-sum(sizes) * 2 // MAX_PARTS))
    parts: list[Part] = []
    waiting: list[Slice] = []
    filled = number = 0
    for file, size in enumerate(sizes):
        if waiting and filled + size > wanted:
            parts.append(Part(len(parts), tuple(waiting)))
            waiting, filled = [], 0
        block = block_bytes_of(size, block_bytes)
        blocks = -(-size // block)
        step = max(1, wanted // block) if size > wanted else max(1, blocks)
        for start in range(0, max(1, blocks), step):
            waiting.append(Slice(number, file, start, min(start + step, blocks)))
            number += 1
            if size > wanted:
                parts.append(Part(len(parts), tuple(waiting)))
                waiting = []
        filled = filled + size if size <= wanted else 0
    return [*parts, Part(len(parts), tuple(waiting))] if waiting else parts


class PartLedger:
    """Which slices of which plan are written: one row a plan, which changes by compare-and-swap."""

    def __init__(self, entities: EntityStore) -> None:
        self._entities = entities

    async def open(self, job_id: str, plan: str, slices: int) -> None:
        """Begin the row, or empty it; idempotent as long as nothing is written."""
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
