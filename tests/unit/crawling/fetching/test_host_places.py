"""All processes together give a host no more requests than its limit, and each of them gets its turn."""

import asyncio
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest

from shared.clock import SystemClock
from shared.crawling.fetching.fetch_config import PlaceTimes
from shared.crawling.fetching.host_limits import HostLimits
from shared.crawling.fetching.host_places import HostPlaces, NoPlace
from shared.crawling.fetching.host_rows import TABLE, HostRow, HostRows, Terms, shard_of
from shared.errors import Unavailable
from shared.storage.memory.entities import MemoryEntities
from tests.expect import present
from tests.unit.manual_clock import ManualClock

HOST = "images.test:443"
LASTING = Terms(claim=60.0, margin=0.1, turn=0.3)  # no claim ends while a busy machine pauses the process
BRIEF = Terms(claim=0.6, margin=0.1, turn=0.3)
TIMES = PlaceTimes(renew=0.1, ask_again=0.03, give_back=0.02, unused=0.05, without_place=30.0)


class CountedEntities(MemoryEntities):
    """Takes a moment for each call, counts the calls, and answers none of them while `silent`."""

    def __init__(self):
        super().__init__()
        self.calls = 0
        self.silent = False

    async def get(self, table, partition, row):
        await self._count()
        found = await super().get(table, partition, row)
        await asyncio.sleep(0.001)
        return found

    async def apply(self, table, partition, changes):
        await self._count()
        made = await super().apply(table, partition, changes)
        await asyncio.sleep(0.001)
        return made

    async def _count(self):
        self.calls += 1
        await asyncio.sleep(0.001)
        if self.silent:
            raise Unavailable("Storage does not answer.")


class Server:
    """The requests that a host has at a time, when each began, by process, and the times that pauses allowed."""

    def __init__(self):
        self.now, self.most = 0, 0
        self.begun = []
        self.reserved = []

    @asynccontextmanager
    async def request(self, process):
        self.now += 1
        self.most = max(self.most, self.now)
        self.begun.append((process, asyncio.get_running_loop().time()))
        try:
            await asyncio.sleep(0.005)
            yield
        finally:
            self.now -= 1

    def count(self, process):
        return sum(name == process for name, _ in self.begun)


@pytest.fixture
def entities():
    return CountedEntities()


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def process(entities):
    def make(name, per_host=8, lower=None, times=TIMES, terms=LASTING):
        clock = SystemClock()
        limits = HostLimits(per_host, lower or {}, clock)
        return HostPlaces(limits, lower or {}, HostRows(entities, clock, name, terms), clock, times)

    return make


async def download(places, server, name, *, host=HOST, delay=0.0, within=30.0):
    await places.enter(host, delay_seconds=delay, within_seconds=within)
    try:
        if delay:
            pause = places._limits.reserve_time(host, delay, within)
            server.reserved.append(SystemClock().monotonic() + pause)
            await asyncio.sleep(pause)
        async with server.request(name):
            pass
    finally:
        places.leave(host)


async def download_many(places, server, name, count, at_once=16, **kinds):
    left = iter(range(count))

    async def work():
        for _ in left:
            await download(places, server, name, **kinds)

    await asyncio.gather(*(work() for _ in range(at_once)))


async def row_of(entities, host=HOST):
    return await MemoryEntities.get(entities, TABLE, shard_of(host), host)


async def gone(entities, host=HOST):
    """Waits until the host has no row."""
    async with asyncio.timeout(20):
        while await row_of(entities, host) is not None:  # noqa: ASYNC110 - storage has no events
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("processes", "limit"), [(2, 8), (4, 8), (5, 3), (4, 1)])
async def test_processes_share_the_limit_of_a_host(processes, limit, entities, process, server):
    names = [f"p{number}" for number in range(processes)]
    work = [download_many(process(name, limit), server, name, 60) for name in names]
    await asyncio.gather(*work)
    assert server.most == limit
    assert [server.count(name) for name in names] == [60] * processes
    await gone(entities)


async def test_a_single_process_gets_the_whole_limit_for_few_calls(entities, process, server):
    began = SystemClock().monotonic()
    await download_many(process("p"), server, "p", 400)
    renewals = (SystemClock().monotonic() - began) / TIMES.renew
    assert server.most == 8
    assert entities.calls <= 1 + renewals


async def test_a_process_that_is_alone_at_a_host_makes_one_call_to_begin_and_one_to_end(
    entities, process, server
):
    patient = PlaceTimes(renew=30.0, unused=0.05)
    await download_many(process("p", times=patient), server, "p", 100, at_once=3)
    await download_many(process("q", times=patient), server, "q", 100, host="other.test:443")
    await gone(entities)
    await gone(entities, "other.test:443")
    assert entities.calls == 4


async def test_a_claim_is_not_released_because_the_host_has_no_download_when_it_is_due(
    entities, process, server
):
    places = process("p", times=PlaceTimes(renew=0.02, unused=60.0))
    await download_many(places, server, "p", 10)
    inserted = HostRow.of(await row_of(entities)).claims["p"].until
    for _ in range(10):
        await download(places, server, "p")
        await asyncio.sleep(0.02)
        assert HostRow.of(await row_of(entities)).claims["p"].until >= inserted
    places._times = PlaceTimes(renew=0.02, unused=0.05)
    await gone(entities)
    await settled(lambda: not places._uses)


async def test_a_process_with_few_images_of_many_hosts_makes_no_calls(entities, process, server):
    places = process("p")
    for start in range(0, 200, 50):
        hosts = [f"host-{number}.test:80" for number in range(start, start + 50)]
        await asyncio.gather(*(download(places, server, "p", host=host) for host in hosts for _ in range(2)))
    assert entities.calls == 0
    assert not places._uses


async def test_without_a_claim_a_process_asks_a_host_for_one_image_at_a_time(process, server):
    places = process("p")
    await asyncio.gather(*(download(places, server, "p") for _ in range(2)))
    assert server.most == 1


async def test_a_host_with_a_lower_limit_always_needs_a_claim(entities, process, server):
    lower = {"images.test": 2}
    await asyncio.gather(
        *(download_many(process(f"p{n}", 8, lower), server, f"p{n}", 10, at_once=2) for n in range(4))
    )
    assert server.most <= 2
    await gone(entities)


async def test_a_process_that_had_a_claim_needs_one_again(entities, process, server):
    places = process("p")
    await download_many(places, server, "p", 10)
    await gone(entities)
    calls = entities.calls
    await download(places, server, "p")
    assert entities.calls > calls


async def test_the_pauses_of_a_host_hold_over_all_processes(entities, process, server):
    names = ["p0", "p1", "p2"]
    await asyncio.gather(
        *(download_many(process(name), server, name, 4, at_once=2, delay=0.15) for name in names)
    )
    # not when requests began: one that begins late comes closer to the next one
    pauses = [after - before for before, after in pairwise(sorted(server.reserved))]
    assert len(pauses) == 11
    assert min(pauses) >= 0.1, pauses
    assert {name for name, _ in server.begun} == set(names)
    left = HostRow.of(await row_of(entities))
    assert left.next_at < SystemClock().now().timestamp() + 1


async def test_a_renewal_moves_the_next_time_of_a_host_no_further_however_long_storage_takes():
    clock = ManualClock()

    class Late(CountedEntities):
        async def apply(self, table, partition, changes):
            clock.advance(1.0)
            return await super().apply(table, partition, changes)

    entities, limits = Late(), HostLimits(8, {}, clock)
    places = HostPlaces(limits, {}, HostRows(entities, clock, "p", LASTING), clock, TIMES)
    await places.enter(HOST, delay_seconds=5.0, within_seconds=30)
    limits.reserve_time(HOST, 5.0, 30)
    use, began, left = places._uses[HOST], clock.monotonic(), limits.seconds_until_next(HOST)
    for renewals in (1, 2, 3):
        ends_at = use.ends_at
        use.changed.set()
        await settled(lambda before=ends_at: use.ends_at > before)
        assert clock.monotonic() == began + renewals
        assert limits.seconds_until_next(HOST) == pytest.approx(left - renewals, abs=0.001)
    places.leave(HOST)
    present(use.keeper).cancel()


async def test_the_places_of_a_dead_process_become_free(process, server):
    dead = process("dead", terms=BRIEF)
    await asyncio.gather(*(dead.enter(HOST, delay_seconds=0, within_seconds=30) for _ in range(8)))
    dead._uses[HOST].keeper.cancel()
    await download_many(process("p"), server, "p", 20)
    assert server.count("p") == 20


async def settled(holds):
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the state that is looked at has no events
            await asyncio.sleep(0.005)


async def test_a_download_does_not_wait_long_where_other_processes_have_all_places(process, server):
    first = process("p0", 1)
    await first.enter(HOST, delay_seconds=0, within_seconds=30)
    tasks = [asyncio.create_task(first.enter(HOST, delay_seconds=0, within_seconds=60)) for _ in range(3)]
    await settled(lambda: first._uses[HOST].places == 1)
    hasty = PlaceTimes(renew=0.1, ask_again=0.03, give_back=0.02, unused=0.05, without_place=0.2)
    second = process("p1", 1, times=hasty)
    entering = [second.enter(HOST, delay_seconds=0, within_seconds=60) for _ in range(3)]
    found = await asyncio.gather(*entering, return_exceptions=True)
    assert all(isinstance(outcome, NoPlace) for outcome in found), found
    assert not server.begun
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_download_that_is_cancelled_while_it_waits_leaves_nothing_behind(entities, process):
    places = process("p", 1)
    await places.enter(HOST, delay_seconds=0, within_seconds=30)
    waiting = [asyncio.create_task(places.enter(HOST, delay_seconds=0, within_seconds=30)) for _ in range(5)]
    await settled(lambda: len(places._uses[HOST].waiting) == 5)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    places.leave(HOST)
    await gone(entities)
    await settled(lambda: not places._uses)


async def test_all_processes_learn_that_a_host_rests(process, server):
    first, second = process("p0"), process("p1")
    work = asyncio.gather(
        *(download_many(places, server, name, 1500) for places, name in ((first, "p0"), (second, "p1")))
    )
    await settled(lambda: HOST in first._uses and HOST in second._uses)
    await settled(lambda: first._uses[HOST].places and second._uses[HOST].places)
    first.rest(HOST, 30.0)
    await settled(lambda: second._limits.is_resting(HOST))
    await work


async def test_a_rest_that_begins_while_the_claim_is_written_is_written_at_once_after_it(
    entities, process, server, monkeypatch
):
    places, apply = process("p", times=PlaceTimes(renew=30.0, unused=30.0)), entities.apply
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def apply_later(*args):
        is_asked.set()
        await may_answer.wait()
        return await apply(*args)

    monkeypatch.setattr(entities, "apply", apply_later)
    work = asyncio.create_task(download_many(places, server, "p", 3000))
    await is_asked.wait()
    places.rest(HOST, 60.0)
    may_answer.set()
    await settled(lambda: (row := places._uses[HOST].row) is not None and row.rest_until > 0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_no_request_begins_while_storage_does_not_renew_the_claim(entities, process, server):
    places = process("p", terms=BRIEF)
    await download_many(places, server, "p", 10)
    work = asyncio.create_task(download_many(places, server, "p", 3000))
    await settled(lambda: places._uses[HOST].places == 8)
    entities.silent = True
    await settled(lambda: not places._capacity(places._uses[HOST]))
    await asyncio.sleep(0.01)  # a download that was admitted just before begins its request
    begun = len(server.begun)
    await asyncio.sleep(0.05)
    assert len(server.begun) == begun
    entities.silent = False
    await work
    assert server.count("p") == 3010
