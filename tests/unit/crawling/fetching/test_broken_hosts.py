"""Invalid hosts are reported as such and crash nothing, wherever an address comes from."""

import pytest
from aiohttp import web

from shared.errors import InvalidRequest
from shared.records.records import Reason, Rejected
from tests.unit.crawling.fetching.asking import ask
from tests.unit.known_sources import open_source, parse_spec
from tests.unit.loopback import asking, serving

BROKEN = [
    "[::127.0.0.0.1]",
    "[0::0::0]",
    "[1:2:3:4:5:6:7:8:9]",
    "[::1%25eth0]",
    "[v1.x]",
    "[]",
    "[::1",
    "::1",
    "256.1.1.1",
    "1.2.3.4.5",
    "a..b",
    "a" * 64 + ".example",
    "xn--a",
    "a\u200db",
    "host:65536",
    "host:x",
    "[::1]:99999",
]


@pytest.mark.parametrize("host", BROKEN)
async def test_a_candidate_with_a_broken_host_is_an_invalid_url(host, make_fetcher):
    found = await ask(make_fetcher(), f"http://{host}/x.jpg")
    assert isinstance(found, Rejected)
    assert found.reason is Reason.INVALID_URL


@pytest.mark.parametrize("host", BROKEN)
async def test_a_redirect_to_a_broken_host_is_an_invalid_url(host, make_fetcher):
    async def serve(request):
        if request.path != "/go":
            return web.Response(status=404)
        return web.Response(status=302, headers={"Location": f"http://{host}/x.jpg"})

    async with serving(serve) as base:
        found = await ask(make_fetcher(), f"{base}/go")
    assert isinstance(found, Rejected)
    assert found.reason is Reason.INVALID_URL
    assert found.detail.startswith("its redirect cannot be followed: ")


async def test_a_list_keeps_its_broken_hosts_as_candidates_and_loses_nothing_else():
    items = [{"url": f"https://{host}/x.jpg"} for host in [*BROKEN, "h.example"]]
    async with asking() as client:
        source = open_source({"type": "urls", "items": items}, client)
        [query] = source.queries({})
        found = [candidate.url async for page in source.pages(query, None) for candidate in page.candidates]
    assert found == [item["url"] for item in items]


async def test_pages_and_sitemaps_with_broken_hosts_are_read_to_their_end():
    asked = []

    async def serve(request):
        asked.append(request.path)
        if request.path == "/":
            shown = "".join(f'<img src="//{host}/x.jpg"><a href="http://{host}/">x</a>' for host in BROKEN)
            return web.Response(
                text=f'{shown}<img src="good.jpg"><a href="/next">n</a>', content_type="text/html"
            )
        if request.path == "/sitemap.xml":
            shown = "".join(f"<url><loc>http://{host}/</loc></url>" for host in BROKEN)
            return web.Response(text=f"<urlset>{shown}<url><loc>{base}/listed</loc></url></urlset>")
        return web.Response(status=404)

    async with serving(serve) as base, asking() as client:
        config = {"type": "website", "start_urls": [base], "sitemaps": True}
        source = open_source(config, client)
        [query] = source.queries({})
        found = [candidate.url async for page in source.pages(query, None) for candidate in page.candidates]
    assert found == [f"{base}/good.jpg"]
    assert {"/next", "/listed"} <= set(asked)


@pytest.mark.parametrize("host", BROKEN)
def test_a_spec_with_a_broken_host_is_refused_and_the_field_is_named(host):
    with pytest.raises(InvalidRequest) as refused:
        parse_spec({"name": "x", "sources": [{"type": "website", "start_urls": [f"http://{host}/"]}]})
    assert [error.field for error in refused.value.fields] == ["sources.0.start_urls.0"]
    spec = {"name": "x", "sources": [{"type": "urls", "items": ["http://h.example/x"]}]}
    with pytest.raises(InvalidRequest) as refused:
        parse_spec({**spec, "webhook_url": f"http://{host}/"})
    assert [error.field for error in refused.value.fields] == ["webhook_url"]
