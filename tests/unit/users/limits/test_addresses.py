import asyncio

import pytest

from shared.errors import Unavailable
from shared.storage.memory.entities import MemoryEntities
from shared.users.limits.addresses import AddressLimits


class CountingEntities(MemoryEntities):
    """Counts round trips."""

    trips = 0
    fails = False

    async def get(self, table, partition, row):
        self.trips += 1
        if self.fails:
            raise Unavailable("Storage does not answer.")
        await asyncio.sleep(0)
        return await super().get(table, partition, row)

    async def apply(self, table, partition, changes):
        self.trips += 1
        await asyncio.sleep(0)
        return await super().apply(table, partition, changes)


@pytest.fixture
def entities():
    return CountingEntities()


@pytest.fixture
def instances(entities, clock):
    return [AddressLimits(entities, clock, 100) for _ in range(2)]


async def allowed(instances, calls, address="203.0.113.7"):
    verdicts = await asyncio.gather(
        *(instances[number % len(instances)].take(address) for number in range(calls))
    )
    return sum(verdict.allowed for verdict in verdicts)


async def test_one_instance_allows_exactly_the_limit(instances):
    assert await allowed(instances[:1], 500) == 100


async def test_two_instances_allow_two_percent_more_at_most(instances):
    assert 100 <= await allowed(instances, 500) <= 102


async def test_a_few_calls_of_many_addresses_cost_no_round_trip(instances, entities):
    for number in range(5000):
        assert await allowed(instances[:1], 2, f"10.0.{number // 256}.{number % 256}") == 2
    assert entities.trips == 0


async def test_an_attack_of_one_address_costs_a_few_round_trips(instances, entities):
    await allowed(instances[:1], 2000)
    assert entities.trips <= 8


async def test_an_attack_of_many_addresses_costs_a_bounded_number_of_round_trips(instances, entities, clock):
    for number in range(1000):
        assert await allowed(instances[:1], 150, f"10.0.{number // 256}.{number % 256}") == 100
    assert entities.trips <= 1200
    clock.advance(120)
    entities.trips = 0
    await allowed(instances[:1], 5)
    assert entities.trips > 0


async def test_many_calls_of_one_address_at_once_leave_the_others_their_round_trips(instances):
    assert await allowed(instances[:1], 2000) == 100
    assert await allowed(instances, 200, "198.51.100.9") <= 102


async def test_an_instance_counts_alone_while_storage_does_not_answer(instances, entities, clock):
    entities.fails = True
    assert await allowed(instances, 500) == 200
    assert instances[0].refusal("203.0.113.7") is not None
    entities.fails = False
    clock.advance(120)
    assert await allowed(instances, 500) <= 102


async def test_an_address_that_used_up_its_limit_looks_up_no_more_keys(instances, clock):
    assert instances[0].refusal("203.0.113.7") is None
    await allowed(instances[:1], 101)
    verdict = instances[0].refusal("203.0.113.7")
    assert verdict is not None
    assert (verdict.standings[0].limit.calls, verdict.standings[0].remaining) == (100, 0)
    assert instances[0].refusal("203.0.113.8") is None
    clock.advance(verdict.retry_after_seconds + 1)
    assert instances[0].refusal("203.0.113.7") is None


async def test_callers_without_an_address_are_counted_together_and_may_look_up_keys(instances):
    assert await allowed(instances[:1], 500, None) == 100
    assert instances[0].refusal(None) is None


async def test_one_address_looks_up_a_few_keys_at_the_same_time(instances):
    running, most = 0, 0

    async def look_up():
        nonlocal running, most
        async with instances[0].looking_up("203.0.113.7"):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(look_up() for _ in range(100)))
    assert most == 8


async def test_only_the_first_refusal_of_a_minute_is_marked(instances):
    await allowed(instances[:1], 100)
    assert [(await instances[0].take("203.0.113.7")).first_refusal for _ in range(3)] == [True, False, False]
