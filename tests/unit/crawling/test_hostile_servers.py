"""Each misbehaviour ends in its own reason."""

import pytest

from shared.crawling.byte_budget import ByteBudget
from shared.crawling.fetch import FetchConfig, Fetched, Fetcher
from shared.records import Reason, Rejected
from shared.web.aiohttp_client import AiohttpWebClient
from shared.web.opt_out import opted_out
from shared.web.respect import Respect
from shared.web.robots import Robots
from shared.web.session import SessionConfig, Sessions

BUDGET = 4_000_000


@pytest.fixture
async def make_fetcher():
    opened: list[Sessions] = []

    def make(*, allow_private: bool = True):
        sessions = Sessions(SessionConfig("test", allow_private_networks=allow_private, idle_seconds=1.0))
        opened.append(sessions)
        budget = ByteBudget(BUDGET)
        config = FetchConfig(total_seconds=2.0, first_pause_seconds=0.01)
        return Fetcher(sessions, Robots(AiohttpWebClient(sessions)), budget, config), budget

    yield make
    for sessions in opened:
        await sessions.close()


CASES = {
    "/nothing": Reason.NOT_FOUND,
    "/empty": Reason.EMPTY_BODY,
    "/forbidden": Reason.HTTP_ERROR,
    "/broken": Reason.SERVER_ERROR,
    "/throttled": Reason.RATE_LIMITED,
    "/loop": Reason.TOO_MANY_REDIRECTS,
    "/to-file": Reason.INVALID_URL,
    "/private/ok": Reason.ROBOTS_DENIED,
    "/noai": Reason.OPTED_OUT,
    "/tdm": Reason.OPTED_OUT,
    "/lying": Reason.TOO_MANY_BYTES,
    "/cut-off": Reason.TRANSFER_BROKEN,
    "/endless": Reason.TOO_MANY_BYTES,
    "/dripping": Reason.TIMED_OUT,
    "/bomb": Reason.TOO_MANY_BYTES,
}


@pytest.mark.parametrize("path", CASES)
async def test_a_misbehaving_server_is_recorded_for_what_it_does(path, hostile, make_fetcher):
    _, base = hostile
    fetcher, budget = make_fetcher()
    async with fetcher.fetch(base + path, 1_000_000, Respect()) as found:
        assert isinstance(found, Rejected), found
        assert found.reason is CASES[path]
    assert budget._free == BUDGET


@pytest.mark.parametrize("path", ["/ok", "/moved", "/busy-once"])
async def test_what_can_be_had_is_had(path, hostile, make_fetcher):
    state, base = hostile
    fetcher, budget = make_fetcher()
    async with fetcher.fetch(base + path, 1_000_000, Respect()) as found:
        assert isinstance(found, Fetched), found
        assert found.body == state.photo
        assert budget._free <= BUDGET - len(found.body)
    assert budget._free == BUDGET


async def test_only_what_may_pass_is_tried_again(hostile, make_fetcher):
    state, base = hostile
    fetcher, _ = make_fetcher()
    for path, calls in (("/broken", 3), ("/forbidden", 1), ("/throttled", 1)):
        async with fetcher.fetch(base + path, 1_000_000, Respect()) as found:
            assert isinstance(found, Rejected)
        assert state.calls[path] == calls


async def test_respect_can_be_turned_off(hostile, make_fetcher):
    state, base = hostile
    fetcher, _ = make_fetcher()
    for path in ("/private/ok", "/noai", "/tdm"):
        async with fetcher.fetch(base + path, 1_000_000, Respect(robots=False, opt_out=False)) as found:
            assert isinstance(found, Fetched)
    assert "/robots.txt" not in state.calls


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "0177.0.0.1", "[::ffff:127.0.0.1]"]
)
async def test_private_addresses_are_refused_however_they_are_spelled(host, hostile, make_fetcher):
    state, base = hostile
    port = base.rpartition(":")[2]
    fetcher, _ = make_fetcher(allow_private=False)
    async with fetcher.fetch(f"http://{host}:{port}/ok", 1_000_000, Respect(robots=False)) as found:
        assert isinstance(found, Rejected)
        assert found.reason in {Reason.FORBIDDEN_ADDRESS, Reason.DNS_FAILED, Reason.INVALID_URL}
        assert host != "127.0.0.1" or found.reason is Reason.FORBIDDEN_ADDRESS
    assert not state.calls


async def test_nobody_home_is_a_failed_connection(make_fetcher):
    fetcher, _ = make_fetcher()
    for url, reason in (
        ("http://127.0.0.1:1/x", Reason.CONNECTION_FAILED),
        ("http://no-such-host.invalid/x", Reason.DNS_FAILED),
        ("gopher://x/y", Reason.INVALID_URL),
    ):
        async with fetcher.fetch(url, 1_000_000, Respect(robots=False)) as found:
            assert isinstance(found, Rejected)
            assert found.reason is reason


def test_directives_for_other_agents_do_not_concern_us():
    assert opted_out(["googlebot: noindex"], None) is None
    assert opted_out(["max-image-preview: large, noimageai"], None) is not None
    assert opted_out(["noarchive"], "0") is None
