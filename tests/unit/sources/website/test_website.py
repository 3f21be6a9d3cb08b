"""Crawls of small websites, both good and bad."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError
from yarl import URL

from tests.unit.known_sources import parse_source
from tests.unit.sources.website.sites import everything, moved, names, shop

from .conftest import Answer


async def test_pages_are_visited_breadth_first_to_a_depth(site):
    shop(site)
    for depth, expected in enumerate((["start"], ["start", "a", "b"], ["start", "a", "b", "c"])):
        assert names(await site.crawl(depth=depth)) == expected
    crawl = await site.crawl(depth=9, label="cat")
    assert names(crawl) == ["start", "a", "b", "c", "d"]
    assert crawl.problems == []
    assert len(crawl.pages) == 5
    [first, *_] = crawl.candidates
    assert (first.url, first.label, first.caption) == (f"{site.base}/start.jpg", "cat", "Start")
    assert (first.provenance.source, first.provenance.page_url) == ("website", f"{site.base}/")
    assert (first.provenance.title, first.provenance.license) == ("Shop", "unknown")


async def test_a_crawl_that_skips_pages_reports_one_problem(site):
    shop(site)
    for most, left in ((1, True), (4, True), (5, False)):
        problems = (await site.crawl(max_pages=most, depth=9)).problems
        told = [f"website: {site.base}/: more than the {most} pages of max_pages were found"]
        assert problems == (told if left else [])
    assert (await site.crawl(max_pages=3, depth=1)).problems == []


async def test_max_pages_limits_the_requests_of_all_resumptions_together(site):
    shop(site)
    assert names(await site.crawl(max_pages=3, depth=9)) == ["start", "a", "b"]
    site.asked.clear()
    cursor, seen = None, []
    for _ in range(9):
        source = site.source(max_pages=3, depth=9)
        page = await anext(source.pages(source.queries({})[0], cursor))
        seen += page.candidates
        cursor = page.cursor
        if cursor is None:
            break
    assert len(seen) == 3
    assert site.asked == ["/", "/a", "/b"]


def timeless(candidates):
    """The candidates without the times at which their pages were visited."""
    return [
        replace(candidate, consent=candidate.consent and replace(candidate.consent, checked_at=""))
        for candidate in candidates
    ]


@pytest.mark.parametrize("sitemaps", [False, True])
async def test_a_crawl_from_any_cursor_finds_the_same_as_an_uninterrupted_one(site, sitemaps):
    everything(site)
    config = {"depth": 9, "max_pages": 12, "sitemaps": sitemaps}
    whole = await site.crawl(**config)
    assert len(whole.candidates) > 8
    before = []
    for page in whole.pages:
        before += page.candidates
        if page.cursor is not None:
            rest = await site.crawl(page.cursor, **config)
            assert timeless([*before, *rest.candidates]) == timeless(whole.candidates)
            assert json.loads(page.cursor)["asked"] <= 12
    assert page.cursor is None


async def test_broken_pages_are_problems_and_do_not_affect_others(site):
    everything(site)
    crawl = await site.crawl(depth=2)
    assert set(names(crawl)) == {"start", "a", "b", "c", "n1", "n3"}
    problems = sorted(problem.removeprefix(f"website: {site.base}") for problem in crawl.problems)
    assert problems == [
        "/busy: HTTP 503",
        "/file: no HTML, but application/pdf",
        "/gone: HTTP 404",
        "/n2: robots.txt forbids it",
    ]
    assert site.asked.count("/busy") == 3
    assert crawl.waits
    assert max(crawl.waits) <= 7


async def test_a_busy_page_is_requested_again_until_it_answers(site):
    shop(site)
    answers = [Answer(status=429, headers={"Retry-After": "3"}), Answer(status=500)]
    site.pages["/a"] = lambda _: answers.pop(0) if answers else Answer(b'<img src="late.jpg">')
    crawl = await site.crawl(depth=1)
    assert sorted(names(crawl)) == ["b", "late", "start"]
    assert crawl.problems == []


async def test_a_page_with_retry_after_is_requested_again_at_that_time(site):
    shop(site)
    told = (site.clock.now() + timedelta(seconds=40)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    answers = [Answer(status=503, headers={"Retry-After": told})]
    site.pages["/"] = lambda _: answers.pop(0) if answers else Answer(b'<img src="late.jpg">')
    crawl = await site.crawl(depth=0)
    assert names(crawl) == ["late"]
    assert crawl.waits == [40]


async def test_an_unreachable_host_is_a_problem(site):
    crawl = await site.crawl(start_urls=["http://127.0.0.1:1/x"])
    assert crawl.problems == [
        "website: http://127.0.0.1:1/x: robots.txt: 127.0.0.1 could not be reached (ClientConnectorError)."
    ]
    assert len(crawl.waits) == 2


async def test_the_crawl_stays_on_the_site_and_its_subdomains(site):
    port = URL(site.base).port
    site.pages = {
        "/": f'<img src="http://cdn.invalid/1.jpg"><a href="http://localhost:{port}/other">x</a><a href="/here">y</a>'
        f'<a href="http://127.0.0.1.invalid:{port}/z">z</a>',
        "/here": "<img src=here.jpg>",
        "/other": "<img src=other.jpg>",
    }
    crawl = await site.crawl()
    assert names(crawl) == ["1", "here"]
    crawl = await site.crawl(same_site=False)
    assert names(crawl) == ["1", "other", "here"]


@pytest.mark.parametrize(
    ("start", "link", "ours"),
    [
        ("https://example.org/", "http://example.org:81/x", True),
        ("https://www.example.org/", "https://Example.ORG/x", True),
        ("https://example.org/", "https://www.example.org/x", True),
        ("https://www.example.org/", "https://blog.example.org/", True),
        ("https://blog.example.org/", "https://example.org/", False),
        ("https://example.org/", "https://badexample.org/", False),
        ("https://example.org/", "https://example.org.evil.test/", False),
        ("https://bücher.example/", "https://xn--bcher-kva.example/x", True),
    ],
)
def test_a_site_is_a_host_with_its_subdomains(site, start, link, ours):
    assert site.source(start_urls=[start])._is_ours(URL(link)) is ours


async def test_redirects_are_separate_visits(site):
    site.pages = {
        "/": "<a href=/1>x</a><a href=/out>x</a><a href=/loop>x</a><a href=/to-private>x</a><a href=/bad>x</a>",
        "/1": moved("/2"),
        "/2": moved("3"),
        "/3": "<img src=3.jpg>",
        "/out": moved("http://other.invalid/"),
        "/loop": moved("/loop"),
        "/to-private": moved("/private"),
        "/private": "<img src=private.jpg>",
        "/bad": moved("http://["),
        "/robots.txt": "User-agent: *\nDisallow: /private",
    }
    crawl = await site.crawl()
    assert names(crawl) == ["3"]
    assert crawl.candidates[0].provenance.page_url == f"{site.base}/3"
    assert [problem.rpartition(": ")[2] for problem in crawl.problems] == [
        "it redirects to another site, other.invalid",
        "it redirects in circles",
        "robots.txt forbids it",
        "Only http and https URLs with a host can be fetched.",
    ]
    assert "/private" not in site.asked


async def test_a_redirect_does_not_count_as_a_page(site):
    site.pages = {"/": moved("/home"), "/home": "<img src=home.jpg>"}
    assert names(await site.crawl(max_pages=1, depth=0)) == ["home"]


async def test_a_start_address_without_a_path_is_the_root_page(site):
    site.pages = {"/": "<img src=x.jpg><a href=/>home</a>"}
    assert names(await site.crawl(start_urls=[site.base])) == ["x"]
    assert site.asked == ["/"]


async def test_endless_redirects_are_a_problem(site):
    site.pages = {"*": lambda request: moved(request.path_qs + "x")}
    crawl = await site.crawl()
    assert crawl.problems == [f"website: {site.base}/xxxxx: it redirects too often"]


async def test_links_to_files_that_are_not_pages_are_not_requested(site):
    paths = [
        "/a.pdf",
        "/b.zip?x=1",
        "/c.css",
        "/d.MP4",
        "/e.jpg",
        "/feed.xml",
        "/f.html",
        "/g.php?file=x.pdf",
    ]
    site.pages = {"/": "".join(f'<a href="{path}">x</a>' for path in paths), "*": "<p>"}
    crawl = await site.crawl()
    assert site.asked == ["/", "/f.html", "/g.php?file=x.pdf"]
    assert names(crawl) == ["e"]


async def test_pages_without_a_content_type_are_detected_by_their_first_bytes(site):
    site.pages = {
        "/": Answer(
            b'\n<!doctype html><a href="/x">x</a><img src=a.jpg>', kind="application/xhtml+xml; charset=utf-8"
        ),
        "/x": Answer(b"\x89PNG", kind="image/png"),
    }
    crawl = await site.crawl()
    assert names(crawl) == ["a"]
    assert crawl.problems == [f"website: {site.base}/x: no HTML, but image/png"]


async def test_a_page_of_fifty_megabytes_is_a_problem(site):
    shop(site)
    site.pages["/a"] = Answer(b"<p>" * 17_000_000)
    crawl = await site.crawl(depth=1)
    assert names(crawl) == ["start", "b"]
    assert crawl.problems == [f"website: {site.base}/a: The answer exceeds 5,000,000 bytes."]
    assert site.asked.count("/a") == 1


async def test_a_site_of_endless_pages_ends_at_max_pages(site):
    def page(request):
        number = int(request.query.get("page", 0))
        links = "".join(f'<a href="/?page={number * 50 + at}">x</a>' for at in range(50))
        return Answer(f'<img src="{number}.jpg">{links}'.encode())

    site.pages = {"*": page}
    crawl = await site.crawl(depth=20, max_pages=60)
    assert len(site.asked) == 60
    assert len({*names(crawl)}) == 59  # "/" and "/?page=0" show the same
    longest = max(len(page.cursor or "") for page in crawl.pages)
    assert longest < 60 * 2 * 100 + 20_000


async def test_very_many_links_are_cut_and_the_frontier_stays_small(site):
    site.pages = {"/": "".join(f"<a href=/{number}>" for number in range(300_000)), "*": "<p>"}
    source = site.source(max_pages=10)
    page = await anext(source.pages(source.queries({})[0], None))
    assert page.problems == (f"website: {site.base}/: not all of its images and links were read",)
    assert len(page.cursor) < 20_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"start_urls": []},
        {"start_urls": ["example.org"]},
        {"start_urls": ["file:///etc/passwd"]},
        {"start_urls": ["https://u:p@example.org/"]},
        {"depth": -1},
        {"max_pages": 0},
        {"max_pages": 10_001},
        {"unknown": 1},
        {"label": ""},
    ],
)
def test_a_wrong_configuration_is_refused(wrong):
    with pytest.raises(ValidationError):
        parse_source({"type": "website", "start_urls": ["https://example.org/"], **wrong})
