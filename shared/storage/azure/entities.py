"""Entities on Azure Table Storage."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeGuard, override

from azure.core import MatchConditions
from azure.data.tables import EdmType, EntityProperty, TableEntity, TransactionOperation, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.errors import Changed, NotFound
from shared.storage.azure.account import StorageAccount, creating, translated
from shared.storage.azure.transport import client_options
from shared.storage.entities import Change, Delete, Entity, EntityStore, Insert, Put, Replace, Value
from shared.storage.entity_limits import check_changes, is_key

_SYSTEM = frozenset({"PartitionKey", "RowKey"})
_ONCE = {"retry_total": 0}
_BATCH = 100
_SCANNED_AT_A_TIME = 250
_BEHIND_THE_ROW = "PartitionKey eq @partition and RowKey gt @row and RowKey lt @below"
_BEHIND_THE_PARTITION = "PartitionKey gt @partition and PartitionKey lt @below and RowKey lt @below"


class AzureEntities(EntityStore):
    """EntityStore over the account's tables. A table is created on its first write."""

    def __init__(self, account: StorageAccount) -> None:
        options = client_options()
        if account.connection_string:
            self._service = TableServiceClient.from_connection_string(account.connection_string, **options)
        else:
            self._service = TableServiceClient(
                account.table_uri or "", credential=account.credential, **options
            )
        self._tables: dict[str, TableClient] = {}

    @override
    async def get(self, table: str, partition: str, row: str) -> Entity | None:
        if not is_key(partition) or not is_key(row):
            return None
        try:
            with translated(f"The row {row}"):
                return _from_table(await self._table(table).get_entity(partition, row))
        except NotFound:
            return None

    @override
    async def query(
        self, table: str, partition: str, *, after: str = "", before: str = ""
    ) -> AsyncIterator[Entity]:
        text = "PartitionKey eq @partition"
        text += " and RowKey gt @after" if after else ""
        text += " and RowKey lt @before" if before else ""
        parameters = {"partition": partition, "after": after, "before": before}
        try:
            with translated(f"The table {table}"):
                async for found in self._table(table).query_entities(text, parameters=parameters):
                    yield _from_table(found)
        except NotFound:
            return

    @override
    async def scan(self, table: str, *, after: tuple[str, str], below: str) -> AsyncGenerator[Entity]:
        parameters = {"partition": after[0], "row": after[1], "below": below}
        # two ranges of keys, because a range with an `or` in it makes storage read the table from its beginning
        for text in (_BEHIND_THE_ROW, _BEHIND_THE_PARTITION):
            try:
                with translated(f"The table {table}"):
                    rows = self._table(table).query_entities(
                        text, parameters=parameters, results_per_page=_SCANNED_AT_A_TIME
                    )
                    async for found in rows:
                        yield _from_table(found)
            except NotFound:
                return

    @override
    async def apply(self, table: str, partition: str, changes: Sequence[Change]) -> Sequence[str]:
        """See `EntityStore.apply`. One change is a plain call, and several are an entity group transaction.

        A change that requires a version, or a key that is free, is sent only once. If its answer is lost, the change
        may have been made. Sending it again would fail on its own result, as if another writer had made it. HTTP
        clients repeat a PUT without being asked, so a change that requires a version is always sent as a transaction,
        which is a POST.
        """
        check_changes(partition, changes)
        client = self._table(table)

        async def submit() -> Sequence[str]:
            with translated("The row"):
                if len(changes) == 1 and _is_plain(changes[0]):
                    made = [await _submit_one(client, partition, changes[0])]
                else:
                    operations = [_operation(partition, change) for change in changes]
                    made = await client.submit_transaction(operations, **_ONCE)
            return [str(answer.get("etag") or "") for answer in made]

        try:
            return await creating(submit, client.create_table, "The table")
        except NotFound:
            raise Changed("A row of the change does not exist.") from None

    @override
    async def erase(self, table: str, partition: str) -> None:
        client = self._table(table)
        while True:
            rows = await self._some_rows(table, partition)
            if not rows:
                return
            try:
                with translated("The partition"):
                    await client.submit_transaction(
                        ("delete", {"PartitionKey": partition, "RowKey": row}) for row in rows
                    )
            except (NotFound, Changed):
                # another call deletes the same rows
                continue

    async def ping(self) -> None:
        """Sends the service a small request.

        Raises:
            Unavailable: it does not answer.
        """
        with translated("The table service"):
            async for _ in self._service.list_tables(results_per_page=1):
                return

    async def close(self) -> None:
        """Closes the connections."""
        for client in self._tables.values():
            await client.close()
        await self._service.close()

    def _table(self, name: str) -> TableClient:
        if name not in self._tables:
            self._tables[name] = self._service.get_table_client(name)
        return self._tables[name]

    async def _some_rows(self, table: str, partition: str) -> list[str]:
        rows: list[str] = []
        async for entity in self.query(table, partition):
            rows.append(entity.row)
            if len(rows) == _BATCH:
                break
        return rows


def _is_plain(change: Change) -> TypeGuard[Insert | Put | Delete]:
    """Returns whether the change requires no version."""
    return not isinstance(change, Replace) and not (isinstance(change, Delete) and change.etag)


async def _submit_one(
    client: TableClient, partition: str, change: Insert | Put | Delete
) -> Mapping[str, Any]:
    match change:
        case Insert(entity):
            return await client.create_entity(_to_table(partition, entity), **_ONCE)
        case Put(entity):
            return await client.upsert_entity(_to_table(partition, entity), mode=UpdateMode.REPLACE)
        case Delete(row):
            try:
                with translated(f"The row {row}"):
                    await client.get_entity(partition, row, select="RowKey")
            except NotFound:
                raise Changed(f"There is no row {row}.") from None
            await client.delete_entity(partition, row)
            return {}


def _operation(partition: str, change: Change) -> Any:
    match change:
        case Insert(entity):
            return (TransactionOperation.CREATE, _to_table(partition, entity))
        case Put(entity):
            return (TransactionOperation.UPSERT, _to_table(partition, entity), {"mode": UpdateMode.REPLACE})
        case Replace(entity):
            options = {
                "mode": UpdateMode.REPLACE,
                "etag": entity.etag,
                "match_condition": MatchConditions.IfNotModified,
            }
            return (TransactionOperation.UPDATE, _to_table(partition, entity), options)
        case Delete(row, etag):
            key = {"PartitionKey": partition, "RowKey": row}
            if not etag:
                return (TransactionOperation.DELETE, key)
            options = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
            return (TransactionOperation.DELETE, key, options)


def _to_table(partition: str, entity: Entity) -> dict[str, Any]:
    properties: dict[str, Any] = {"PartitionKey": partition, "RowKey": entity.row}
    for key, value in entity.values.items():
        plain_integer = isinstance(value, int) and not isinstance(value, bool)
        properties[key] = EntityProperty(value, EdmType.INT64) if plain_integer else value
    return properties


def _from_table(found: TableEntity) -> Entity:
    values = {key: _value(value) for key, value in found.items() if key not in _SYSTEM}
    etag = str(found.metadata["etag"])
    return Entity(found["PartitionKey"], found["RowKey"], values, etag)


def _value(value: Any) -> Value:
    if isinstance(value, EntityProperty):
        return int(value.value)
    if isinstance(value, datetime):
        return datetime.fromtimestamp(value.timestamp(), UTC)
    return value  # type: ignore[no-any-return] # what the SDK decodes is one of our value types
