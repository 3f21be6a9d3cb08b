"""A store whose process is killed at a chosen call, before or after the call has taken effect."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import override

from shared.storage.entities import Change, Entity, EntityStore


class KilledError(Exception):
    """Stands for the end of the process."""


class MortalStore(EntityStore):
    """Passes calls to a store that survives, until the call with the number `dies_at`, from 0."""

    def __init__(self, store: EntityStore, dies_at: int, *, after: bool) -> None:
        self._store = store
        self._calls_left = dies_at
        self._after = after

    @override
    async def get(self, table: str, partition: str, row: str) -> Entity | None:
        self._step(after=False)
        found = await self._store.get(table, partition, row)
        self._step(after=True)
        return found

    @override
    async def query(
        self, table: str, partition: str, *, after: str = "", before: str = ""
    ) -> AsyncIterator[Entity]:
        self._step(after=False)
        async for row in self._store.query(table, partition, after=after, before=before):
            yield row
        self._step(after=True)

    @override
    async def scan(self, table: str, *, after: tuple[str, str], below: str) -> AsyncGenerator[Entity]:
        self._step(after=False)
        async for row in self._store.scan(table, after=after, below=below):
            yield row
        self._step(after=True)

    @override
    async def apply(self, table: str, partition: str, changes: Sequence[Change]) -> Sequence[str]:
        self._step(after=False)
        etags = await self._store.apply(table, partition, changes)
        self._step(after=True)
        return etags

    @override
    async def erase(self, table: str, partition: str) -> None:
        self._step(after=False)
        await self._store.erase(table, partition)
        self._step(after=True)

    def _step(self, *, after: bool) -> None:
        if after != self._after:
            return
        if self._calls_left == 0:
            raise KilledError
        self._calls_left -= 1
