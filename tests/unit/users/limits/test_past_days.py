from datetime import timedelta

from shared.clock import Deadline
from shared.storage.memory.entities import MemoryEntities
from shared.users.limits.counts import TABLE, Limit, partition_of
from shared.users.limits.past_days import PastDays
from shared.users.limits.rate_limits import RateLimits

SUBJECTS = [f"user{number}" for number in range(40)]


async def count_calls(entities, clock, days):
    """Count a call of each subject on each day, and return the partitions of the days."""
    partitions = []
    limits = RateLimits(entities, clock)
    for _ in range(days):
        for subject in SUBJECTS:
            await limits.take(subject, (Limit("user", 10),))
        partitions.append({partition_of(clock.now(), subject) for subject in SUBJECTS})
        clock.advance(24 * 3600)
    return partitions


async def rows(entities, partitions):
    return sum([1 async for _ in _rows(entities, partitions)])


async def _rows(entities, partitions):
    for partition in partitions:
        async for row in entities.query(TABLE, partition):
            yield row


async def test_days_before_yesterday_are_erased_and_yesterday_stays(clock):
    entities = MemoryEntities()
    partitions = await count_calls(entities, clock, 4)
    assert await PastDays(entities, clock).erase(Deadline.after(clock, 60))
    assert [await rows(entities, day) for day in partitions] == [0, 0, 0, 40]


async def test_nights_without_a_run_are_made_up_for(clock):
    entities = MemoryEntities()
    past = PastDays(entities, clock)
    assert await past.erase(Deadline.after(clock, 60))
    partitions = await count_calls(entities, clock, 30)
    assert await past.erase(Deadline.after(clock, 60))
    assert sum([await rows(entities, day) for day in partitions]) == 40


async def test_a_run_without_time_is_continued_by_the_next(clock):
    entities = MemoryEntities()
    partitions = await count_calls(entities, clock, 3)
    past = PastDays(entities, clock)
    assert not await past.erase(Deadline.after(clock, -1))
    assert await rows(entities, partitions[0]) == 40
    clock.advance(timedelta(days=1).total_seconds())
    assert await past.erase(Deadline.after(clock, 60))
    assert sum([await rows(entities, day) for day in partitions]) == 0
