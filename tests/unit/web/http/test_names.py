"""Names of hosts are looked up once for a while, and a name server that does not answer holds nobody else up."""

import asyncio
import socket
import threading
from contextlib import suppress

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from shared.web.http.names import CountedNames, NameCounts, NameLimits, Names, look_up
from shared.web.http.session import SessionConfig, Sessions
from tests.unit.loopback import serving
from tests.unit.manual_clock import ManualClock


def loopback(host, port=0):
    return ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)


async def resolve_at_last(names, clock, host):
    """Looks up a name until it has an answer. On a busy machine, an answer may come too late."""
    while True:
        with suppress(socket.gaierror):
            return await names.resolve(host)
        clock.advance(10)  # a failure is remembered for five seconds


class Server:
    """A name server that knows all names but `missing`, and does not answer for `silent` until it is released."""

    def __init__(self):
        self.asked = []
        self.released = threading.Event()

    def look_up(self, host, port):
        self.asked.append(host)
        if host.startswith("silent"):
            self.released.wait(30)
        if host.startswith("missing"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [loopback(host, port)]


@pytest.fixture
def server():
    made = Server()
    yield made
    made.released.set()


@pytest.fixture
def counts():
    return CountedNames()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def make_names(server, counts, clock):
    made = []

    def make(**limits):
        names = Names(counts, NameLimits(**{"answer_seconds": 60.0, **limits}), server.look_up, clock)
        made.append(names)
        return names

    yield make
    for names in made:
        await names.close()


async def test_ten_thousand_names_are_looked_up_once_each_and_few_are_remembered(make_names, server, counts):
    names = make_names(names=500)
    hosts = [f"host-{number}.test" for number in range(10_000)]
    for start in range(0, len(hosts), 100):
        await asyncio.gather(
            *(names.resolve(host, 443) for host in hosts[start : start + 100] for _ in range(3))
        )
    assert server.asked.count("host-7.test") == 1
    assert len(server.asked) == 10_000
    assert len(names._known) == 500
    assert not names._asked
    assert counts.take() == NameCounts(remembered=20_000, asked=10_000)
    assert counts.take() == NameCounts()


async def test_the_addresses_of_a_name_are_forgotten_after_a_minute(make_names, server, clock):
    names = make_names()
    for seconds in (0, 59, 2):
        clock.advance(seconds)
        [found] = await names.resolve("a.test", 80)
        assert (found["host"], found["port"]) == ("127.0.0.1", 80)
    assert server.asked == ["a.test", "a.test"]


async def test_a_failure_is_remembered_for_a_short_time_only(make_names, server, counts, clock):
    names = make_names()
    for seconds in (0, 4, 2):
        clock.advance(seconds)
        with pytest.raises(socket.gaierror, match="not known"):
            await names.resolve("missing.test")
    assert server.asked == ["missing.test", "missing.test"]
    assert counts.take() == NameCounts(remembered=1, asked=2, failed=2)


async def test_names_that_are_not_answered_fail_in_time(make_names, server, counts):
    names = make_names(answer_seconds=0.1)
    silent = [names.resolve(f"silent-{number}.test") for number in range(60)]
    outcomes = await asyncio.gather(*silent, return_exceptions=True)
    assert {str(outcome) for outcome in outcomes} == {
        f"[Errno {socket.EAI_AGAIN}] no answer within 0.1 seconds"
    }
    assert counts.take() == NameCounts(asked=60, failed=60)
    # the server has not answered, so each look-up ended by its time limit
    assert not server.released.is_set()


async def test_names_that_are_not_answered_hold_up_no_others(make_names, server):
    names = make_names()
    silent = [asyncio.create_task(names.resolve(f"silent-{number}.{number}.test")) for number in range(60)]
    async with asyncio.timeout(20):
        await asyncio.gather(*(names.resolve(f"host-{number}.{number}.test") for number in range(200)))
    assert not any(task.done() for task in silent)
    # the other work of the process has its own threads
    assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), 20) == 1
    server.released.set()
    await asyncio.gather(*silent)


async def test_a_domain_that_does_not_answer_leaves_threads_to_other_domains(make_names, server, clock):
    names = make_names(answer_seconds=0.3, threads=8, of_a_domain=4)
    silent = [names.resolve(f"silent-{number}.a.evil.test") for number in range(60)]
    outcomes = await asyncio.gather(*silent, return_exceptions=True)
    assert all(isinstance(outcome, socket.gaierror) for outcome in outcomes)
    # the threads of the first names still wait for the name server
    async with asyncio.timeout(20):
        await asyncio.gather(*(resolve_at_last(names, clock, f"host-{number}.test") for number in range(200)))
    assert sum(name.startswith("silent") for name in server.asked) == 4
    server.released.set()
    async with asyncio.timeout(20):
        again = (resolve_at_last(names, clock, f"again-{number}.evil.test") for number in range(20))
        await asyncio.gather(*again)


async def test_a_caller_that_gives_up_does_not_end_the_look_up_for_the_others(make_names, server):
    names = make_names()
    first = asyncio.create_task(names.resolve("silent.test"))
    second = asyncio.create_task(names.resolve("silent.test"))
    await asyncio.sleep(0)
    first.cancel()
    server.released.set()
    [found] = await asyncio.wait_for(second, 20)
    assert found["host"] == "127.0.0.1"
    assert server.asked == ["silent.test"]


async def test_a_name_that_is_not_valid_is_not_found(counts):
    names = Names(counts)
    with pytest.raises(socket.gaierror, match="not a valid one"):
        await names.resolve("x" * 70 + ".test")
    await names.close()


def test_the_system_finds_the_addresses_of_this_machine():
    assert {found["host"] for found in look_up("localhost", 80)} <= {"127.0.0.1", "::1"}


async def test_sessions_count_the_look_ups_of_their_names():
    async def answer(_):
        return web.Response(headers={"Connection": "close"})

    sessions = Sessions(SessionConfig("test", allow_private_networks=True))
    async with serving(answer) as base:
        for _ in range(3):
            async with sessions.get().get(base.replace("127.0.0.1", "localhost")) as answered:
                assert answered.status == 200
    await sessions.close()
    assert sessions.look_ups.take() == NameCounts(remembered=2, asked=1)
