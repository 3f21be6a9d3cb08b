"""In memory, a blob leaves the Archive tier as slowly as it does on Azure, by the clock of the test."""

from datetime import timedelta

import pytest

from shared.errors import Conflict
from shared.storage.blobs import Priority, Tier
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.manual_clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def blobs(clock):
    store = MemoryBlobs(clock)
    await store.put("a", b"x")
    await store.set_tier("a", Tier.ARCHIVE)
    return store


@pytest.mark.parametrize(("priority", "hours"), [(Priority.STANDARD, 15), (Priority.HIGH, 1)])
async def test_a_blob_is_readable_after_the_hours_that_its_priority_takes(blobs, clock, priority, hours):
    await blobs.set_tier("a", Tier.HOT, priority=priority)
    clock.advance(timedelta(hours=hours, seconds=-1).total_seconds())
    with pytest.raises(Conflict, match="Archive tier"):
        await blobs.get("a")
    assert (await blobs.info("a")).rehydrating_to is Tier.HOT
    clock.advance(1)
    assert await blobs.get("a") == b"x"
    assert (await blobs.info("a")).tier is Tier.HOT


async def test_the_priority_of_a_rehydration_can_only_be_raised(blobs, clock):
    await blobs.set_tier("a", Tier.COOL)
    await blobs.set_tier("a", Tier.COOL, priority=Priority.HIGH)
    await blobs.set_tier("a", Tier.COOL)
    assert (await blobs.info("a")).priority is Priority.HIGH
    clock.advance(timedelta(hours=1).total_seconds())
    assert (await blobs.info("a")).tier is Tier.COOL


@pytest.mark.parametrize("tier", [Tier.HOT, Tier.COLD, Tier.ARCHIVE])
async def test_a_blob_that_is_rehydrated_cannot_go_to_another_tier(blobs, tier):
    await blobs.set_tier("a", Tier.COOL)
    with pytest.raises(Conflict, match="being rehydrated"):
        await blobs.set_tier("a", tier)
