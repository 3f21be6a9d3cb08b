"""The wishes of hosts in robots.txt, tdmrep.json and headers, read from a real server."""

import json

import pytest
from aiohttp import web
from yarl import URL

from shared.errors import Permanent
from shared.web.http.client import WebRequest
from shared.web.wishes.declared import directives, forbids_following, refusal_in
from shared.web.wishes.robots import Robots
from shared.web.wishes.tdm_reservation import TdmReservations
from tests.unit.loopback import asking, serving

ROBOTS = """User-agent: *
Crawl-delay: 9
User-agent: pixcrawler
Disallow: /private/
Crawl-delay: 2.5
Sitemap: https://example.org/a.xml
Sitemap: https://example.org/a.xml
"""
RULES = [
    {"location": "/free/", "tdm-reservation": 0},
    {"location": "/art/*.jpg$", "tdm-reservation": 1, "tdm-policy": "https://example.org/policy"},
    {"location": "/", "tdm-reservation": "nonsense"},
    {"location": ["/"], "tdm-reservation": 1},
    {"location": "/", "tdm-reservation": [1]},
    "nothing",
    {"location": "/all", "tdm-reservation": 1},
    {"location": "/all/but", "tdm-reservation": 0},
]


class Host:
    def __init__(self):
        self.calls = []
        self.answers = {"/robots.txt": ROBOTS, "/.well-known/tdmrep.json": json.dumps(RULES)}

    async def serve(self, request):
        self.calls.append(request.path)
        if request.path.startswith("/to/"):
            return web.Response(status=302, headers={"Location": request.query.get("url", "/to/x")})
        if request.path == "/tags":
            headers = [("X-Robots-Tag", "googlebot: noindex"), ("X-Robots-Tag", "noai")]
            return web.Response(headers=headers)
        if request.path in self.answers:
            return web.Response(text=self.answers[request.path])
        return web.Response(status=404)


@pytest.fixture
async def host():
    state = Host()
    async with serving(state.serve) as base, asking() as client:
        yield state, URL(base + "/"), client


async def test_rules_delay_and_sitemaps_come_from_one_request_for_robots_txt(host):
    state, base, client = host
    robots = Robots(client)
    assert not await robots.allow(base / "private/x")
    assert await robots.allow(base / "x")
    assert await robots.crawl_delay(base) == 2.5
    assert await robots.sitemaps(base / "x") == ("https://example.org/a.xml",)
    assert state.calls == ["/robots.txt"]


async def test_a_host_without_robots_txt_allows_everything(host):
    state, base, client = host
    del state.answers["/robots.txt"]
    robots = Robots(client)
    assert await robots.allow(base)
    assert await robots.crawl_delay(base) is None
    assert await robots.sitemaps(base) == ()


async def test_the_first_rule_of_tdmrep_that_matches_decides(host):
    state, base, client = host
    reservations = TdmReservations(client)
    expected = {
        "/free/x": False,
        "/art/1.jpg": True,
        "/art/a/b.jpg": True,
        "/art/1.jpg?x=1": False,
        "/art/1.jpeg": False,
        "/all": True,
        "/all/but": True,
        "/other": False,
    }
    found = {path: await reservations.refusal(base.join(URL(path))) is not None for path in expected}
    assert found == expected
    assert state.calls == ["/.well-known/tdmrep.json"]


@pytest.mark.parametrize("body", ["", "{}", "[1, null]", "[" * 100_000, "\ud7ff", "x" * 20_000])
async def test_a_broken_tdmrep_reserves_nothing(host, body):
    state, base, client = host
    state.answers["/.well-known/tdmrep.json"] = body
    assert await TdmReservations(client).refusal(base / "x") is None


@pytest.mark.parametrize(
    "body",
    [
        '{"location": "/", "tdm-reservation": 1}',
        '[{"location": "/", "tdm-reservation": true}]',
        '[{"location": "*", "tdm-reservation": 1.0}]',
        '[{"Location": "/*", "TDM-Reservation": " 1 "}]',
        '[{"location": "https://example.org/x", "tdm-reservation": 1}]',
        '[{"location": "x", "tdm-reservation": 1}]',
        '\ufeff[{"location": "/", "tdm-reservation": 1}]',
        '[{"location": "/", "tdm-reservation": 1},]',
        '[{"location": "/", "tdm-reservation": 1}, ' + "[" * 100_000,
        '[{"location": "/", "tdm-reservation": 1}' + " " * 600_000 + "]",
    ],
    ids=["object", "true", "float", "capitals", "address", "no slash", "mark", "comma", "depth", "length"],
)
async def test_a_tdmrep_that_is_written_in_another_way_or_damaged_reserves(host, body):
    state, base, client = host
    state.answers["/.well-known/tdmrep.json"] = body
    assert await TdmReservations(client).refusal(base / "x") is not None


@pytest.mark.parametrize(
    "body", ['<p>"tdm-reservation": 1', '[{"location": "/x/y", "tdm-reservation": true}]']
)
async def test_a_tdmrep_of_other_paths_or_a_page_in_its_place_reserves_nothing(host, body):
    state, base, client = host
    state.answers["/.well-known/tdmrep.json"] = body
    assert await TdmReservations(client).refusal(base / "x") is None


async def test_values_of_several_x_robots_tags_are_not_joined(host):
    _, base, client = host
    response = await client.send(WebRequest(str(base / "tags")))
    assert response.robots_tags == ("googlebot: noindex", "noai")
    assert refusal_in(directives(response.robots_tags)) == "noai"


async def test_a_redirect_is_returned_if_the_request_does_not_follow_redirects(host):
    state, base, client = host
    url = str((base / "to/x").with_query(url="/tags"))
    response = await client.send(WebRequest(url, follow_redirects=False))
    assert (response.status, response.headers["location"]) == (302, "/tags")
    assert (await client.send(WebRequest(url))).status == 200
    assert state.calls == ["/to/x", "/to/x", "/tags"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://u:p@example.org/", "/to/x"])
async def test_a_redirect_that_cannot_be_followed_is_a_permanent_error(host, target):
    _, base, client = host
    with pytest.raises(Permanent):
        await client.send(WebRequest(str((base / "to/x").with_query(url=target))))


async def test_an_answer_that_is_too_large_is_a_permanent_error(host):
    state, base, client = host
    state.answers["/large"] = "x" * 2000
    with pytest.raises(Permanent, match="1,000 bytes"):
        await client.send(WebRequest(str(base / "large"), max_bytes=1000))


@pytest.mark.parametrize(
    "date", ["Sat, 25 Jun 2030 15:00:00 GMT", "Saturday, 25-Jun-30 15:00:00 GMT", "Sat, 2030-06-25T15:00:00Z"]
)
def test_a_date_in_a_robots_tag_is_not_taken_for_an_agents_name(date):
    assert refusal_in(directives([f"unavailable_after: {date}, noai"])) == "noai"
    assert refusal_in(directives([f"otherbot: unavailable_after: {date}, noai"])) is None


@pytest.mark.parametrize("value", ["index; noai", "all noai", '"noai"', "max-snippet: 5, 'noai'"])
def test_directives_may_be_separated_by_spaces_or_semicolons_or_quoted(value):
    assert refusal_in(directives([value])) == "noai"
    assert refusal_in(directives([f"otherbot: {value}"])) is None


@pytest.mark.parametrize("value", ["max-image-preview: none", "noarchive nosnippet", "360Spider: noai, none"])
def test_harmless_directives_refuse_nothing(value):
    assert refusal_in(directives([value])) is None


@pytest.mark.parametrize("name", ["pixcrawler", "PixCrawler", "PIXCRAWLER/2.1", "*"])
def test_robots_tags_for_our_agent_apply(name):
    assert refusal_in(directives([f"{name}: noai"])) == "noai"


@pytest.mark.parametrize(
    "name", ["pix", "p4Bot", "pixcrawler2", "pixcrawler-images", "mypixcrawler", "p", "PixCrawler.org"]
)
def test_robots_tags_for_agents_with_similar_names_do_not_apply(name):
    assert refusal_in(directives([f"{name}: noai", f"{name}: noindex, none"])) is None


def test_nofollow_and_none_forbid_following():
    assert forbids_following(directives(["NoFollow, noarchive"]))
    assert forbids_following(directives(["none"]))
    assert not forbids_following(directives(["otherbot: nofollow"]))
    assert refusal_in(directives(["nofollow"])) is None
