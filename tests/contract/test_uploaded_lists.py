"""Lists of users in storage: limits hold over several instances, and a list is stored by its link."""

import asyncio

import aiohttp
import pytest

from shared.errors import InvalidRequest, QuotaExceeded
from shared.jobs.submission.uploaded_list import ListLimits, NewList
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.blobs import AzureBlobs
from shared.storage.azure.entities import AzureEntities
from shared.storage.memory.queues import MemoryQueues
from shared.storage.storage import Storage
from tests.unit.in_memory import runtime_of
from tests.unit.known_sources import parse_spec

LIMITS = ListLimits(lists=5, bytes=1_000, unused_days=30)
BY_LINK = NewList("birds", "csv", None)


async def test_two_instances_do_not_exceed_a_users_limits_together(blobs, entities, unique):
    one, two = (
        UploadedLists(Storage(blobs, entities, MemoryQueues()), runtime_of(), LIMITS) for _ in range(2)
    )
    calls = [each.add(unique, NewList("a", "txt", b"x" * 150)) for each in (one, two) for _ in range(10)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(error, QuotaExceeded) for error in refused), refused
    assert len(results) - len(refused) == 5
    stored = [info.size_bytes async for info in blobs.list(f"inputs/{unique}/")]
    assert stored == [150] * 5


async def test_calls_with_one_key_at_the_same_time_make_one_list(blobs, entities, unique):
    lists = UploadedLists(Storage(blobs, entities, MemoryQueues()), runtime_of(), LIMITS)
    new = NewList("a", "txt", b"https://example.org/1.jpg", "k")
    added = await asyncio.gather(*(lists.add(unique, new) for _ in range(8)))
    assert len({each.found.id for each in added}) == 1
    assert sum(not each.replayed for each in added) == 1
    assert len([info async for info in blobs.list(f"inputs/{unique}/")]) == 1


@pytest.fixture
async def stored(connection_string, unique):
    """Lists on Azurite, in a container that does not exist yet."""
    account = StorageAccount(connection_string)
    blobs, entities = AzureBlobs(account, unique), AzureEntities(account)
    yield UploadedLists(Storage(blobs, entities, MemoryQueues()), runtime_of(), LIMITS)
    await blobs.close()
    await entities.close()


async def test_a_repeated_call_gets_a_link_until_the_list_is_stored(stored, unique):
    new = NewList("a", "csv", None, "k")
    first, again = await stored.add(unique, new), await stored.add(unique, new)
    async with aiohttp.ClientSession() as session:
        for link, status in ((again.link, 201), (first.link, 403)):
            async with session.put(
                link.url, data=b"url\n", headers={"x-ms-blob-type": "BlockBlob"}
            ) as response:
                assert response.status == status
    last = await stored.add(unique, new)
    assert (last.found.id, last.found.size_bytes, last.link) == (first.found.id, 4, None)


async def test_what_a_link_stores_beyond_any_list_is_refused_and_deleted(stored, unique):
    added = await stored.add(unique, NewList("a", "csv", None))
    eight_terabytes = {"x-ms-blob-type": "PageBlob", "x-ms-blob-content-length": str(1 << 43)}
    async with (
        aiohttp.ClientSession() as session,
        session.put(added.link.url, headers=eight_terabytes) as response,
    ):
        assert response.status == 201
    spec = parse_spec({"sources": [{"type": "urls", "blob": added.found.blob(unique)}]})
    with pytest.raises(InvalidRequest) as refused:
        await stored.check(unique, spec)
    assert [error.message for error in refused.value.fields] == [
        "has 8,796,093,022,208 bytes; it must have at most 2,000,000,000"
    ]
    await stored.delete_unwanted(unique)
    assert (await stored.page(unique)).items == []
    with pytest.raises(InvalidRequest, match="cannot be read"):
        await stored.check(unique, spec)
