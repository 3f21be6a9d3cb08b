"""That a user used the product on a day is one row, written once, and never fails a call."""

import asyncio
import logging
from datetime import date

import pytest

from shared.errors import Unavailable
from shared.storage.memory.entities import MemoryEntities
from shared.users.metrics import activity as module
from shared.users.metrics.activity import Activity, active_users
from shared.users.metrics.shards import SHARDS

TODAY, TOMORROW = date(2026, 3, 4), date(2026, 3, 5)


class CountingEntities(MemoryEntities):
    """Counts writes, and fails or hangs on request."""

    def __init__(self):
        super().__init__()
        self.written = []
        self.fails = self.hangs = False

    async def apply(self, table, partition, changes):
        if self.fails:
            raise Unavailable("no answer")
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        self.written.append(changes[0].entity.row)
        return await super().apply(table, partition, changes)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Raises the time limit for storage, which a busy machine may exceed."""
    monkeypatch.setattr(module, "_ANSWER_WITHIN_SECONDS", 60.0)


@pytest.fixture
def entities():
    return CountingEntities()


@pytest.fixture
def activity(entities, clock):
    return Activity(entities, clock)


async def active_on(entities, day):
    return {user_id for shard in range(SHARDS) async for user_id in active_users(entities, day, shard, "")}


async def test_a_user_is_written_once_a_day(activity, entities, clock):
    for _ in range(3):
        await activity.note("ann")
        await activity.note("bob")
    assert entities.written == [TODAY.isoformat(), "ann", "bob"]
    clock.advance(86_400)
    await activity.note("ann")
    assert entities.written[3:] == [TOMORROW.isoformat(), "ann"]
    assert await active_on(entities, TODAY) == {"ann", "bob"}
    assert await active_on(entities, TOMORROW) == {"ann"}


async def test_calls_at_the_same_time_write_a_user_once(activity, entities):
    await asyncio.gather(*(activity.note("ann") for _ in range(50)))
    assert entities.written.count("ann") == 1


async def test_another_process_writes_the_same_row_again(activity, entities, clock):
    await activity.note("ann")
    await Activity(entities, clock).note("ann")
    assert await active_on(entities, TODAY) == {"ann"}


async def test_storage_that_fails_fails_no_call_and_the_next_call_tries_again(activity, entities, caplog):
    entities.fails = True
    with caplog.at_level(logging.WARNING):
        await activity.note("ann")
    assert caplog.messages == ["The activity of a user was not recorded: Unavailable"]
    entities.fails = False
    await activity.note("ann")
    assert await active_on(entities, TODAY) == {"ann"}


async def test_storage_that_hangs_delays_a_call_for_a_moment(monkeypatch, activity, entities):
    monkeypatch.setattr(module, "_ANSWER_WITHIN_SECONDS", 0.01)
    entities.hangs = True
    await activity.note("ann")
    monkeypatch.setattr(module, "_ANSWER_WITHIN_SECONDS", 60.0)
    entities.hangs = False
    await activity.note("ann")
    assert await active_on(entities, TODAY) == {"ann"}


async def test_a_call_that_is_cancelled_stays_so_and_the_next_call_tries_again(activity, entities):
    entities.hangs = True
    call = asyncio.create_task(activity.note("ann"))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    entities.hangs = False
    await activity.note("ann")
    assert await active_on(entities, TODAY) == {"ann"}


async def test_an_id_that_no_table_takes_fails_no_call(activity, entities):
    await activity.note("a/b")
    assert await active_on(entities, TODAY) == set()


async def test_a_process_remembers_a_bounded_number_of_users(monkeypatch, activity, entities):
    monkeypatch.setattr(module, "_MAX_REMEMBERED", 3)
    for name in ("ann", "bob", "cem", "dan", "dan", "cem", "ann"):
        await activity.note(name)
    assert entities.written[1:] == ["ann", "bob", "cem", "dan", "ann"]
