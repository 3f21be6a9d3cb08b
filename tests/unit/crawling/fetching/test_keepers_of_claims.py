"""A process goes on claiming a host's places after any error, so that no host is lost to it."""

import asyncio

from shared.clock import SystemClock
from shared.crawling.fetching.fetch_config import PlaceTimes
from shared.crawling.fetching.host_limits import HostLimits
from shared.crawling.fetching.host_places import HostPlaces
from shared.crawling.fetching.host_rows import HostRows, Terms
from shared.storage.memory.entities import MemoryEntities

HOST = "images.test:443"
TIMES = PlaceTimes(renew=0.1, ask_again=0.01, give_back=0.02, unused=0.05, without_place=30.0)


class FlawedEntities(MemoryEntities):
    """Raises an error of another kind than storage should, a few times."""

    def __init__(self):
        super().__init__()
        self.errors = 0

    async def apply(self, table, partition, changes):
        if self.errors:
            self.errors -= 1
            raise OSError("not what a store should raise")
        return await super().apply(table, partition, changes)


async def test_a_host_is_asked_again_after_an_error_that_nobody_expected():
    entities, clock = FlawedEntities(), SystemClock()
    rows = HostRows(entities, clock, "p", Terms(claim=0.6, margin=0.1))
    places = HostPlaces(HostLimits(8, {}, clock), {}, rows, clock, TIMES)
    for errors in (3, 0, 2):
        entities.errors = errors
        async with asyncio.timeout(20):
            await asyncio.gather(*(places.enter(HOST, delay_seconds=0, within_seconds=30) for _ in range(8)))
        for _ in range(8):
            places.leave(HOST)
        keeper = places._uses[HOST].keeper
        assert keeper is not None
        entities.errors = errors
        async with asyncio.timeout(20):
            await keeper
