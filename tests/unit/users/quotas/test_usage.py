import asyncio
import random
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from shared.errors import QuotaExceeded, Unavailable
from shared.storage.memory.entities import MemoryEntities
from shared.users.quotas.reservation import Wish, token_at
from shared.users.quotas.usage import UsageStore
from shared.users.tiers import Tier

TIER = Tier(requests_per_minute=1, jobs_at_once=3, images_per_month=1000, images_per_job=500)


@pytest.fixture
def usage():
    return UsageStore(MemoryEntities())


_numbers = count()


def reserve(usage, clock, job_id, images, *, user_id="ann", kept_before=0):
    token = token_at(clock.now(), f"n{next(_numbers)}")
    return usage.reserve(Wish(user_id, job_id, token, images, kept_before), TIER, clock.now())


async def settle(usage, job_id, images, *, user_id="ann"):
    held = await usage.find(user_id, job_id)
    return held is not None and await usage.settle(user_id, job_id, held.token, images)


async def listed(usage, clock):
    return [item.job_id async for item in usage.listed(clock.now() + timedelta(days=1))]


async def figures(usage, clock):
    now = await usage.look_up("ann", clock.now())
    return now.jobs_open, now.images_reserved, now.images_kept


async def test_a_reservation_is_made_once_and_settled_once(usage, clock):
    for _ in range(3):
        await reserve(usage, clock, "job1", 500)
    assert await figures(usage, clock) == (1, 500, 0)
    assert [await settle(usage, "job1", 120) for _ in range(3)] == [True, False, False]
    assert await figures(usage, clock) == (0, 0, 120)


async def test_a_job_beyond_the_jobs_at_once_is_refused_with_limit_and_use(usage, clock):
    for number in range(3):
        await reserve(usage, clock, f"job{number}", 10)
    with pytest.raises(QuotaExceeded) as refused:
        await reserve(usage, clock, "job4", 10)
    assert (refused.value.limit, refused.value.used, refused.value.resets_at) == (3, 3, None)


async def test_images_beyond_the_month_are_refused_until_the_next_month(usage, clock):
    await reserve(usage, clock, "job1", 500)
    await settle(usage, "job1", 500)
    await reserve(usage, clock, "job2", 500)
    with pytest.raises(QuotaExceeded) as refused:
        await reserve(usage, clock, "job3", 1)
    assert (refused.value.limit, refused.value.used) == (1000, 1000)
    assert refused.value.resets_at == datetime(2026, 4, 1, tzinfo=UTC)
    clock.moment = datetime(2026, 4, 1, tzinfo=UTC)
    await reserve(usage, clock, "job3", 1)


async def test_december_ends_with_the_year(usage, clock):
    clock.moment = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert (await usage.look_up("ann", clock.now())).resets_at == datetime(2027, 1, 1, tzinfo=UTC)


async def test_images_count_in_the_month_that_reserved_them(usage, clock):
    await reserve(usage, clock, "job1", 500)
    clock.moment = datetime(2026, 4, 1, tzinfo=UTC)
    await settle(usage, "job1", 400)
    assert await figures(usage, clock) == (0, 0, 0)
    clock.moment = datetime(2026, 3, 31, tzinfo=UTC)
    assert await figures(usage, clock) == (0, 0, 400)


async def test_two_instances_cannot_overdraw_together(usage, clock):
    other = UsageStore(usage.entities)
    made = await asyncio.gather(
        *(reserve(store, clock, f"job{n}", 100) for n in range(10) for store in (usage, other)),
        return_exceptions=True,
    )
    assert sum(not isinstance(result, QuotaExceeded) for result in made) >= 3
    assert await figures(usage, clock) == (3, 300, 0)


async def test_users_have_usage_of_their_own(usage, clock):
    await reserve(usage, clock, "job1", 500)
    assert (await usage.look_up("bob", clock.now())).jobs_open == 0


async def test_what_an_earlier_revision_kept_is_not_counted_again(usage, clock):
    await reserve(usage, clock, "job1", 500)
    await settle(usage, "job1", 120)
    for kept in (150, 100):  # a retry may also end with fewer images
        await reserve(usage, clock, "job1", 380, kept_before=120)
        assert await figures(usage, clock) == (1, 380, 150 if kept == 100 else 120)
        await settle(usage, "job1", kept)
    assert await figures(usage, clock) == (0, 0, 150)


async def test_only_the_reservation_of_the_token_is_settled(usage, clock):
    first, _ = await reserve(usage, clock, "job1", 500)
    await usage.settle("ann", "job1", first.token, 10)
    await reserve(usage, clock, "job1", 400)
    assert not await usage.settle("ann", "job1", first.token, 10)
    assert await figures(usage, clock) == (1, 400, 10)


async def test_a_reservation_that_another_call_counts_on_is_not_taken_back(usage, clock):
    made, is_new = await reserve(usage, clock, "job1", 500)
    clock.advance(1)
    found, is_new_again = await reserve(usage, clock, "job1", 500)
    assert (found.token, is_new, is_new_again) == (made.token, True, False)
    assert not await usage.release(made)
    touched = await usage.find("ann", "job1")
    assert touched.touched_at == clock.now()
    assert await usage.release(touched)
    assert await figures(usage, clock) == (0, 0, 0)


async def test_a_reservation_is_not_taken_back_if_it_is_asked_for_in_the_last_moment(usage, clock):
    made, _ = await reserve(usage, clock, "job1", 500)
    other, apply = UsageStore(usage.entities), usage.entities.apply

    async def apply_late(table, partition, changes):
        usage.entities.apply = apply
        clock.advance(1)
        await reserve(other, clock, "job1", 500)
        return await apply(table, partition, changes)

    usage.entities.apply = apply_late
    assert not await usage.release(made)
    assert await figures(usage, clock) == (1, 500, 0)


async def test_reservations_of_all_users_are_listed_by_time_until_they_are_settled(usage, clock):
    for number, user_id in enumerate(("zoe", "ann", "bob")):
        await reserve(usage, clock, f"job{number}", 10, user_id=user_id)
        clock.advance(1)
    assert await listed(usage, clock) == ["job0", "job1", "job2"]
    assert [item.user_id async for item in usage.listed(clock.now() - timedelta(seconds=2))] == ["zoe"]
    await settle(usage, "job1", 3)
    assert await listed(usage, clock) == ["job0", "job2"]


async def test_a_refusal_writes_nothing(usage, clock):
    with pytest.raises(QuotaExceeded):
        await reserve(usage, clock, "job1", 1001)
    assert await listed(usage, clock) == []
    assert await usage.find("ann", "job1") is None


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
        await until_done(lambda n=number: reserve(usage, clock, f"job{n}", 50))
        await until_done(lambda n=number: settle(usage, f"job{n}", 30))
    assert await figures(usage, clock) == (0, 0, 300)
