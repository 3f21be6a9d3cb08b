"""Addresses are sent as they are written, and the guard and the hosts' wishes apply to every spelling."""

import json

import pytest
from aiohttp import web

from shared.errors import AppError
from shared.sources.website.config import WebsiteConfig
from shared.sources.website.source import Website
from shared.web.addresses.urls import join_url, parse_url
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.client import WebRequest
from shared.web.http.session import SessionConfig, Sessions
from shared.web.wishes.respect import Respect
from shared.web.wishes.robots import Robots
from shared.web.wishes.tdm_reservation import TdmReservations
from tests.unit.known_sources import context, parse_source
from tests.unit.loopback import asking, serving

SIGNED = "/a%2Fb%3ac/x%2B1.jpg?u=https%3A%2F%2Fx.example%2Fy.jpg&n=a%20b+c%26&e=%7e,%2c&s=%2f%3d=="


class Host:
    """Notes the requested targets. Has the redirects and pages of a test, and pictures at all other paths."""

    def __init__(self):
        self.base = ""
        self.asked = []
        self.to = {}
        self.texts = {}

    async def serve(self, request):
        self.asked.append(request.raw_path)
        if request.raw_path in self.to:
            return web.Response(status=302, headers={"Location": self.to[request.raw_path]})
        if request.raw_path in self.texts:
            return web.Response(text=self.texts[request.raw_path], content_type="text/html")
        if request.raw_path.startswith(("/robots.txt", "/.well-known")):
            return web.Response(status=404)
        return web.Response(body=b"here")


@pytest.fixture
async def host():
    state = Host()
    async with serving(state.serve) as state.base:
        yield state


@pytest.mark.parametrize("location", ["BASE", "", "//HOST"])
async def test_a_signed_address_is_sent_unchanged_also_after_a_redirect(host, location):
    near = location.replace("BASE", host.base).replace("HOST", host.base.removeprefix("http://"))
    host.to["/go?to=%2F"] = near + SIGNED
    async with asking() as client:
        await client.send(WebRequest(host.base + SIGNED))
        answer = await client.send(WebRequest(f"{host.base}/go?to=%2F"))
    assert host.asked == [SIGNED, "/go?to=%2F", SIGNED]
    assert answer.url == host.base + SIGNED


async def test_a_website_is_crawled_with_its_addresses_as_they_are_written(host):
    page, deeper = "/shop%2Fa/?go=%2F", "/shop%2Fa/b%3Ac?d=%3A"
    host.texts[page] = f'<img src="{SIGNED}"><img src="y%2cz.jpg"><a href="b%3Ac?d=%3A">x</a>'
    host.texts[deeper] = '<img src="z%2Fz.jpg">'
    config = parse_source({"type": "website", "start_urls": [host.base + page]})
    assert isinstance(config, WebsiteConfig)
    async with asking() as client:
        source = Website(config, context(client, respect=Respect.nothing(), formats=("jpeg",)))
        [query] = source.queries({})
        urls = [c.url async for found in source.pages(query, None) for c in found.candidates]
    assert host.asked == [page, deeper]
    assert urls == [host.base + path for path in (SIGNED, "/shop%2Fa/y%2cz.jpg", "/shop%2Fa/z%2Fz.jpg")]


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("x", "/a%2Fb/x"),
        ("?q=%2F", "/a%2Fb/c%3A?q=%2F"),
        ("#f", "/a%2Fb/c%3A?d=%26"),
        ("../x%2F..", "/x%2F.."),
        ("\\b\\c?\\", "/b/c?%5C"),
        ("a b\u00fc", "/a%2Fb/a%20b%C3%BC"),
    ],
)
def test_joining_a_reference_decodes_nothing(reference, target):
    joined = join_url(parse_url("http://h/a%2Fb/c%3A?d=%26"), reference)
    assert (joined.host, joined.raw_path_qs) == ("h", target)


PRIVATE = [
    "127.0.0.1",
    "%31%32%37.0.0.1",
    "127%2e0.0.1",
    "\u2460\u2461\u2466.0.0.1",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\u30020\u30021",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "2130706433",
    "127.1",
    "localhost",
    "LOCALHOST.",
    "loc\u00adalhost",
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
    "public.example@127.0.0.1",
    "public.example%40127.0.0.1",
    "public.example\\@127.0.0.1",
    "127.0.0.1\\@public.example",
    "127.0.0.1%2f@public.example",
    "127.0.0.1\t",
    "127.0.0.1 ",
    "127.0.0.1%00",
    "127.0.0.1\x1f",
    "127.0.0.1\u00a0",
]


@pytest.mark.parametrize("spelling", PRIVATE)
async def test_a_private_address_is_refused_in_every_spelling(host, spelling):
    """Uses the server's own port, so that an address that passes the guard would reach the server."""
    port = host.base.rpartition(":")[2]
    sessions = Sessions(SessionConfig("test", connect_seconds=2.0))
    try:
        client = AiohttpWebClient(sessions)
        for address in (f"http://{spelling}:{port}/x%2Fy?%3A", f" HTTP://{spelling}:{port}/../%2e%2e/x"):
            with pytest.raises(AppError):
                await client.send(WebRequest(address, timeout_seconds=5.0))
    finally:
        await sessions.close()
    assert host.asked == []


@pytest.mark.parametrize(
    "path",
    ["/private/%78", "/%70rivate/x", "/public/../private/x", "/public/%2E%2e/private/x", "/./private/x"],
)
async def test_rules_of_robots_txt_and_tdmrep_apply_to_every_spelling_of_a_path(host, path):
    host.texts["/robots.txt"] = "User-agent: *\nDisallow: /private"
    host.texts["/.well-known/tdmrep.json"] = json.dumps([{"location": "/private", "tdm-reservation": 1}])
    async with asking() as client:
        url = parse_url(host.base + path)
        assert not await Robots(client).allow(url)
        assert await TdmReservations(client).refusal(url)


@pytest.mark.parametrize(("location", "path"), [("/a,b", "/a%2Cb"), ("/%C3%BC", "/%c3%bc"), ("/a@", "/a%40")])
async def test_a_reserved_path_is_reserved_in_every_spelling(host, location, path):
    host.texts["/.well-known/tdmrep.json"] = json.dumps([{"location": location, "tdm-reservation": 1}])
    async with asking() as client:
        assert await TdmReservations(client).refusal(parse_url(host.base + path))
