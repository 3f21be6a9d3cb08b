import asyncio
import random
from datetime import UTC, datetime

import pytest

from shared.errors import QuotaExceeded, Unavailable
from shared.storage.memory.entities import MemoryEntities
from shared.users.tiers import Tier
from shared.users.usage import UsageStore

TIER = Tier(requests_per_minute=1, jobs_at_once=3, images_per_month=1000, images_per_job=500)


@pytest.fixture
def usage():
    return UsageStore(MemoryEntities())


async def figures(usage, clock):
    now = await usage.look_up("ann", clock.now())
    return now.jobs_open, now.images_reserved, now.images_kept


async def test_a_reservation_is_made_once_and_settled_once(usage, clock):
    for _ in range(3):
        await usage.reserve("ann", "job1", 500, TIER, clock.now())
    assert await figures(usage, clock) == (1, 500, 0)
    assert [await usage.settle("ann", "job1", 120) for _ in range(3)] == [True, False, False]
    assert await figures(usage, clock) == (0, 0, 120)


async def test_a_job_beyond_the_jobs_at_once_is_refused_with_limit_and_use(usage, clock):
    for number in range(3):
        await usage.reserve("ann", f"job{number}", 10, TIER, clock.now())
    with pytest.raises(QuotaExceeded) as refused:
        await usage.reserve("ann", "job4", 10, TIER, clock.now())
    assert (refused.value.limit, refused.value.used, refused.value.resets_at) == (3, 3, None)


async def test_images_beyond_the_month_are_refused_until_the_next_month(usage, clock):
    await usage.reserve("ann", "job1", 500, TIER, clock.now())
    await usage.settle("ann", "job1", 500)
    await usage.reserve("ann", "job2", 500, TIER, clock.now())
    with pytest.raises(QuotaExceeded) as refused:
        await usage.reserve("ann", "job3", 1, TIER, clock.now())
    assert (refused.value.limit, refused.value.used) == (1000, 1000)
    assert refused.value.resets_at == datetime(2026, 4, 1, tzinfo=UTC)
    clock.moment = datetime(2026, 4, 1, tzinfo=UTC)
    await usage.reserve("ann", "job3", 1, TIER, clock.now())


async def test_december_ends_with_the_year(usage, clock):
    clock.moment = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert (await usage.look_up("ann", clock.now())).resets_at == datetime(2027, 1, 1, tzinfo=UTC)


async def test_images_count_in_the_month_that_reserved_them(usage, clock):
    await usage.reserve("ann", "job1", 500, TIER, clock.now())
    clock.moment = datetime(2026, 4, 1, tzinfo=UTC)
    await usage.settle("ann", "job1", 400)
    assert await figures(usage, clock) == (0, 0, 0)
    clock.moment = datetime(2026, 3, 31, tzinfo=UTC)
    assert await figures(usage, clock) == (0, 0, 400)


async def test_two_instances_cannot_overdraw_together(usage, clock):
    other = UsageStore(usage.entities)
    made = await asyncio.gather(
        *(
            store.reserve("ann", f"job{n}", 100, TIER, clock.now())
            for n in range(10)
            for store in (usage, other)
        ),
        return_exceptions=True,
    )
    assert sum(result is None for result in made) >= 3
    assert await figures(usage, clock) == (3, 300, 0)


async def test_users_have_usage_of_their_own(usage, clock):
    await usage.reserve("ann", "job1", 500, TIER, clock.now())
    assert (await usage.look_up("bob", clock.now())).jobs_open == 0


async def test_reservations_are_listed_for_those_who_settle_what_was_lost(usage, clock):
    await usage.reserve("ann", "job1", 500, TIER, clock.now())
    await usage.reserve("ann", "job2", 20, TIER, clock.now())
    held = await usage.reservations("ann")
    assert [(item.job_id, item.images, item.month) for item in held] == [
        ("job1", 500, "2026-03"),
        ("job2", 20, "2026-03"),
    ]
    assert held[0].reserved_at == clock.now()


class DyingEntities(MemoryEntities):
    """Dies at random, before a change is made or after."""

    def __init__(self, seed):
        super().__init__()
        self.random = random.Random(seed)

    async def apply(self, table, partition, changes):
        moment = self.random.choice(("before", "after", "not", "not"))
        if moment == "before":
            raise Unavailable("Died before the change.")
        etags = await super().apply(table, partition, changes)
        if moment == "after":
            raise Unavailable("Died after the change.")
        return etags


@pytest.mark.parametrize("seed", range(20))
async def test_no_reservation_is_lost_or_counted_twice_whenever_a_process_dies(seed, clock):
    usage = UsageStore(DyingEntities(seed))

    async def until_done(step):
        while True:
            try:
                return await step()
            except Unavailable:
                continue

    for number in range(10):
        await until_done(lambda n=number: usage.reserve("ann", f"job{n}", 50, TIER, clock.now()))
        await until_done(lambda n=number: usage.settle("ann", f"job{n}", 30))
    assert await figures(usage, clock) == (0, 0, 300)
