"""Sends changes of rows that are made at almost the same time by one call for each partition."""

import asyncio
import contextvars
from dataclasses import dataclass, field

from shared.concurrency import process_concurrently
from shared.errors import AlreadyExists, Changed
from shared.storage.entities import Change, Delete, EntityStore

_MOST_CHANGES = 100
_CALLS_AT_A_TIME = 8


@dataclass(frozen=True, slots=True)
class _Batch:
    """Changes that will be sent together, by row, and who waits for the new etag of each row."""

    changes: dict[str, Change] = field(default_factory=dict)
    waiting: dict[str, asyncio.Future[str]] = field(default_factory=dict)


class GatheredChanges:
    """Makes changes that do not depend on each other. If one of a call is refused, each is made by its own call."""

    def __init__(self, entities: EntityStore) -> None:
        self._entities = entities
        self._open: dict[tuple[str, str], _Batch] = {}
        self._sending = set[asyncio.Task[None]]()

    async def apply(self, table: str, partition: str, change: Change, within_seconds: float) -> str:
        """Makes a change as `EntityStore.apply` does; returns the new etag of the row.

        The call is sent `within_seconds`, or earlier if another change of the partition opened it.
        A caller that is cancelled does not know whether the change is made.
        """
        row = change.row if isinstance(change, Delete) else change.entity.row
        batch = self._open.get((table, partition))
        if batch is None or row in batch.changes or len(batch.changes) == _MOST_CHANGES:
            batch = self._open[table, partition] = _Batch()
            # the call serves many callers, so its telemetry must not belong to the operation of one of them
            sending = asyncio.create_task(
                self._send(table, partition, batch, within_seconds), context=contextvars.Context()
            )
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
        batch.changes[row] = change
        batch.waiting[row] = asyncio.get_running_loop().create_future()
        return await batch.waiting[row]

    async def _send(self, table: str, partition: str, batch: _Batch, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            if self._open.get((table, partition)) is batch:
                del self._open[table, partition]
            rows = list(batch.changes)
            if not await self._make(table, partition, batch, rows, alone=len(rows) == 1):

                async def make(row: str) -> None:
                    await self._make(table, partition, batch, [row], alone=True)

                await process_concurrently(rows, make, _CALLS_AT_A_TIME)
        finally:
            for waiting in batch.waiting.values():
                waiting.cancel()

    async def _make(self, table: str, partition: str, batch: _Batch, rows: list[str], *, alone: bool) -> bool:
        """Makes the changes of some rows, and answers those who wait.

        Returns False, without an answer, if one of several changes was refused. Then none is made.
        """
        try:
            etags = await self._entities.apply(table, partition, [batch.changes[row] for row in rows])
        except Exception as error:  # noqa: BLE001 - those who wait get it
            if isinstance(error, AlreadyExists | Changed) and not alone:
                return False
            for row in rows:
                if not batch.waiting[row].done():
                    batch.waiting[row].set_exception(error)
            return True
        for row, etag in zip(rows, etags, strict=True):
            if not batch.waiting[row].done():
                batch.waiting[row].set_result(etag)
        return True
