"""Each misbehaviour of a server is rejected with its own reason."""

import ssl

import pytest
from aiohttp import web

from shared.crawling.fetching.download import Fetched
from shared.crawling.fetching.fetch_config import FetchConfig
from shared.records.consent import Answers
from shared.records.records import Reason, Rejected
from shared.web.addresses.guard import NOT_PUBLIC, OF_THE_PLATFORM
from shared.web.wishes.respect import Respect
from tests.expect import rejected
from tests.unit.crawling.fetching.asking import BUDGET, FILTERS, HASTY, ask, patience
from tests.unit.crawling.fetching.hostile import (
    body_of,
    misbehaviours,
    raw_server,
    server_tls,
    write_certificate,
)
from tests.unit.loopback import serving

ANSWERS = {
    "/nothing": Reason.NOT_FOUND,
    "/empty": Reason.EMPTY_BODY,
    "/forbidden": Reason.HTTP_ERROR,
    "/broken": Reason.SERVER_ERROR,
    "/throttled": Reason.RATE_LIMITED,
    "/loop": Reason.TOO_MANY_REDIRECTS,
    "/to-file": Reason.INVALID_URL,
    "/to-robots-denied": Reason.ROBOTS_DENIED,
    "/private/ok": Reason.ROBOTS_DENIED,
    "/noai": Reason.OPTED_OUT,
    "/tdm": Reason.OPTED_OUT,
    "/reserved/ok": Reason.OPTED_OUT,
    "/bomb": Reason.TOO_MANY_BYTES,
    "/deflate-bomb": Reason.TOO_MANY_BYTES,
}
LOCAL = Respect(robots=False)


@pytest.mark.parametrize("path", ANSWERS)
async def test_each_answer_without_an_image_has_its_own_reason(path, hostile, make_fetcher):
    _, base = hostile
    found = await ask(make_fetcher(), base + path)
    assert isinstance(found, Rejected), found
    assert found.reason is ANSWERS[path]


@pytest.mark.parametrize("name", misbehaviours(b""))
async def test_each_violation_of_http_has_its_own_reason(name, photo, make_fetcher):
    case = misbehaviours(photo)[name]
    slow = case.reason is Reason.TIMED_OUT
    fetcher = make_fetcher(HASTY, idle_seconds=0.5) if slow else make_fetcher()
    async with raw_server(case.behaviour) as base:
        found = await ask(fetcher, f"{base}/x.jpg")
    assert isinstance(found, Rejected), found
    assert found.reason is case.reason


async def test_an_encoding_that_nobody_asked_for_is_named(photo, make_fetcher):
    async with raw_server(misbehaviours(photo)["brotli"].behaviour) as base:
        found = await ask(make_fetcher(), f"{base}/x.jpg")
    assert found == Rejected(Reason.UNSUPPORTED_FORMAT, "its content-encoding (br or zstd) was not asked for")


@pytest.mark.parametrize("start", ["/%3A?sig=a%2Fb%3D+c", "/go"])
async def test_the_address_of_a_signed_image_is_sent_unchanged(start, photo, make_fetcher):
    async def serve(request):
        if request.path == "/go":
            return web.Response(status=302, headers={"Location": "/%3A?sig=a%2Fb%3D+c"})
        known = request.raw_path == "/%3A?sig=a%2Fb%3D+c"
        return web.Response(body=photo) if known else web.Response(status=404)

    async with serving(serve) as base:
        found = await ask(make_fetcher(), base + start)
    assert isinstance(found, Fetched)
    assert (found.body, found.url) == (photo, f"{base}/%3A?sig=a%2Fb%3D+c")


@pytest.mark.parametrize("path", ["/ok", "/moved", "/busy-once", "/gzipped", "/deflated", "/cookie"])
async def test_odd_but_usable_answers_bring_their_image(path, hostile, make_fetcher):
    state, base = hostile
    fetcher = make_fetcher()
    for _ in range(2):
        found = await ask(fetcher, base + path)
        assert isinstance(found, Fetched), found
        assert found.body == state.photo


async def test_respect_can_be_turned_off(hostile, make_fetcher):
    state, base = hostile
    for path in ("/private/ok", "/noai", "/tdm", "/reserved/ok"):
        found = await ask(make_fetcher(), base + path, Respect.nothing())
        assert isinstance(found, Fetched)
    assert not state.calls.keys() & {"/robots.txt", "/.well-known/tdmrep.json", "/ai.txt"}


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
     "[64:ff9b::7f00:1]", "[2002:7f00:1::]"],
)  # fmt: skip
async def test_private_addresses_are_refused(host, hostile, make_fetcher):
    state, base = hostile
    port = base.rpartition(":")[2]
    found = await ask(make_fetcher(allow_private=False), f"http://{host}:{port}/ok", LOCAL)
    assert found == Rejected(Reason.FORBIDDEN_ADDRESS, NOT_PUBLIC)
    assert not state.calls


@pytest.mark.parametrize(
    "host", ["127.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.", "[fe80::1%25eth0]"]
)
async def test_odd_spellings_of_ip_addresses_are_invalid(host, hostile, make_fetcher):
    state, base = hostile
    port = base.rpartition(":")[2]
    found = await ask(make_fetcher(), f"http://{host}:{port}/ok", LOCAL)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.INVALID_URL
    assert not state.calls


@pytest.mark.parametrize(("path", "why"), [("/to-metadata", OF_THE_PLATFORM), ("/to-private", NOT_PUBLIC)])
async def test_every_hop_of_a_redirect_is_guarded(path, why, hostile, make_fetcher, monkeypatch):
    """The test permits the first hop, so the guard must refuse the second."""
    _, base = hostile
    monkeypatch.setattr("shared.web.addresses.guard.is_public", lambda address: str(address) == "127.0.0.1")
    found = await ask(make_fetcher(allow_private=False), base + path)
    assert found == Rejected(Reason.FORBIDDEN_ADDRESS, why)


async def test_more_redirects_than_allowed_are_not_followed(hostile, make_fetcher):
    state, base = hostile
    await ask(make_fetcher(FetchConfig(max_redirects=3)), f"{base}/loop", LOCAL)
    assert state.calls["/loop"] == 4


async def test_a_closed_port_is_a_failed_connection(make_fetcher):
    for url, reason in (
        ("http://127.0.0.1:1/x", Reason.CONNECTION_FAILED),
        ("http://no-such-host.invalid/x", Reason.DNS_FAILED),
        ("gopher://x/y", Reason.INVALID_URL),
        ("http://a/" + "x" * 10_000, Reason.INVALID_URL),
        ("http://" + "a" * 64 + ".example/", Reason.INVALID_URL),
    ):
        found = await ask(make_fetcher(), url, LOCAL)
        assert isinstance(found, Rejected)
        assert found.reason is reason


async def test_a_self_signed_certificate_is_a_failure_of_tls(tmp_path, photo, make_fetcher):
    tls = server_tls(write_certificate(tmp_path, "localhost"))
    async with raw_server(body_of(photo), tls) as base:
        assert rejected(await ask(make_fetcher(), f"{base}/x.jpg")).reason is Reason.TLS_FAILED


async def test_a_certificate_for_another_name_is_a_failure_of_tls(tmp_path, photo, make_fetcher):
    certificate = write_certificate(tmp_path, "localhost")
    async with raw_server(body_of(photo), server_tls(certificate)) as base:
        fetcher = make_fetcher()
        fetcher._sessions.get().connector._ssl = ssl.create_default_context(cafile=certificate)
        assert rejected(await ask(fetcher, f"{base}/x.jpg")).reason is Reason.TLS_FAILED
        right = await ask(fetcher, f"{base.replace('127.0.0.1', 'localhost')}/x.jpg")
        assert isinstance(right, Fetched)


async def test_plain_http_on_a_tls_port_is_a_failure_of_tls(hostile, make_fetcher):
    _, base = hostile
    found = await ask(make_fetcher(), f"{base.replace('http:', 'https:')}/ok")
    assert rejected(found).reason is Reason.TLS_FAILED


async def test_odd_characters_in_addresses_and_headers_inject_nothing(make_fetcher, photo):
    hostile_name = b"Content-Disposition: attachment; filename=\"../../etc/passwd\"; filename*=UTF-8''%00%2e"
    async with raw_server(body_of(photo, hostile_name)) as base:
        for path in (
            "/%00",
            "/..%2f..%2fetc",
            "/a b\u202e.jpg",
            "/\U0001f431.jpg",
            "/CON",
            "/%zz",
            "/;x?&&=#",
        ):
            found = await ask(make_fetcher(), base + path)
            assert isinstance(found, Fetched), path


async def test_an_image_has_its_share_of_the_budget_while_it_is_in_use(hostile, make_fetcher):
    state, base = hostile
    fetcher = make_fetcher()
    async with fetcher.fetch(f"{base}/ok", FILTERS, LOCAL, patience(), Answers()):
        assert fetcher._budget._free == BUDGET - len(state.photo)
