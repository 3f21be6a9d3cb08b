"""Requests to each host are limited, and a slow host delays no other."""

import asyncio
import math
from datetime import UTC, datetime

import pytest

from shared.clock import Deadline
from shared.crawling.fetching.download import Fetched
from shared.crawling.fetching.fetch_config import FetchConfig, Timing
from shared.crawling.fetching.host_limits import HostLimits
from shared.crawling.fetching.patience import Patience, PatienceConfig, Postponed
from shared.records.consent import Answers
from shared.records.records import Reason
from shared.web.wishes.respect import Respect
from tests.expect import rejected
from tests.unit.crawling.fetching.asking import FILTERS, ask, patience
from tests.unit.crawling.fetching.hostile import body_of, raw_server


class TurnedClock:
    """A clock that advances when somebody sleeps."""

    def __init__(self):
        self.seconds = 100.0
        self.slept = 0

    def now(self):
        raise NotImplementedError

    def monotonic(self):
        return self.seconds

    async def sleep(self, seconds):
        self.seconds += seconds
        self.slept += 1


@pytest.fixture
def clock():
    return TurnedClock()


def timing(clock):
    class Clock(TurnedClock):
        now = lambda _: datetime(2026, 1, 1, tzinfo=UTC)  # noqa: E731 - no answer here carries a date
        monotonic = clock.monotonic

    return Timing(Clock(), clock.sleep)


@pytest.mark.parametrize(("delay", "kept"), [("3", 3.0), ("2.5", 2.5), ("59", 59.0), ("86400", 60.0)])
async def test_the_crawl_delay_of_robots_txt_is_respected_up_to_a_limit(
    delay, kept, hostile, make_fetcher, clock
):
    state, base = hostile
    state.robots = f"User-agent: pixcrawler\nCrawl-delay: {delay}\n"
    fetcher = make_fetcher(FetchConfig(), timing=timing(clock))
    spent = Patience(9, Deadline(clock, 1e9), lambda: False)
    for _ in range(4):
        assert isinstance(await ask(fetcher, f"{base}/ok", spent=spent), Fetched)
    assert clock.seconds == pytest.approx(100.0 + 3 * kept)


async def test_a_candidate_that_must_wait_beyond_the_chunks_time_is_postponed(hostile, make_fetcher, clock):
    state, base = hostile
    state.robots = "User-agent: *\nCrawl-delay: 5\n"
    fetcher = make_fetcher(FetchConfig(), timing=timing(clock))
    spent = Patience(9, Deadline(clock, 104.0), lambda: False)
    assert isinstance(await ask(fetcher, f"{base}/ok", spent=spent), Fetched)
    with pytest.raises(Postponed):
        await ask(fetcher, f"{base}/ok", spent=spent)
    assert state.calls["/ok"] == 1
    assert clock.slept == 0


async def test_a_wait_for_a_host_ends_when_the_job_is_stopped(hostile, make_fetcher, clock):
    state, base = hostile
    state.robots = "User-agent: *\nCrawl-delay: 9\n"
    fetcher = make_fetcher(FetchConfig(), timing=timing(clock))
    spent = Patience(9, Deadline(clock, 1e9), lambda: clock.slept > 0)
    await ask(fetcher, f"{base}/ok", spent=spent)
    with pytest.raises(Postponed):
        await ask(fetcher, f"{base}/ok", spent=spent)
    assert clock.slept == 1


def test_hosts_that_nobody_asks_are_forgotten(clock):
    limits = HostLimits(1, {}, clock)
    for number in range(10_000):
        assert limits.reserve_time(f"host-{number}", 1.0, 60.0) == 0.0
        assert limits.rest(f"host-{number}", 1.0) > 0.9
        clock.seconds += 0.01
    assert len(limits._next_times) <= 4096
    assert len(limits._rest_ends) <= 4096


@pytest.mark.parametrize(
    "config",
    [
        FetchConfig(per_host=2),
        FetchConfig(per_host=8, lower_per_host={"127.0.0.1": 2}),
        FetchConfig(per_host=2, lower_per_host={"127.0.0.1": 9, "localhost": 1}),
    ],
)
async def test_a_host_has_no_more_requests_at_a_time_than_its_share(config, hostile, make_fetcher):
    state, base = hostile
    fetcher = make_fetcher(config)
    most = 0

    async def ok(_):
        nonlocal most
        under_way.add(asyncio.current_task())
        most = max(most, len(under_way))
        for _ in range(20):
            await asyncio.sleep(0)
        under_way.discard(asyncio.current_task())
        return await plain(_)

    under_way: set[object] = set()
    plain, state.ok = state.ok, ok
    found = await asyncio.gather(*(ask_quietly(fetcher, f"{base}/ok") for _ in range(12)))
    assert all(isinstance(outcome, Fetched) for outcome in found)
    assert most == 2
    assert not fetcher._limits._hosts


async def ask_quietly(fetcher, url, spent=None):
    async with fetcher.fetch(url, FILTERS, Respect(), spent or patience(), Answers()) as found:
        return found


class HeldClock(TurnedClock):
    """A clock whose `sleep` waits until a test ends it. A `sleep` of zero seconds ends at once."""

    def __init__(self):
        super().__init__()
        self.waiting = 0
        self.woken = asyncio.Event()

    async def sleep(self, seconds):
        if seconds:
            self.waiting += 1
            await self.woken.wait()


async def fetched(held):
    async with held as found:
        return found


async def until(holds):
    """Calls `holds` again and again until it returns True."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - nothing tells when it changes
            await asyncio.sleep(0.005)


def stopped_clocks(downloads):
    return sum(held._download.seconds_left == math.inf for held in downloads)


async def test_all_tasks_respect_a_rest_that_one_of_them_was_asked_for(make_fetcher, photo):
    """The host serves six images and then asks for a rest of a second. The wait costs no tries and no download time."""
    clock, asked, early = HeldClock(), 0, 0

    async def serve(writer):
        nonlocal asked, early
        asked += 1
        if asked <= 6 or clock.seconds > 100.0:
            writer.write(body_of(photo, b"Connection: close"))
            return
        early += 1
        writer.write(b"HTTP/1.1 429 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    no_pause = Timing(timing(clock).clock, clock.sleep, lambda _low, _high: 0.0)
    fetcher = make_fetcher(FetchConfig(per_host=2), timing=no_pause)
    spent = patience(40, PatienceConfig(retry_floor=0, retry_share=0.0, wait_seconds=0.0))
    async with raw_server(serve) as base:
        urls = [f"{base}/{number}" for number in range(40)]
        downloads = [fetcher.fetch(url, FILTERS, Respect(), spent, Answers()) for url in urls]
        tasks = [asyncio.create_task(fetched(held)) for held in downloads]
        await until(lambda: clock.waiting == 34)
        assert stopped_clocks(downloads) == 34
        assert early <= 2  # requests that were sent before
        clock.seconds += 1.0
        clock.woken.set()
        found = await asyncio.gather(*tasks)
    assert all(isinstance(outcome, Fetched) for outcome in found), found
    assert asked == 40 + early
    assert early <= 2
    assert not fetcher._limits._rest_ends


async def test_a_host_that_asks_for_rests_again_and_again_is_set_aside(make_fetcher, clock):
    always = b"HTTP/1.1 429 Busy\r\nRetry-After: 15\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    fetcher = make_fetcher(FetchConfig(), timing=timing(clock))
    spent = Patience(100, Deadline(clock, 1e9), lambda: False)
    async with raw_server(always) as base:
        found = [rejected(await ask(fetcher, f"{base}/{number}", spent=spent)) for number in range(9)]
    assert {outcome.reason for outcome in found} == {Reason.RATE_LIMITED}
    assert "set aside" in found[-1].detail
    assert clock.seconds - 100.0 < 130


async def test_a_candidate_whose_host_rests_beyond_the_chunks_time_is_postponed(make_fetcher, clock):
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    fetcher = make_fetcher(FetchConfig(), timing=timing(clock))
    spent = Patience(100, Deadline(clock, 105.0), lambda: False)
    async with raw_server(busy) as base:
        for number in range(2):
            with pytest.raises(Postponed):
                await ask(fetcher, f"{base}/{number}", spent=spent)


async def test_waiting_for_a_host_does_not_count_towards_the_time_of_a_download(make_fetcher, photo):
    """While three of four downloads wait for their turns at a slow host, their clocks are stopped."""
    may_answer, stopped = asyncio.Event(), []

    async def slow(writer):
        stopped.append(stopped_clocks(downloads))
        await may_answer.wait()
        writer.write(body_of(photo))

    fetcher = make_fetcher(FetchConfig(per_host=1, tries=1))
    async with raw_server(slow) as base:
        downloads = [
            fetcher.fetch(f"{base}/{number}", FILTERS, Respect(), patience(), Answers())
            for number in range(4)
        ]
        tasks = [asyncio.create_task(fetched(held)) for held in downloads]
        await until(lambda: stopped and stopped_clocks(downloads) == 3)
        may_answer.set()
        found = await asyncio.gather(*tasks)
    assert all(isinstance(outcome, Fetched) for outcome in found), found
    assert stopped[1:] == [2, 1, 0]
