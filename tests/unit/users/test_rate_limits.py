import asyncio

import pytest

from shared.errors import Unavailable
from shared.storage.memory.entities import MemoryEntities
from shared.users.rate_limits import Limit, RateLimits

USER = (Limit("user", 100),)


class CountingEntities(MemoryEntities):
    """Counts round trips, and fails or hangs on demand."""

    trips = 0
    fails = False
    hangs = False

    async def get(self, table, partition, row):
        await self._trip()
        return await super().get(table, partition, row)

    async def apply(self, table, partition, changes):
        await self._trip()
        return await super().apply(table, partition, changes)

    async def _trip(self):
        self.trips += 1
        if self.fails:
            raise Unavailable("Storage does not answer.")
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(0)


@pytest.fixture
def entities():
    return CountingEntities()


@pytest.fixture
def instances(entities, clock):
    return [RateLimits(entities, clock) for _ in range(2)]


async def allowed(instances, calls, limits=USER, subject="ann"):
    verdicts = await asyncio.gather(
        *(instances[number % len(instances)].take(subject, limits) for number in range(calls))
    )
    return sum(verdict.allowed for verdict in verdicts)


async def test_two_instances_together_allow_exactly_the_limit(instances):
    assert await allowed(instances, 500) == 100
    assert await allowed(instances, 500) == 0


async def test_most_calls_cost_no_round_trip(instances, entities):
    for _ in range(100):
        assert (await instances[0].take("ann", USER)).allowed
    assert entities.trips <= 22


async def test_calls_over_the_limit_cost_no_round_trip(instances, entities):
    await allowed(instances[:1], 101)
    entities.trips = 0
    assert await allowed(instances[:1], 1000) == 0
    assert entities.trips == 0


async def test_the_minute_before_counts_by_the_part_that_is_less_than_a_minute_ago(instances, clock):
    assert await allowed(instances, 200) == 100
    clock.advance(90)
    assert await allowed(instances, 200) == 50
    clock.advance(120)
    assert await allowed(instances, 200) == 100


async def test_a_verdict_says_how_long_to_wait_and_then_a_call_is_possible(instances, clock):
    await allowed(instances, 100)
    verdict = await instances[0].take("ann", USER)
    assert not verdict.allowed
    assert verdict.remaining == 0
    clock.advance(verdict.resets_in_seconds - 0.1)
    assert not (await instances[0].take("ann", USER)).allowed
    clock.advance(0.2)
    assert (await instances[0].take("ann", USER)).allowed


async def test_a_verdict_says_what_is_left(instances):
    assert (await instances[0].take("ann", USER)).remaining == 99
    assert (await instances[0].take("ann", USER)).remaining == 98


async def test_the_tightest_limit_counts_and_a_refused_call_uses_none_up(instances):
    limits = (Limit("user", 100), Limit("key-1", 10))
    assert await allowed(instances, 50, limits) == 10
    verdict = await instances[0].take("ann", limits)
    assert verdict.limit == Limit("key-1", 10)
    assert await allowed(instances, 500, (Limit("user", 100), Limit("key-2", 90))) == 90


async def test_subjects_have_counts_of_their_own(instances):
    assert await allowed(instances, 200, subject="ann") == 100
    assert await allowed(instances, 200, subject="bob") == 100


async def test_a_limit_of_one_call_allows_one(instances):
    assert await allowed(instances, 20, (Limit("user", 1),)) == 1


async def test_the_count_goes_on_over_midnight(instances, clock):
    clock.moment = clock.moment.replace(hour=23, minute=59, second=59)
    assert await allowed(instances, 200) == 100
    clock.advance(2)
    assert await allowed(instances, 500) <= 100


async def test_calls_are_allowed_with_one_warning_if_storage_fails(instances, entities, caplog):
    entities.fails = True
    assert await allowed(instances[:1], 500) == 500
    assert len(caplog.records) == 1


async def test_calls_wait_a_second_at_most_for_storage_that_hangs(instances, entities, monkeypatch):
    monkeypatch.setattr("shared.users.rate_limits._ANSWER_WITHIN_SECONDS", 0.01)
    entities.hangs = True
    assert (await instances[0].take("ann", USER)).allowed
