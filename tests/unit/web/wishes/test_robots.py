"""Huge or hostile robots.txt and tdmrep.json are read in limited time, outside the event loop."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from aiohttp import web
from yarl import URL

from shared.records.consent import Signal
from shared.records.reasons import opted_out
from shared.records.records import Reason, Rejected
from shared.web.http.client import WebClient
from shared.web.wishes.robots import Robots
from shared.web.wishes.tdm_reservation import TdmReservations
from shared.web.wishes.texts.robots_text import read_robots
from tests.unit.loopback import asking, serving

AGENT = "pixcrawler"


class Threads(ThreadPoolExecutor):
    """The loop's threads, and the names of the functions that ran in them."""

    def __init__(self):
        super().__init__(2)
        self.names = []

    def submit(self, call, /, *args, **kwargs):
        inner = getattr(call, "args", (call,))[0]
        self.names.append(getattr(inner, "__name__", ""))
        return super().submit(call, *args, **kwargs)


class Host:
    """Serves one text at every address, and counts the requests."""

    def __init__(self):
        self.text: str | bytes = ""
        self.calls = 0

    async def serve(self, _):
        self.calls += 1
        body = self.text if isinstance(self.text, bytes) else self.text.encode()
        return web.Response(body=body)


@dataclass
class Given:
    """Gives the host a text, and returns who reads it."""

    state: Host
    client: WebClient
    base: str

    def __call__(self, text, make=Robots, **options):
        self.state.text, self.state.calls = text, 0
        return make(self.client, **options), URL(f"{self.base}/")


@pytest.fixture
async def host():
    state = Host()
    async with serving(state.serve) as base, asking() as client:
        yield Given(state, client, base)


@pytest.fixture
async def threads():
    found = Threads()
    asyncio.get_running_loop().set_default_executor(found)
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
async def test_a_rule_after_a_byte_order_mark_is_read(host, encoding):
    robots, base = host("\ufeffUser-agent: *\nDisallow: /private".encode(encoding))
    assert not await robots.allow(base / "private")
    assert await robots.allow(base / "x")


def shop(rules: int) -> str:
    """Returns a robots.txt like that of a large shop: patterns for parameters and countries, all with stars."""
    lines = ["User-agent: *", "Allow: /*?ref=", "Allow: /listing/", "Disallow: /cart$"]
    for number in range(rules):
        lines += [f"Disallow: /*?p{number}=", f"Disallow: /*&p{number}=", f"Disallow: /c{number}/*/search?*"]
    return "\n".join(lines)


@pytest.mark.parametrize("rules", [200, 1500, 5000])
async def test_a_long_list_of_patterns_forbids_only_matching_paths(host, rules):
    robots, base = host(shop(rules))
    last = rules - 1
    expected = {
        "listing/1.jpg": True,
        "images/a.jpg": True,
        "": True,
        f"x?p{last}=1": False,
        f"x?q=1&p{last}=1": False,
        f"c{last}/de/search?q": False,
        f"c{last}/de/other": True,
        "cart": False,
        "cart/x": True,
    }
    for path, allowed in expected.items():
        assert await robots.allow(base.join(URL(path))) is allowed, path


def test_memory_does_not_grow_with_agents_times_rules():
    agents = [f"User-agent: b{number}" for number in range(12_000)]
    rules = [f"Disallow: /{number}" for number in range(12_000)]
    found = read_robots(AGENT, "\n".join(["User-agent: *", *agents, *rules]))
    assert found.rules.size_bytes < 12_000 * 400
    assert not found.allow("/11999", 1.0)


HOSTILE = {
    "stars": "\n".join(f"Disallow: /*{number}z" for number in range(30_000)),
    "long pieces": "\n".join("Disallow: /*" + "a" * 90 + f"{number}" for number in range(4500)),
    "one pattern": "Disallow: /" + "*a" * 240_000,
    "plain rules of all lengths": "\n".join("Disallow: /" + "a" * number + "b" for number in range(980)),
    "spaces": "Disallow" + " " * 400_000 + "/x",
    "signs to encode": "Disallow: /*" + "\u20ac" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_file_takes_limited_time(host, name):
    robots, base = host("User-agent: *\n" + HOSTILE[name])
    url = base.join(URL("/" + "a" * 7900))
    await robots.allow(base)
    began = time.process_time()
    await robots.allow(url)
    assert time.process_time() - began < 1.0


async def test_a_url_that_cannot_be_compared_in_time_is_forbidden_with_that_reason(host):
    robots, base = host(shop(500), check_seconds=-1.0)
    detail = f"{base.host}: its robots.txt has too many rules to compare"
    assert await robots.refusal(base / "x") == Rejected(Reason.ROBOTS_DENIED, detail)
    few, base = host("User-agent: *\nDisallow: /a*b", check_seconds=-1.0)
    assert await few.allow(base / "x")


async def test_large_files_are_parsed_and_compared_in_a_thread(host, threads):
    rules = "".join(f"Disallow: /*{number}z\n" for number in range(30_000))
    robots, base = host(f"User-agent: *\nAllow: /$\n{rules}")
    assert not await robots.allow(base / "29999z")
    assert await robots.allow(base / "anything")
    assert [name for name in threads.names if name in {"parse", "value"}] == ["parse", "value", "value"]
    assert host.state.calls == 1


async def test_small_files_are_compared_on_the_event_loop(host, threads):
    robots, base = host("User-agent: *\nDisallow: /private\nDisallow: /*.pdf$")
    assert not await robots.allow(base / "private")
    assert "allow" not in threads.names


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
async def test_only_the_first_500_kib_of_a_file_count_and_the_reason_says_so(host, end):
    lines = ["User-agent: *", "Disallow: /a", *["#" * 98] * 5119]
    filled = end.join(lines)
    robots, base = host(filled + end + f"Disallow: /{'b' * 2000}" + "x" * 30_000)
    told = Rejected(Reason.ROBOTS_DENIED, f"{base.host} (only the first 500 KiB of its robots.txt are read)")
    assert await robots.refusal(base / "a") == told
    assert await robots.allow(base / ("b" * 900))  # the half of that line that is within the limit


async def test_a_tdmrep_file_is_parsed_once_for_many_addresses(host, threads):
    rules = [{"location": f"/a/*/{number}/*.jpg$", "tdm-reservation": 1} for number in range(6000)]
    reservations, base = host(json.dumps(rules), TdmReservations)
    assert await reservations.refusal(base / "a/x/5999/y.jpg") == opted_out(
        Signal.TDMREP, "tdmrep.json reserves it"
    )
    for number in range(20):
        assert await reservations.refusal(base / f"b/{number}.jpg") is None
    assert host.state.calls == 1
    assert threads.names.count("_read") == 1


async def test_only_a_large_tdmrep_file_is_compared_in_a_thread(host, threads):
    rules = [{"location": f"*/{number}/x", "tdm-reservation": 1} for number in range(9000)]
    reservations, base = host(json.dumps(rules), TdmReservations)
    assert await reservations.refusal(base / "b") is None
    assert threads.names.count("answer") == 1
    reservations, base = host(json.dumps(rules[:10]), TdmReservations)
    assert await reservations.refusal(base / "b") is None
    assert threads.names.count("answer") == 1


async def test_a_url_that_cannot_be_compared_with_tdmrep_in_time_is_reserved_with_that_reason(host):
    rules = [{"location": f"*/{number}/x", "tdm-reservation": 1} for number in range(500)]
    reservations, base = host(json.dumps(rules), TdmReservations, check_seconds=-1.0)
    assert await reservations.refusal(base / "b") == opted_out(
        Signal.TDMREP, "tdmrep.json has too many rules to compare"
    )


async def test_comparing_with_an_ordinary_large_tdmrep_file_is_fast(host):
    """A thousand rules with stars and a long path. An earlier comparison took 38 ms for each address."""
    rules = [{"location": f"/%7Euser{number}/*/art/*.jpg$", "tdm-reservation": 1} for number in range(1000)]
    reservations, base = host(json.dumps(rules), TdmReservations)
    url = base.join(URL("/~user999/" + "x/" * 500 + "art/1.png"))
    await reservations.refusal(url)
    began = time.process_time()
    for _ in range(20):
        assert await reservations.refusal(url) is None
    assert (time.process_time() - began) / 20 < 0.01
