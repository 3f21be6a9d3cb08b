import asyncio
from datetime import timedelta

import pytest

from shared.errors import Unavailable
from shared.storage.memory.entities import MemoryEntities
from shared.users.limits.counts import Limit
from shared.users.limits.rate_limits import RateLimits

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
    assert verdict.standings[0].remaining == 0
    clock.advance(verdict.retry_after_seconds - 0.1)
    assert not (await instances[0].take("ann", USER)).allowed
    clock.advance(0.2)
    assert (await instances[0].take("ann", USER)).allowed


async def test_a_verdict_says_what_is_left(instances):
    for left in (99, 98):
        assert (await instances[0].take("ann", USER)).standings[0].remaining == left


async def test_the_tightest_limit_counts_and_a_refused_call_uses_none_up(instances):
    limits = (Limit("user", 100), Limit("key-1", 10))
    assert await allowed(instances, 50, limits) == 10
    verdict = await instances[0].take("ann", limits)
    assert [standing.limit.name for standing in verdict.standings if not standing.remaining] == ["key-1"]
    assert await allowed(instances, 500, (Limit("user", 100), Limit("key-2", 90))) == 90


async def test_two_keys_of_a_user_cost_no_more_round_trips_than_one(instances, entities):
    keys = [(Limit("user", 100), Limit(f"key-{number}", 50)) for number in range(2)]
    for number in range(100):
        assert (await instances[0].take("ann", keys[number % 2])).allowed
    assert entities.trips <= 52


async def test_a_changed_limit_holds_at_once(instances):
    assert await allowed(instances, 200) == 100
    assert await allowed(instances, 200, (Limit("user", 150),)) == 50


async def test_the_first_refusal_of_a_minute_is_marked(instances, clock):
    await allowed(instances[:1], 100)
    firsts = [(await instances[0].take("ann", USER)).first_refusal for _ in range(3)]
    clock.advance(60)
    assert firsts == [True, False, False]
    assert (await instances[0].take("ann", USER)).first_refusal


async def test_a_peek_counts_nothing_and_asks_nobody(instances, entities):
    assert instances[0].peek("ann", USER) is None
    await allowed(instances[:1], 1)
    trips = entities.trips
    assert instances[0].peek("ann", USER).standings[0].remaining == 99
    assert instances[0].peek("ann", USER).standings[0].remaining == 99
    await allowed(instances[:1], 200)
    trips = entities.trips
    assert not instances[0].peek("ann", USER).allowed
    assert entities.trips == trips


async def test_subjects_have_counts_of_their_own(instances):
    assert await allowed(instances, 200, subject="ann") == 100
    assert await allowed(instances, 200, subject="bob") == 100


async def test_a_limit_of_one_call_allows_one(instances):
    assert await allowed(instances, 20, (Limit("user", 1),)) == 1


async def test_the_count_goes_on_over_midnight(instances, entities, clock):
    clock.moment = clock.moment.replace(hour=23, minute=59, second=59)
    assert await allowed(instances, 200) == 100
    clock.advance(2)
    assert await allowed([*instances, RateLimits(entities, clock)], 500) == 1


async def test_an_instance_whose_clock_is_behind_does_not_lose_its_shares(entities, clock):
    behind, ahead = RateLimits(entities, clock), RateLimits(entities, Ahead(clock))
    await allowed([ahead], 1)
    entities.trips = 0
    assert await allowed([behind], 50) == 50
    assert entities.trips <= 22


class Ahead:
    """A clock that is one minute ahead of another."""

    def __init__(self, clock):
        self._clock = clock
        self.monotonic = clock.monotonic

    def now(self):
        return self._clock.now() + timedelta(minutes=1)


async def test_calls_are_allowed_with_one_warning_if_storage_fails(instances, entities, caplog):
    entities.fails = True
    assert await allowed(instances[:1], 500) == 500
    assert len(caplog.records) == 1


async def test_calls_are_counted_again_once_storage_answers(instances, entities, clock):
    entities.fails = True
    assert await allowed(instances[:1], 500) == 500
    entities.fails = False
    clock.advance(6)
    assert await allowed(instances[:1], 500) == 100


async def test_only_the_first_calls_wait_for_storage_that_hangs(instances, entities, monkeypatch):
    monkeypatch.setattr("shared.users.limits.rate_limits._ANSWER_WITHIN_SECONDS", 0.01)
    entities.hangs = True
    assert await allowed(instances[:1], 500) == 500
    assert entities.trips == 1
