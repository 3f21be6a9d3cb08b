"""Crawls respect the wishes of websites: robots.txt, opt-outs, delays and nofollow links."""

import json

import pytest

from shared.web.wishes.respect import Respect
from tests.unit.sources.website.sites import INDIFFERENT, names, shop

from .conftest import Answer


async def test_a_site_whose_robots_txt_fails_is_crawled_once_it_answers(site):
    shop(site)
    answers = [Answer(status=503)] * 2
    site.pages["/robots.txt"] = lambda _: answers.pop() if answers else Answer(status=404)
    crawl = await site.crawl(depth=0)
    assert names(crawl) == ["start"]
    assert crawl.problems == []
    assert crawl.waits == [60.0]


async def test_robots_txt_is_respected_unless_the_job_ignores_it(site):
    shop(site)
    site.pages["/robots.txt"] = "User-agent: pixcrawler\nDisallow: /a"
    assert names(await site.crawl(depth=9)) == ["start", "b"]
    assert "/a" not in site.asked
    assert names(await site.crawl(depth=9, respect=Respect(robots=False))) == ["start", "a", "b", "c", "d"]


OPT_OUTS = {
    "a header": (
        Answer(b"<img src=x.jpg>", headers={"X-Robots-Tag": "otherbot: all, pixcrawler: noai"}),
        "robots_tags: noai",
    ),
    "a header against machine learning": (
        Answer(b"<img src=x.jpg>", headers={"X-Robots-Tag": "NoML"}),
        "robots_tags: noml",
    ),
    "a usage preference": (
        Answer(b"<img src=x.jpg>", headers={"Content-Usage": "search=y, train-ai=n"}),
        "aipref: Content-Usage does not allow the training of AI",
    ),
    "a meta element": (
        Answer(b"<meta name=robots content='noimageindex'><img src=x.jpg>"),
        "robots_tags: noimageindex",
    ),
    "a meta element with a property": (
        Answer(b"<meta property='og:x' name=robots content='noai'><img src=x.jpg>"),
        "robots_tags: noai",
    ),
    "a meta element in place of a header": (
        Answer(b"<meta http-equiv=X-Robots-Tag content='noai, noimageai'><img src=x.jpg>"),
        "robots_tags: noai",
    ),
    "one of two TDM elements": (
        Answer(b"<meta name=tdm-reservation content=1><meta name=tdm-reservation content=0><img src=x.jpg>"),
        "tdmrep: tdm-reservation: 1",
    ),
    "a TDM header beside an element without a value": (
        Answer(b"<meta name=tdm-reservation content=''><img src=x.jpg>", headers={"tdm-reservation": "1"}),
        "tdmrep: tdm-reservation: 1",
    ),
    "a TDM header": (
        Answer(b"<img src=x.jpg>", headers={"tdm-reservation": "1"}),
        "tdmrep: tdm-reservation: 1",
    ),
    "a TDM element": (
        Answer(b"<meta name=tdm-reservation content=1><img src=x.jpg>", headers={"tdm-reservation": "0"}),
        "tdmrep: tdm-reservation: 1",
    ),
}


@pytest.mark.parametrize("case", OPT_OUTS)
async def test_pages_can_opt_out_by(site, case):
    answer, reason = OPT_OUTS[case]
    site.pages = {"/": answer}
    crawl = await site.crawl()
    assert crawl.candidates == []
    assert crawl.problems == [f"website: {site.base}/: opted out: {reason}"]
    assert names(await site.crawl(respect=INDIFFERENT)) == ["x"]


async def test_hosts_can_opt_out_by_tdmrep(site):
    shop(site)
    rules = [{"location": "/b", "tdm-reservation": 0}, {"location": "/*", "tdm-reservation": 1}]
    site.pages["/.well-known/tdmrep.json"] = json.dumps(rules)
    crawl = await site.crawl(start_urls=[f"{site.base}/a", f"{site.base}/b"], depth=0)
    assert names(crawl) == ["b"]
    assert crawl.problems == [f"website: {site.base}/a: opted out: tdmrep: tdmrep.json reserves it"]
    assert site.asked == ["/b"]
    assert names(await site.crawl(respect=INDIFFERENT)) == ["start", "a", "b", "c"]


@pytest.mark.parametrize(
    "start",
    [
        '<meta name="robots" content="nofollow"><a href="/a">a</a>',
        Answer(b'<a href="/a">a</a>', headers={"X-Robots-Tag": "nofollow"}),
        '<a href="/a" rel="nofollow">a</a>',
    ],
)
async def test_links_are_not_followed_if_the_page_forbids_it(site, start):
    shop(site)
    site.pages["/"] = start
    assert names(await site.crawl()) == []
    assert names(await site.crawl(respect=INDIFFERENT)) == ["a", "c"]


async def test_the_links_of_a_page_that_opts_out_are_followed(site):
    site.pages = {
        "/": "<meta name=robots content=noindex><img src=x.jpg><a href=/a>a</a>",
        "/a": "<img src=a.jpg>",
    }
    assert names(await site.crawl()) == ["a"]


async def test_a_crawl_delay_is_respected_over_all_resumptions(site):
    shop(site)
    site.pages["/robots.txt"] = "User-agent: *\nCrawl-delay: 12"
    crawl = await site.crawl(depth=9)
    assert names(crawl) == ["start", "a", "b", "c", "d"]
    assert crawl.waits == [12.0] * 4
    assert (await site.crawl(depth=9, respect=INDIFFERENT)).waits == []
    site.pages["/robots.txt"] = "User-agent: *\nCrawl-delay: 86400"
    crawl = await site.crawl()
    assert crawl.problems == [f"website: {site.base}/: its host wants 86,400 s between two requests"]


_LICENCE = (
    b'<rsl xmlns="https://rslstandard.org/rsl"><content url="%s"><license><prohibits>ai-train</prohibits></license>'
    b"</content></rsl>"
)
_LINK = '</rsl.xml>; rel="license"; type="application/rsl+xml"'
_ELEMENT = b"<link rel='license nofollow' type=Application/RSL+XML href=rsl.xml>"
_SCRIPT = b"<script type='application/rsl+xml'>%s</script>"
_REFUSED = "rsl: its licence prohibits the training of AI"


@pytest.mark.parametrize(
    ("page", "pattern", "problem"),
    [
        (Answer(b"<img src=x.jpg>", headers={"Link": _LINK}), b"/", _REFUSED),
        (Answer(_ELEMENT + b"<img src=x.jpg>"), b"", _REFUSED),
        (Answer(_ELEMENT + b"<img src=x.jpg>"), b"/elsewhere/", None),
        (Answer(_SCRIPT % _LICENCE % b"" + b"<img src=x.jpg>"), b"/", _REFUSED),
        (Answer(_SCRIPT % _LICENCE % b"/elsewhere" + b"<img src=x.jpg>"), b"/", None),
        (Answer(_SCRIPT % b"<!-- %s -->" % (b"-" * 5000) + b"<img src=x.jpg>"), b"/", None),
        (Answer(_SCRIPT % b"<rsl><content" + b"<img src=x.jpg>"), b"/", "rsl: its licence cannot be read"),
        (Answer(_ELEMENT.replace(b"RSL", b"xhtml") + b"<img src=x.jpg>"), b"/", None),
    ],
)
async def test_a_page_can_name_its_licence(site, page, pattern, problem):
    site.pages["/"] = page
    site.pages["/rsl.xml"] = Answer(_LICENCE % pattern)
    crawl = await site.crawl(depth=0)
    assert names(crawl) == ([] if problem else ["x"])
    assert [each.endswith(f"/: opted out: {problem}") for each in crawl.problems] == (
        [True] if problem else []
    )
    assert names(await site.crawl(depth=0, respect=Respect(rsl=False))) == ["x"]


async def test_a_page_is_left_out_if_the_host_of_its_licence_does_not_answer(site):
    site.pages["/"] = Answer(_ELEMENT + b"<img src=x.jpg>")
    site.pages["/rsl.xml"] = Answer(status=503)
    crawl = await site.crawl(depth=0)
    assert names(crawl) == []
    [problem] = crawl.problems
    assert problem.endswith("/: RSL licence: HTTP 503")
