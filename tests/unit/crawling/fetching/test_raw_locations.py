"""The bytes of a Location header are sent unchanged in the next request, whatever their charset and who follows it."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from shared.crawling.fetching.download import Fetched
from shared.errors import InvalidRequest
from shared.records.records import Reason, Rejected
from shared.sources.website.config import WebsiteConfig
from shared.sources.website.source import Website
from shared.web.addresses.urls import parse_url, redirect_url
from shared.web.http.client import WebRequest
from shared.web.wishes.robots import Robots
from tests.unit.crawling.fetching.asking import ask
from tests.unit.known_sources import context, parse_source
from tests.unit.loopback import asking

LOCATIONS = {
    "latin1": ("/café.jpg".encode("latin-1"), "/caf%E9.jpg"),
    "utf8": ("/café.jpg".encode(), "/caf%C3%A9.jpg"),
    "shift_jis": ("/日本/写真.jpg".encode("shift_jis"), "/%93%FA%96%7B/%8E%CA%90%5E.jpg"),
    "shift_jis with backslashes": ("/表示/能.jpg".encode("shift_jis"), "/%95%5C%8E%A6/%94%5C.jpg"),
    "euc-kr": ("/사진?이름=가".encode("euc-kr"), "/%BB%E7%C1%F8?%C0%CC%B8%A7=%B0%A1"),
    "gbk": ("/図.jpg".encode("gbk"), "/%87%ED.jpg"),
    "mixed": (b"/%E9\xe9\xc3\xa9 x.jpg", "/%E9%E9%C3%A9%20x.jpg"),
    "lone continuation": (b"/\x80\xbf", "/%80%BF"),
    "absolute": (b"BASE/\xfc", "/%FC"),
}


@asynccontextmanager
async def raw_host(location: bytes):
    """Runs a server that redirects /go and has pictures elsewhere. Yields its address and the requested paths."""
    asked: list[str] = []

    async def meet(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        target = head.split(b" ")[1].decode("ascii")
        if target == "/go":
            to = location.replace(b"BASE", base.encode())
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: " + to + b"\r\nContent-Length: 0\r\n")
        elif target in {"/robots.txt", "/.well-known/tdmrep.json", "/ai.txt"}:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n")
        else:
            asked.append(target)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n")
        writer.write(b"Connection: close\r\n\r\n" + (b"here" if target in asked else b""))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield base, asked


@pytest.mark.parametrize("name", LOCATIONS)
async def test_an_image_is_fetched_through_a_redirect_in_raw_bytes(name, make_fetcher):
    location, target = LOCATIONS[name]
    async with raw_host(location) as (base, asked):
        found = await ask(make_fetcher(), f"{base}/go")
        assert found == Fetched(b"here", base + target, passed=(f"{base}/go",))
    assert asked == [target]


@pytest.mark.parametrize("name", LOCATIONS)
async def test_the_client_of_sources_follows_a_redirect_in_raw_bytes(name):
    location, target = LOCATIONS[name]
    async with raw_host(location) as (base, asked), asking() as client:
        assert (await client.send(WebRequest(f"{base}/go"))).url == base + target
    assert asked == [target]


@pytest.mark.parametrize("name", LOCATIONS)
async def test_a_website_is_crawled_through_a_redirect_in_raw_bytes(name):
    location, target = LOCATIONS[name]
    async with raw_host(location) as (base, asked), asking() as client:
        config = parse_source({"type": "website", "start_urls": [f"{base}/go"]})
        assert isinstance(config, WebsiteConfig)
        source = Website(config, context(client, formats=("jpeg",)))
        [query] = source.queries({})
        problems = [problem async for page in source.pages(query, None) for problem in page.problems]
    assert (asked, problems) == ([target], [])


async def test_robots_txt_is_read_through_a_redirect_in_raw_bytes():
    async def meet(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET /robots.txt "):
            writer.write(b"HTTP/1.1 301 Moved\r\nLocation: /r\xf6bots\r\nContent-Length: 0\r\n\r\n")
        elif head.startswith(b"GET /r%F6bots "):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nUser-agent: *\nDisallow: /no")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    async with server, asking() as client:
        base = parse_url(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        assert not await Robots(client).allow(base / "no")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("x\\y", "http://h/a/x/y"),
        ("\\\\other\\x", "http://other/x"),
        ("\udce9\\x", "http://h/a/%E9%5Cx"),
        ("//h\udce9/x", None),
        ("//h\udc95\\x", None),
        ("\ud83d", None),
    ],
)
def test_only_undecoded_bytes_of_a_location_are_encoded(location, expected):
    base = parse_url("http://h/a/b")
    if expected is None:
        with pytest.raises(InvalidRequest):
            redirect_url(base, location)
    else:
        assert str(redirect_url(base, location)) == expected


async def test_the_rejection_of_a_long_location_says_that_it_is_too_long(make_fetcher):
    async with raw_host(b"/" + b"x" * 9000) as (base, asked):
        found = await ask(make_fetcher(), f"{base}/go")
    told = "its redirect cannot be followed: The URL exceeds 8,000 characters."
    assert (found, asked) == (Rejected(Reason.INVALID_URL, told), [])
