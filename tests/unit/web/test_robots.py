"""robots.txt that is huge or hostile: the same answers, in bounded time and memory, away from the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego
from yarl import URL

from shared.web.aiohttp_client import AiohttpWebClient
from shared.web.robots import Robots
from shared.web.robots_text import concerning
from shared.web.session import SessionConfig, Sessions

AGENT = "pixcrawler"
PATHS = ("/", "/a", "/ab", "/a/b.jpg", "/b", "/b.jpg?x", "/index.html")
AGENTS = st.sampled_from(["*", "pixcrawler", "PixCrawler", "pix", "pix*", "other", "pixcrawlers", "", "a b"])
RULES = st.sampled_from(["/", "/a", "/a*b", "/*.jpg$", "/b", "*", "/a$", "", "/%61b", "/index.html"])
LINES = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["User-agent: ", "useragent ", "USER AGENT:"]), AGENTS),
    st.builds("{}{}".format, st.sampled_from(["Disallow: ", "allow:", " Disalow:", "Disallow "]), RULES),
    st.sampled_from(
        ["", "# nothing", "Crawl-delay: 3", "Sitemap: https://a/*.xml", "Host: x", "Disallow: /b # b"]
    ),
)


class Threads(ThreadPoolExecutor):
    """The loop's threads, and what they were given to do."""

    def __init__(self):
        super().__init__(2)
        self.names = []

    def submit(self, call, /, *args, **kwargs):
        inner = getattr(call, "args", (call,))[0]
        self.names.append(getattr(inner, "__name__", ""))
        return super().submit(call, *args, **kwargs)


@pytest.fixture
async def host():
    text = {"": ""}

    async def serve(_):
        return web.Response(text=text[""])

    app = web.Application()
    app.router.add_get("/robots.txt", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sessions = Sessions(SessionConfig("test", allow_private_networks=True))
    base = URL(f"http://127.0.0.1:{runner.addresses[0][1]}/")

    def give(body):
        text[""] = body
        return Robots(AiohttpWebClient(sessions)), base

    yield give
    await sessions.close()
    await runner.cleanup()


@given(st.lists(LINES, max_size=14))
def test_what_concerns_us_says_the_same_as_the_whole(lines):
    text = "\n".join(lines)
    whole, ours = Protego.parse(text), Protego.parse(concerning(AGENT, text))
    for path in PATHS:
        address = f"https://a{path}"
        assert ours.can_fetch(address, AGENT) == whole.can_fetch(address, AGENT), path
    assert ours.crawl_delay(AGENT) == whole.crawl_delay(AGENT)
    assert list(ours.sitemaps) == list(whole.sitemaps)


@pytest.mark.parametrize(
    "name", ["PixCrawler/1.0", "pixcrawler 1.0", "PIXCRAWLER (+https://a)", "pixcrawler*"]
)
def test_what_stands_behind_our_name_does_not_matter(name):
    text = f"User-agent: *\nDisallow:\n\nUser-agent: {name}\nDisallow: /a"
    assert not Protego.parse(concerning(AGENT, text)).can_fetch("https://a/a", AGENT)


async def test_a_byte_order_mark_hides_no_rule(host):
    robots, base = host("\ufeffUser-agent: *\nDisallow: /private")
    assert not await robots.allow(base / "private")


def test_agents_times_rules_do_not_multiply():
    agents = [f"User-agent: b{number}" for number in range(12_000)]
    rules = [f"Disallow: /{number}" for number in range(12_000)]
    parsed = Protego.parse(concerning(AGENT, "\n".join(["User-agent: *", *agents, *rules])))
    assert [len(rule_set._rules) for rule_set in parsed._user_agents.values()] == [12_000]


def test_more_patterns_than_can_be_tried_are_read_strictly():
    rules = [f"Disallow: /no/*{number}z" for number in range(500)]
    text = ["User-agent: *", *rules, "Disallow: /x/*.png", "Allow: /x/y*", "Disallow:/z$", "Disallow: /plain"]
    ours = concerning(AGENT, "\n".join(text))
    parsed = Protego.parse(ours)
    paths = ("/no/", "/no/7z", "/x/1.jpg", "/x/y", "/zz", "/plain", "/")
    refused = {path for path in paths if not parsed.can_fetch(f"https://a{path}", AGENT)}
    assert refused == {"/no/7z", "/x/1.jpg", "/x/y", "/zz", "/plain"}
    assert ours.count("*") == 500


@pytest.mark.parametrize("rule", ["Disallow: *", "disallow:*x", "Disallow *"])
def test_a_pattern_too_many_that_begins_with_a_star_forbids_everything(rule):
    many = "\n".join(["User-agent: *", *["Disallow: /a*b"] * 500, rule])
    assert not Protego.parse(concerning(AGENT, many)).can_fetch("https://a/x", AGENT)


async def test_hostile_files_are_parsed_and_asked_in_a_thread(host):
    threads = Threads()
    asyncio.get_running_loop().set_default_executor(threads)
    rules = "".join(f"Disallow: /*{number}z\n" for number in range(30_000))
    robots, base = host(f"User-agent: *\nAllow: /$\n{rules}")
    assert not await robots.allow(base / "anything")
    assert not await robots.allow(base / "anything/else")
    assert await robots.allow(base)
    asked = [name for name in threads.names if name in {"_parse", "can_fetch"}]
    assert asked == ["_parse", "can_fetch", "can_fetch", "can_fetch"]


async def test_small_files_are_asked_at_once(host):
    threads = Threads()
    asyncio.get_running_loop().set_default_executor(threads)
    robots, base = host("User-agent: *\nDisallow: /private")
    assert not await robots.allow(base / "private")
    assert "can_fetch" not in threads.names


async def test_what_is_behind_500_kib_does_not_count_and_the_rest_does(host):
    filling = "# nothing\n" * 51_199
    robots, base = host(f"User-agent: *\n{filling[:-100]}\nDisallow: /a\nDisallow: /{'b' * 1000}")
    assert not await robots.allow(base / "a")
    assert await robots.allow(base / ("b" * 900))  # the half of that line that is within the limit
    robots, base = host(f"User-agent: *\nDisallow: /a\n{'#' * (500 * 1024 - 40)}\nDisallow: /bbbb")
    assert not await robots.allow(base / "a")
    assert await robots.allow(base / "b")
