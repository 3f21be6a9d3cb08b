"""The ledger of a job's chunks: which there are, which are done, what came of them.

One table partition a job holds everything that must change together: a row a chunk, the state of discovery, and
the progress, spread over eight rows so that chunks that end at the same time seldom collide. A chunk's row and its
progress row change in one transaction, so the numbers are exact however often messages are repeated, and reading
them costs one query however many chunks there are.
"""

import asyncio
import random
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.errors import AlreadyExists, Changed, Unavailable
from shared.jobs.tally import Tally
from shared.storage.entities import Change, Entity, EntityStore, Insert, Replace, Value

_TABLE = "chunks"
_LANES = 8
_TRIES = 40
_DISCOVERY = "discovery"
_PROGRESS = "progress-"
_CHUNK = "chunk-"


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """One chunk: `id` such as "00001", where its candidates are, how many, and whether it is done.

    `successor` is the chunk that took over what this one did not get to; empty where there is none.
    """

    id: str
    candidates_blob: str
    count: int
    done: bool = False
    successor: str = ""
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the chunks of a job are. `moved_at` is when a chunk was last added or done."""

    added: int = 0
    done: int = 0
    found: int = 0
    tally: Tally = field(default_factory=Tally)
    moved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DiscoveryRow:
    """The saved state of discovery, as bytes that discovery itself can read."""

    state: bytes
    etag: str = ""


class ChunkLedger:
    """Chunks, progress and discovery of all jobs."""

    def __init__(self, entities: EntityStore) -> None:
        self._entities = entities

    async def discovery(self, job_id: str) -> DiscoveryRow | None:
        """Where discovery stands; None where it has not begun."""
        entity = await self._entities.get(_TABLE, job_id, _DISCOVERY)
        return DiscoveryRow(_bytes(entity.values["state"]), entity.etag) if entity else None

    async def add_chunks(
        self, job_id: str, chunks: Sequence[ChunkRow], discovery: DiscoveryRow, now: datetime
    ) -> DiscoveryRow:
        """Add chunks and save the state of discovery behind them, together or not at all.

        Raises:
            Changed: another run saved its state since `discovery` was read; nothing was added.
        """
        lane = _lane(chunks[0].id) if chunks else 0
        for _ in range(_TRIES):
            entity = Entity(job_id, _DISCOVERY, {"state": discovery.state}, discovery.etag)
            changes: list[Change] = [Replace(entity) if discovery.etag else Insert(entity)]
            changes += [Insert(_chunk_entity(job_id, chunk)) for chunk in chunks]
            if chunks:
                progress, version = await self._read_lane(job_id, lane)
                found = progress.found + sum(chunk.count for chunk in chunks)
                moved = replace(progress, added=progress.added + len(chunks), found=found, moved_at=now)
                changes.append(_lane_change(job_id, lane, moved, version))
            try:
                await self._entities.apply(_TABLE, job_id, changes)
            except (Changed, AlreadyExists):
                current = await self.discovery(job_id)
                if (current.etag if current else "") != discovery.etag:
                    raise Changed("Another run discovers this job.") from None
                await _pause()
                continue
            saved = await self.discovery(job_id)
            if saved is None:
                raise Changed("The job's ledger was erased.")
            return saved
        raise Unavailable("The ledger of the job is too busy.")

    async def chunk(self, job_id: str, chunk_id: str) -> ChunkRow | None:
        """One chunk's row; None where there is none."""
        entity = await self._entities.get(_TABLE, job_id, _CHUNK + chunk_id)
        return _chunk_row(entity) if entity else None

    async def chunks(self, job_id: str, after: str = "") -> AsyncIterator[ChunkRow]:
        """The job's chunks in order of id, from behind the id `after`."""
        async for entity in self._entities.query(_TABLE, job_id, after=_CHUNK + after, before=_CHUNK + "~"):
            yield _chunk_row(entity)

    async def finish(
        self, job_id: str, chunk: ChunkRow, tally: Tally, successor: ChunkRow | None, now: datetime
    ) -> None:
        """Mark the chunk done, count its outcomes and add its successor: all at once, and once only."""
        lane = _lane(chunk.id)
        done = replace(chunk, done=True, successor=successor.id if successor else "")
        for _ in range(_TRIES):
            progress, version = await self._read_lane(job_id, lane)
            moved = replace(
                progress,
                done=progress.done + 1,
                added=progress.added + (1 if successor else 0),
                tally=progress.tally.plus(tally),
                moved_at=now,
            )
            changes: list[Change] = [
                Replace(_chunk_entity(job_id, done)),
                _lane_change(job_id, lane, moved, version),
            ]
            if successor is not None:
                changes.append(Insert(_chunk_entity(job_id, successor)))
            try:
                await self._entities.apply(_TABLE, job_id, changes)
            except (Changed, AlreadyExists):
                current = await self.chunk(job_id, chunk.id)
                if current is None or current.done:
                    return
                done = replace(done, etag=current.etag)
                await _pause()
                continue
            return
        raise Unavailable("The ledger of the job is too busy.")

    async def progress(self, job_id: str) -> Progress:
        """The sum over all lanes, in one query."""
        total = Progress()
        query = self._entities.query(_TABLE, job_id, after=_PROGRESS, before=_PROGRESS + "~")
        async for entity in query:
            lane = _progress(entity)
            moments = [moment for moment in (total.moved_at, lane.moved_at) if moment is not None]
            total = Progress(
                total.added + lane.added,
                total.done + lane.done,
                total.found + lane.found,
                total.tally.plus(lane.tally),
                max(moments, default=None),
            )
        return total

    async def erase(self, job_id: str) -> None:
        """Delete the job's ledger; idempotent."""
        await self._entities.erase(_TABLE, job_id)

    async def _read_lane(self, job_id: str, lane: int) -> tuple[Progress, str]:
        entity = await self._entities.get(_TABLE, job_id, f"{_PROGRESS}{lane}")
        return (_progress(entity), entity.etag) if entity else (Progress(), "")


def _lane(chunk_id: str) -> int:
    return zlib.crc32(chunk_id.encode()) % _LANES


def _lane_change(job_id: str, lane: int, progress: Progress, version: str) -> Change:
    values: dict[str, Value] = {
        "added": progress.added,
        "done": progress.done,
        "found": progress.found,
        "tally": progress.tally.encode(),
    }
    if progress.moved_at is not None:
        values["moved_at"] = progress.moved_at
    entity = Entity(job_id, f"{_PROGRESS}{lane}", values, version)
    return Replace(entity) if version else Insert(entity)


def _progress(entity: Entity) -> Progress:
    values = entity.values
    moved_at = values.get("moved_at")
    return Progress(
        added=_int(values["added"]),
        done=_int(values["done"]),
        found=_int(values["found"]),
        tally=Tally.decode(_bytes(values["tally"])),
        moved_at=moved_at if isinstance(moved_at, datetime) else None,
    )


def _chunk_entity(job_id: str, chunk: ChunkRow) -> Entity:
    values: dict[str, Value] = {
        "candidates_blob": chunk.candidates_blob,
        "count": chunk.count,
        "done": chunk.done,
        "successor": chunk.successor,
    }
    return Entity(job_id, _CHUNK + chunk.id, values, chunk.etag)


def _chunk_row(entity: Entity) -> ChunkRow:
    values = entity.values
    return ChunkRow(
        id=entity.row.removeprefix(_CHUNK),
        candidates_blob=str(values["candidates_blob"]),
        count=_int(values["count"]),
        done=bool(values["done"]),
        successor=str(values["successor"]),
        etag=entity.etag,
    )


def _int(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"expected an integer, found {type(value).__name__}")
    return value


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"expected bytes, found {type(value).__name__}")
    return value


async def _pause() -> None:
    await asyncio.sleep(random.uniform(0.005, 0.1))  # noqa: S311 - spreads colliding writers, keeps no secret
