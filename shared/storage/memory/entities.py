"""Tables in memory, for tests and simulations. They behave as `shared.storage.azure.entities` does."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from itertools import count
from typing import override

from shared.errors import AlreadyExists, Changed
from shared.storage.entities import Change, Delete, Entity, EntityStore, Insert, Replace
from shared.storage.entity_limits import check_changes

type _Partition = dict[str, Entity]


class MemoryEntities(EntityStore):
    """EntityStore over dictionaries. Changes are atomic because `apply` does not await anything."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, _Partition]] = {}
        self._versions = count(1)

    @override
    async def get(self, table: str, partition: str, row: str) -> Entity | None:
        return self._partition(table, partition).get(row)

    @override
    async def query(
        self, table: str, partition: str, *, after: str = "", before: str = ""
    ) -> AsyncIterator[Entity]:
        rows = self._partition(table, partition)
        for row in sorted(rows):
            if row > after and (not before or row < before) and row in rows:
                yield rows[row]

    @override
    async def scan(self, table: str, *, after: tuple[str, str], below: str) -> AsyncGenerator[Entity]:
        for partition in sorted(self._tables.get(table, {})):
            if after[0] <= partition < below:
                behind = after[1] if partition == after[0] else ""
                async for entity in self.query(table, partition, after=behind, before=below):
                    yield entity

    @override
    async def apply(self, table: str, partition: str, changes: Sequence[Change]) -> Sequence[str]:
        check_changes(partition, changes)
        rows = self._partition(table, partition)
        for change in changes:
            _check(rows, change)
        return [self._make(rows, change) for change in changes]

    @override
    async def erase(self, table: str, partition: str) -> None:
        self._tables.get(table, {}).pop(partition, None)

    async def ping(self) -> None:
        """Does nothing, since memory always answers."""

    def _make(self, rows: _Partition, change: Change) -> str:
        if isinstance(change, Delete):
            del rows[change.row]
            return ""
        etag = str(next(self._versions))
        rows[change.entity.row] = replace(change.entity, values=dict(change.entity.values), etag=etag)
        return etag

    def _partition(self, table: str, partition: str) -> _Partition:
        return self._tables.setdefault(table, {}).setdefault(partition, {})


def _check(rows: _Partition, change: Change) -> None:
    if isinstance(change, Delete):
        if change.row not in rows:
            raise Changed(f"There is no row {change.row}.")
        if change.etag and rows[change.row].etag != change.etag:
            raise Changed(f"The row {change.row} has another version.")
        return
    row = change.entity.row
    if isinstance(change, Insert) and row in rows:
        raise AlreadyExists(f"There is a row {row} already.")
    if isinstance(change, Replace) and (row not in rows or rows[row].etag != change.entity.etag):
        raise Changed(f"The row {row} has another version.")
