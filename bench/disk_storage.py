"""Tables, blobs and queues in one SQLite file, for processes that may be killed at any moment.

Every call is one transaction. A process that is killed loses nothing that it has written, as with storage on Azure.
Blobs have names, sizes and tiers, but no content.
"""

import pickle
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import override

from shared.errors import AlreadyExists, Changed, NotFound
from shared.storage.blobs import BlobInfo, Tier
from shared.storage.entities import Change, Delete, Entity, EntityStore, Insert, Replace
from shared.storage.queues import QueueSender

_SCHEMA = """
create table if not exists rows (name, partition, row, etag integer, cells, primary key (name, partition, row))
without rowid;
create table if not exists blobs (name primary key, tier) without rowid;
create table if not exists messages (queue, body);
"""
_PAGE = 100
_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def open_file(path: Path) -> sqlite3.Connection:
    """Opens the file, and makes its tables if they do not exist."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"pragma journal_mode = wal; pragma synchronous = off; {_SCHEMA}")
    return connection


class DiskEntities(EntityStore):
    """EntityStore over a file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @override
    async def get(self, table: str, partition: str, row: str) -> Entity | None:
        found = self._select("name = ? and partition = ? and row = ?", (table, partition, row))
        return found[0] if found else None

    @override
    async def query(
        self, table: str, partition: str, *, after: str = "", before: str = ""
    ) -> AsyncIterator[Entity]:
        rule = "name = ? and partition = ? and row > ?" + (" and row < ?" if before else "")
        while found := self._select(rule, (table, partition, after, *([before] if before else []))):
            for entity in found:
                yield entity
            after = found[-1].row

    @override
    async def scan(self, table: str, *, after: tuple[str, str], below: str) -> AsyncGenerator[Entity]:
        rule = "name = ? and (partition, row) > (?, ?) and partition < ? and row < ?"
        while found := self._select(rule, (table, *after, below, below)):
            for entity in found:
                yield entity
            after = found[-1].partition, found[-1].row

    @override
    async def apply(self, table: str, partition: str, changes: Sequence[Change]) -> Sequence[str]:
        self._connection.execute("begin immediate")
        try:
            etags = [self._make(table, partition, change) for change in changes]
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")
        return etags

    @override
    async def erase(self, table: str, partition: str) -> None:
        self._connection.execute("delete from rows where name = ? and partition = ?", (table, partition))

    def _make(self, table: str, partition: str, change: Change) -> str:
        row = change.row if isinstance(change, Delete) else change.entity.row
        key = (table, partition, row)
        found = self._connection.execute(
            "select etag from rows where name = ? and partition = ? and row = ?", key
        ).fetchone()
        if isinstance(change, Delete):
            if found is None:
                raise Changed(f"There is no row {row}.")
            self._connection.execute("delete from rows where name = ? and partition = ? and row = ?", key)
            return ""
        if isinstance(change, Insert) and found is not None:
            raise AlreadyExists(f"There is a row {row} already.")
        if isinstance(change, Replace) and (found is None or str(found[0]) != change.entity.etag):
            raise Changed(f"The row {row} has another version.")
        etag = found[0] + 1 if found else 1
        cells = pickle.dumps(dict(change.entity.values))
        self._connection.execute("replace into rows values (?, ?, ?, ?, ?)", (*key, etag, cells))
        return str(etag)

    def _select(self, rule: str, values: Sequence[str]) -> list[Entity]:
        rows = self._connection.execute(
            f"select partition, row, cells, etag from rows where {rule} order by partition, row limit {_PAGE}",  # noqa: S608 - the rules are texts of this module
            values,
        )
        return [
            Entity(partition, row, pickle.loads(cells), str(etag))  # noqa: S301 - this module has written them
            for partition, row, cells, etag in rows.fetchall()
        ]


class DiskBlobs:
    """The methods of blob storage that moving and deleting datasets needs."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """See `BlobStore.list`."""
        found = self._connection.execute(
            "select name, tier from blobs where name >= ? and name < ? order by name",
            (prefix, f"{prefix}\x7f"),
        ).fetchall()
        for name, tier in found:
            yield BlobInfo(name, 1, "1", _MOMENT, _MOMENT, Tier(tier))

    async def set_tier(self, name: str, tier: Tier) -> None:
        """See `TierStore.set_tier`. Nothing is rehydrated.

        Raises:
            NotFound: there is no such blob.
        """
        changed = self._connection.execute("update blobs set tier = ? where name = ?", (tier.value, name))
        if not changed.rowcount:
            raise NotFound(f"There is no blob {name}.")

    async def delete(self, name: str) -> None:
        """See `BlobStore.delete`."""
        self._connection.execute("delete from blobs where name = ?", (name,))


class DiskQueues(QueueSender):
    """A queue whose messages stay until they are taken. Those with a delay are not kept."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @override
    async def send(self, queue: str, body: str, *, delay_seconds: float = 0.0) -> None:
        if not delay_seconds:
            self._connection.execute("insert into messages values (?, ?)", (queue, body))

    @override
    async def depth(self, queue: str) -> int:
        [depth] = self._connection.execute(
            "select count(*) from messages where queue = ?", (queue,)
        ).fetchone()
        return int(depth)

    def first(self) -> tuple[int, str] | None:
        """Returns the number and the text of a message, or None if there is none."""
        found = self._connection.execute("select rowid, body from messages order by rowid limit 1").fetchone()
        return None if found is None else (int(found[0]), str(found[1]))

    def delete(self, number: int) -> None:
        """Deletes a message that is handled."""
        self._connection.execute("delete from messages where rowid = ?", (number,))
