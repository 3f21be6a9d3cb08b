"""Changes that are made at almost the same time are sent together, and each caller gets its own result."""

import asyncio

import pytest

from shared.errors import AlreadyExists, Changed, Unavailable
from shared.storage.entities import Delete, Entity, Insert, Replace
from shared.storage.gathered_changes import GatheredChanges
from shared.storage.memory.entities import MemoryEntities


class Counting(MemoryEntities):
    """Notes how many changes each call has. `failure` is raised by each call."""

    def __init__(self):
        super().__init__()
        self.calls = []
        self.failure = None

    async def apply(self, table, partition, changes):
        self.calls.append(len(changes))
        if self.failure is not None:
            raise self.failure
        return await super().apply(table, partition, changes)


@pytest.fixture
def entities():
    return Counting()


@pytest.fixture
def gathered(entities):
    return GatheredChanges(entities)


def insert(row, count=1, partition="p"):
    return Insert(Entity(partition, row, {"count": count}))


async def made(gathered, changes):
    calls = (gathered.apply("t", "p", change, 0.001) for change in changes)
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_changes_of_a_partition_are_one_call_and_each_caller_gets_its_etag(entities, gathered):
    etags = await made(gathered, [insert(f"{number:03}") for number in range(150)])
    assert entities.calls == [100, 50]
    for number in range(150):
        assert (await entities.get("t", "p", f"{number:03}")).etag == etags[number]
    await made(gathered, [Replace(Entity("p", "000", {"count": 2}, etags[0])), Delete("001", etags[1])])
    assert entities.calls == [100, 50, 2]
    assert (await entities.get("t", "p", "000")).values == {"count": 2}
    assert await entities.get("t", "p", "001") is None


async def test_partitions_and_changes_of_the_same_row_are_sent_apart(entities, gathered):
    calls = [
        gathered.apply("t", partition, insert("a", 1, partition), 0.001) for partition in ("p", "q", "p")
    ]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert entities.calls == [1, 1, 1]
    assert isinstance(found[2], AlreadyExists)


async def test_a_change_that_is_refused_harms_no_other(entities, gathered):
    await entities.apply("t", "p", [insert("b")])
    entities.calls.clear()
    found = await made(gathered, [insert("a"), insert("b"), Delete("c", "x"), insert("d")])
    assert [isinstance(one, Exception) for one in found] == [False, True, True, False]
    assert (type(found[1]), type(found[2])) == (AlreadyExists, Changed)
    assert entities.calls == [4, 1, 1, 1, 1]
    assert await entities.get("t", "p", "d") is not None


@pytest.mark.parametrize("failure", [Unavailable("no answer"), OSError("not what a store should raise")])
async def test_each_caller_gets_the_error_of_the_call(entities, gathered, failure):
    entities.failure = failure
    assert await made(gathered, [insert("a"), insert("b")]) == [failure] * 2
    assert entities.calls == [2]
    entities.failure = None
    assert all(await made(gathered, [insert("a"), insert("b")]))


async def test_a_caller_that_is_cancelled_harms_no_other(gathered):
    calls = [asyncio.create_task(gathered.apply("t", "p", insert(row), 0.001)) for row in "ab"]
    await asyncio.sleep(0)
    calls[0].cancel()
    assert await calls[1]
    assert calls[0].cancelled()
