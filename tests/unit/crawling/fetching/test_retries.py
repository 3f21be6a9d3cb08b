"""Transient failures are tried again, within the budget of a chunk."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.clock import Deadline, SystemClock
from shared.crawling.fetching.download import Fetched
from shared.crawling.fetching.fetch_config import FetchConfig, Timing
from shared.crawling.fetching.patience import Patience, PatienceConfig
from shared.records.records import Reason, Rejected
from tests.expect import rejected
from tests.unit.crawling.fetching.asking import ask, patience
from tests.unit.crawling.fetching.hostile import raw_server

NOW = datetime(2030, 5, 1, 12, 0, 0, tzinfo=UTC)
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n"


class Pauses:
    """Notes pauses and does not sleep. Its clock advances by the pauses only."""

    def __init__(self, share=1.0):
        self.made = []
        self.timing = Timing(self, self._sleep, lambda low, high: low + (high - low) * share)

    def now(self):
        return NOW

    def monotonic(self):
        return sum(self.made)

    async def _sleep(self, seconds):
        self.made.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def pauses():
    return Pauses()


@pytest.mark.parametrize(
    ("path", "calls"),
    [("/broken", 3), ("/busy", 3), ("/early", 3), ("/slow-down", 3), ("/forbidden", 1), ("/no-such", 1),
     ("/unbuilt", 1), ("/throttled", 1), ("/noai", 1), ("/empty", 1)],
)  # fmt: skip
async def test_only_transient_failures_are_tried_again(path, calls, hostile, make_fetcher, pauses):
    state, base = hostile
    assert isinstance(await ask(make_fetcher(timing=pauses.timing), base + path), Rejected)
    assert state.calls[path] == calls
    assert len(pauses.made) == calls - 1


async def test_pauses_are_drawn_from_a_range_that_doubles(hostile, make_fetcher):
    _, base = hostile
    config = FetchConfig(tries=4, first_pause_seconds=0.5)
    for share in (1.0, 0.25):
        pauses = Pauses(share)
        await ask(make_fetcher(config, timing=pauses.timing), f"{base}/broken")
        assert pauses.made == [0.5 * share, 1.0 * share, 2.0 * share]


@pytest.mark.parametrize(
    ("wanted", "pause"),
    [
        ("7", 7.0),
        (format_datetime(NOW + timedelta(seconds=9), usegmt=True), 9.0),
        ((NOW + timedelta(seconds=4)).strftime("%a %b %d %H:%M:%S %Y"), 4.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("\u0663", 0.0),
    ],
)
async def test_a_retry_waits_as_long_as_the_host_asks(wanted, pause, make_fetcher):
    pauses = Pauses(share=0.0)
    answer = BUSY + f"Retry-After: {wanted}\r\n\r\n".encode()
    async with raw_server(answer) as base:
        await ask(make_fetcher(FetchConfig(), timing=pauses.timing), f"{base}/x")
    assert sum(pauses.made) == 2 * pause


@pytest.mark.parametrize("wanted", ["3600", "21", format_datetime(NOW + timedelta(days=900), usegmt=True)])
async def test_a_host_that_asks_for_a_long_rest_is_set_aside(wanted, hostile, make_fetcher, pauses):
    spent = patience()
    fetcher = make_fetcher(FetchConfig(), timing=pauses.timing)
    async with raw_server(BUSY + f"Retry-After: {wanted}\r\n\r\n".encode()) as base:
        found = await ask(fetcher, f"{base}/1", spent=spent)
    assert found == Rejected(Reason.SERVER_ERROR, "HTTP 503")
    after = await ask(fetcher, f"{base}/2", spent=spent)  # nobody listens any more, and nobody is asked
    assert after == Rejected(Reason.SERVER_ERROR, "the host was set aside: HTTP 503")
    assert not pauses.made
    assert isinstance(await ask(fetcher, f"{hostile[1]}/ok", spent=spent), Fetched)


async def test_the_retries_of_a_chunk_are_limited(hostile, make_fetcher, pauses):
    state, base = hostile
    spent = patience(20, PatienceConfig(retry_share=0.2, retry_floor=1))
    fetcher = make_fetcher(timing=pauses.timing)
    for number in range(20):
        found = await ask(fetcher, f"{base}/broken?{number}", spent=spent)
        assert found == Rejected(Reason.SERVER_ERROR, "HTTP 500")
    assert state.calls["/broken"] == 20 + 4


async def test_a_small_chunk_has_retries(hostile, make_fetcher, pauses):
    state, base = hostile
    spent = patience(1, PatienceConfig(retry_share=0.2, retry_floor=2))
    await ask(make_fetcher(timing=pauses.timing), f"{base}/broken", spent=spent)
    assert state.calls["/broken"] == 3


async def test_the_pauses_of_a_chunk_are_limited_in_sum(hostile, make_fetcher, pauses):
    state, base = hostile
    spent = patience(100, PatienceConfig(wait_seconds=1.6))
    config = FetchConfig(first_pause_seconds=0.5, tries=2)
    fetcher = make_fetcher(config, timing=pauses.timing)
    for number in range(10):
        await ask(fetcher, f"{base}/broken?{number}", spent=spent)
    assert pauses.made == [0.5] * 3
    assert state.calls["/broken"] == 13


@pytest.mark.parametrize("ended", ["deadline", "stop"])
async def test_a_failure_at_the_end_of_the_chunk_keeps_its_own_reason(ended, hostile, make_fetcher, pauses):
    state, base = hostile
    deadline = Deadline(SystemClock(), 0.0) if ended == "deadline" else Deadline.after(SystemClock(), 60)
    spent = Patience(100, deadline, lambda: ended == "stop")
    found = await ask(make_fetcher(timing=pauses.timing), f"{base}/broken", spent=spent)
    assert found == Rejected(Reason.SERVER_ERROR, "HTTP 500")
    assert found.reason.transient
    assert state.calls["/broken"] == 1


async def test_a_host_that_cannot_be_reached_is_set_aside_for_the_rest_of_the_chunk(
    hostile, make_fetcher, pauses
):
    spent = patience(config=PatienceConfig(host_failures=4))
    fetcher = make_fetcher(timing=pauses.timing)
    async with raw_server(b"") as base:
        first = await ask(fetcher, f"{base}/1", spent=spent)
        second = rejected(await ask(fetcher, f"{base}/2", spent=spent))
    assert first == Rejected(Reason.CONNECTION_FAILED, "ServerDisconnectedError")
    assert second.reason is Reason.CONNECTION_FAILED
    assert "set aside" in second.detail
    third = await ask(fetcher, f"{base}/3", spent=spent)
    assert third == second
    assert len(pauses.made) == 3
    assert isinstance(await ask(fetcher, f"{hostile[1]}/ok", spent=spent), Fetched)
    again = rejected(await ask(fetcher, f"{base}/4", spent=patience()))  # another chunk asks again
    assert "set aside" not in again.detail


async def test_a_host_that_answers_sometimes_is_not_set_aside(hostile, make_fetcher, pauses):
    spent = patience(config=PatienceConfig(host_failures=2))
    fetcher = make_fetcher(FetchConfig(tries=1), timing=pauses.timing)
    _, base = hostile
    for _ in range(3):
        host = base.removeprefix("http://")
        spent.note_failure(host, Rejected(Reason.CONNECTION_FAILED))
        assert isinstance(await ask(fetcher, f"{base}/ok", spent=spent), Fetched)


async def test_a_host_that_only_stalls_is_set_aside(make_fetcher):
    async def stall(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
        await writer.wait_closed()

    spent = patience(config=PatienceConfig(host_failures=2))
    config = FetchConfig(total_seconds=0.2, tries=1)
    async with raw_server(stall) as base:
        fetcher = make_fetcher(config)
        found = [rejected(await ask(fetcher, f"{base}/{number}", spent=spent)) for number in range(3)]
    assert [outcome.reason for outcome in found] == [Reason.TIMED_OUT] * 3
    assert ["set aside" in outcome.detail for outcome in found] == [False, False, True]
