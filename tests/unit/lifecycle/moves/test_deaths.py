"""A process that dies after any of its writes leaves a dataset that comes to the same end."""

import pytest

from shared.datasets.keeping import Keeping
from shared.errors import Unavailable
from shared.lifecycle.moves.requests import WantedRehydration
from shared.storage.blobs import Priority, Tier
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from tests.unit.datasets.made import MADE_AT
from tests.unit.lifecycle.moves.house import House
from tests.unit.manual_clock import ManualClock

WEEK = WantedRehydration(Tier.HOT, Priority.STANDARD, 7)


class Life:
    """Counts writes, and ends the process after one of them."""

    def __init__(self):
        self.writes = 0
        self.dies_after = None

    def wrote(self):
        self.writes += 1
        if self.writes == self.dies_after:
            raise Unavailable("The process has died.")


class DyingBlobs(MemoryBlobs):
    def __init__(self, clock, life):
        super().__init__(clock)
        self._life = life

    async def set_tier(self, name, tier, **options):
        await super().set_tier(name, tier, **options)
        self._life.wrote()


class DyingEntities(MemoryEntities):
    def __init__(self, life):
        super().__init__()
        self._life = life

    async def apply(self, table, partition, changes):
        etags = await super().apply(table, partition, changes)
        self._life.wrote()
        return etags


async def live(ask, dies_after, *, loses_messages):
    """Carries a request out; returns the end and how many writes there were.

    The process dies once. Then its message comes again or, if it `loses_messages`, the nightly run goes on.
    """
    life, clock = Life(), ManualClock(MADE_AT)
    house = House(DyingBlobs(clock, life), DyingEntities(life), clock)
    await house.record(ask.before)
    house.messages.wrote = house.announced.wrote = life.wrote
    life.writes, life.dies_after = 0, dies_after
    try:
        await ask.request(house)
    except Unavailable:
        house.start()
        if not loses_messages:
            await ask.request(house)
    while True:
        while house.messages:
            message = house.messages.next()
            try:
                await house.queue.run(message, house.deadline())
            except Unavailable:
                house.start()
                if loses_messages:
                    house.messages.lose_all()
                else:
                    await house.messages.send("lifecycle", message, delay_seconds=600)
        if not await house.requests.resume(await house.dataset()):
            break
    dataset = await house.dataset()
    return (
        (dataset.tier, await house.tiers(), dataset.keeping),
        len(house.announced.events),
        life.writes,
        clock,
    )


class Rehydrate:
    before, after = Tier.ARCHIVE, Tier.HOT

    async def request(self, house):
        await house.requests.rehydrate("ann", "j", WEEK)


class Archive:
    before, after = Tier.HOT, Tier.ARCHIVE

    async def request(self, house):
        await house.requests.move("ann", "j", Tier.ARCHIVE)


@pytest.mark.parametrize("loses_messages", [False, True])
@pytest.mark.parametrize("ask", [Rehydrate(), Archive()], ids=["rehydrate", "archive"])
async def test_the_end_is_the_same_wherever_the_process_dies(ask, loses_messages):
    (*_, writes, _clock) = await live(ask, None, loses_messages=loses_messages)
    assert writes > 5
    for dies_after in range(1, writes + 1):
        (tier, tiers, keeping), events, _, clock = await live(ask, dies_after, loses_messages=loses_messages)
        assert (tier, tiers) == (ask.after, {ask.after}), dies_after
        assert events == (1 if ask.after is Tier.HOT else 0), dies_after
        assert (keeping.rehydration, keeping.move) == (None, None), dies_after
        assert keeping.tier_changed_at <= clock.now()
        if ask.after is Tier.ARCHIVE:
            assert keeping == Keeping(tier_changed_at=keeping.tier_changed_at)
