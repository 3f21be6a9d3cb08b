"""A table store in memory that does something before one of its calls: dies, or lets others go first."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import override

from shared.storage.entities import Change, Entity
from shared.storage.memory.entities import MemoryEntities


class KilledError(Exception):
    """The process has died."""


async def die() -> None:
    raise KilledError


class InterleavedEntities(MemoryEntities):
    """The rows of another store. Before its call number `at`, it awaits `first`."""

    def __init__(self, rows: MemoryEntities, at: int, first: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._tables = rows._tables
        self._versions = rows._versions
        self.calls = 0
        self._at = at
        self._first = first

    @property
    def reached(self) -> bool:
        """Whether `first` was awaited."""
        return self.calls >= self._at

    @override
    async def get(self, table: str, partition: str, row: str) -> Entity | None:
        await self._count()
        return await super().get(table, partition, row)

    @override
    async def query(
        self, table: str, partition: str, *, after: str = "", before: str = ""
    ) -> AsyncIterator[Entity]:
        await self._count()
        async for row in super().query(table, partition, after=after, before=before):
            yield row

    @override
    async def apply(self, table: str, partition: str, changes: Sequence[Change]) -> Sequence[str]:
        await self._count()
        return await super().apply(table, partition, changes)

    async def _count(self) -> None:
        self.calls += 1
        if self.calls == self._at:
            await self._first()
