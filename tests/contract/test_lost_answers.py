"""Writes that are made but whose answers are lost, on Azurite behind a proxy."""

import pytest

from shared.errors import AlreadyExists, Changed, Unavailable
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.entities import AzureEntities
from shared.storage.entities import Delete, Entity, Insert, Put, Replace
from tests.contract.losing_proxy import UNAVAILABLE, LosingProxy


@pytest.fixture
async def proxy(azurite):
    losing = LosingProxy(azurite.ports.table)
    await losing.start()
    yield losing
    await losing.stop()


@pytest.fixture
async def store(azurite, proxy, unique):
    text = azurite.connection_string.replace(f":{azurite.ports.table}/", f":{proxy.port}/")
    entities = AzureEntities(StorageAccount(text))
    await entities.apply(unique, "p", [Put(Entity("p", row, {"n": 1})) for row in "ab"])
    yield entities
    await entities.close()


async def _replacements(store, unique, rows, number=2):
    found = [await store.get(unique, "p", row) for row in rows]
    return [Replace(Entity("p", row.row, {"n": number}, row.etag)) for row in found]


@pytest.mark.parametrize("answer", [b"", UNAVAILABLE], ids=["hung up", "503"])
@pytest.mark.parametrize("rows", ["a", "ab"])
async def test_a_replacement_whose_answer_is_lost_is_not_mistaken_for_another_writers(
    store, proxy, unique, answer, rows
):
    changes = await _replacements(store, unique, rows)
    proxy.lose(answer)
    with pytest.raises(Unavailable):
        await store.apply(unique, "p", changes)
    assert (proxy.lost, proxy.requests) == (True, 1)
    assert [(await store.get(unique, "p", row)).values for row in rows] == [{"n": 2}] * len(rows)
    with pytest.raises(Changed):
        await store.apply(unique, "p", changes)


@pytest.mark.parametrize("answer", [b"", UNAVAILABLE], ids=["hung up", "503"])
@pytest.mark.parametrize("rows", ["c", "cd"])
async def test_an_insert_whose_answer_is_lost_is_not_mistaken_for_another_writers(
    store, proxy, unique, answer, rows
):
    changes = [Insert(Entity("p", row, {"n": 3})) for row in rows]
    proxy.lose(answer)
    with pytest.raises(Unavailable):
        await store.apply(unique, "p", changes)
    assert (proxy.lost, proxy.requests) == (True, 1)
    assert [(await store.get(unique, "p", row)).values for row in rows] == [{"n": 3}] * len(rows)
    with pytest.raises(AlreadyExists):
        await store.apply(unique, "p", changes)


async def test_a_put_or_a_delete_whose_answer_is_lost_is_sent_again(store, proxy, unique):
    for change in (Put(Entity("p", "a", {"n": 4})), Delete("b")):
        proxy.lose()
        await store.apply(unique, "p", [change])
        assert proxy.lost
    assert [(row.row, row.values["n"]) async for row in store.query(unique, "p")] == [("a", 4)]


async def test_a_read_whose_answer_is_lost_is_sent_again(store, proxy, unique):
    proxy.lose()
    assert (await store.get(unique, "p", "a")).values == {"n": 1}
    assert proxy.lost
