"""Walks over little websites, of the good and of the other kind."""

import json
from datetime import timedelta

import pytest
from pydantic import ValidationError
from yarl import URL

from shared.sources.website.frontier import Frontier, Visit
from shared.web.wishes.respect import Respect
from tests.unit.known_sources import parse_source

from .conftest import Answer

INDIFFERENT = Respect(robots=False, opt_out=False)


def moved(to):
    return Answer(status=302, headers={"Location": to})


def shop(site):
    """Start → a, b; a → c; c → d. Each shows a picture of its name."""
    site.pages = {
        "/": '<title>Shop</title><img src="start.jpg" alt="Start"><a href="/a">a</a><a href="/b">b</a>',
        "/a": '<img src="a.jpg"><a href="/c">c</a><a href="/">home</a>',
        "/b": '<img src="b.jpg"><a href="/a#top">a</a>',
        "/c": '<img src="c.jpg"><a href="d">d</a>',
        "/d": '<img src="d.jpg">',
    }


def names(crawl):
    return [URL(url).name.removesuffix(".jpg") for url in crawl.urls]


async def test_pages_are_walked_breadth_first_to_a_depth(site):
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


async def test_a_walk_that_leaves_pages_at_its_end_says_so_once(site):
    shop(site)
    for most, left in ((1, True), (4, True), (5, False)):
        problems = (await site.crawl(max_pages=most, depth=9)).problems
        told = [f"website: {site.base}/: more than the {most} pages of max_pages were found"]
        assert problems == (told if left else [])
    assert (await site.crawl(max_pages=3, depth=1)).problems == []


async def test_a_walk_that_leaves_sitemaps_says_so(site):
    maps = "".join(f"<sitemap><loc>BASE/m{number}.xml</loc></sitemap>" for number in range(60))
    site.pages = {"/": "", "/sitemap.xml": f"<sitemapindex>{maps}</sitemapindex>", "*": "<urlset></urlset>"}
    crawl = await site.crawl(sitemaps=True)
    assert f"website: {site.base}/: more than 50 sitemaps were found" in crawl.problems


async def test_so_many_pages_are_asked_for_and_no_more_over_all_resumptions(site):
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


def everything(site):
    """A site with good pages, broken ones, redirects, and sitemaps."""
    shop(site)
    site.pages["/"] += "".join(
        f'<a href="{path}">x</a>' for path in ("/gone", "/to-c", "/file", "/busy", "/n1")
    )
    site.pages |= {
        "/to-c": moved("/c"),
        "/file": Answer(b"%PDF-", kind="application/pdf"),
        "/busy": Answer(status=503, headers={"Retry-After": "7"}),
        "/robots.txt": Answer(b"User-agent: *\nDisallow: /n2\nSitemap: /map.xml", kind="text/plain"),
        "/map.xml": "<sitemapindex><sitemap><loc>BASE/map.xml</loc></sitemap><sitemap><loc>BASE/m2.xml</loc></sitemap>"
        "</sitemapindex>",
        "/m2.xml": "<urlset><url><loc>BASE/n3</loc><image><loc>BASE/m.jpg</loc></image></url></urlset>",
    }
    for number in range(1, 7):
        site.pages[f"/n{number}"] = (
            f'<img src="n{number}.jpg"><a href="/n{number + 1}">x</a><a href="/n{number + 2}">x</a>'
        )


@pytest.mark.parametrize("sitemaps", [False, True])
async def test_a_walk_that_goes_on_from_any_cursor_finds_what_an_uninterrupted_one_finds(site, sitemaps):
    everything(site)
    config = {"depth": 9, "max_pages": 12, "sitemaps": sitemaps}
    whole = await site.crawl(**config)
    assert len(whole.candidates) > 8
    before = []
    for page in whole.pages:
        before += page.candidates
        if page.cursor is not None:
            rest = await site.crawl(page.cursor, **config)
            assert before + rest.candidates == whole.candidates
            assert json.loads(page.cursor)["asked"] <= 12
    assert page.cursor is None


async def test_broken_pages_are_problems_and_cost_nothing_else(site):
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


async def test_a_busy_page_is_had_when_it_answers(site):
    shop(site)
    answers = [Answer(status=429, headers={"Retry-After": "3"}), Answer(status=500)]
    site.pages["/a"] = lambda _: answers.pop(0) if answers else Answer(b'<img src="late.jpg">')
    crawl = await site.crawl(depth=1)
    assert sorted(names(crawl)) == ["b", "late", "start"]
    assert crawl.problems == []


async def test_a_page_that_names_a_moment_is_asked_again_then(site):
    shop(site)
    told = (site.clock.now() + timedelta(seconds=40)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    answers = [Answer(status=503, headers={"Retry-After": told})]
    site.pages["/"] = lambda _: answers.pop(0) if answers else Answer(b'<img src="late.jpg">')
    crawl = await site.crawl(depth=0)
    assert names(crawl) == ["late"]
    assert crawl.waits == [40]


async def test_a_host_that_is_not_there_is_a_problem(site):
    crawl = await site.crawl(start_urls=["http://127.0.0.1:1/x"])
    assert crawl.problems == [
        "website: http://127.0.0.1:1/x: robots.txt: 127.0.0.1 could not be reached (ClientConnectorError)."
    ]
    assert len(crawl.waits) == 2


async def test_a_site_whose_robots_txt_fails_is_walked_when_it_answers(site):
    shop(site)
    answers = [Answer(status=503)] * 2
    site.pages["/robots.txt"] = lambda _: answers.pop() if answers else Answer(status=404)
    crawl = await site.crawl(depth=0)
    assert names(crawl) == ["start"]
    assert crawl.problems == []
    assert crawl.waits == [60.0]


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
def test_a_site_is_a_host_and_its_subdomains(site, start, link, ours):
    assert site.source(start_urls=[start])._is_ours(URL(link)) is ours


async def test_redirects_are_visits_of_their_own(site):
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


async def test_a_start_page_that_moves_costs_no_page(site):
    site.pages = {"/": moved("/home"), "/home": "<img src=home.jpg>"}
    assert names(await site.crawl(max_pages=1, depth=0)) == ["home"]


async def test_a_site_without_a_path_is_its_first_page(site):
    site.pages = {"/": "<img src=x.jpg><a href=/>home</a>"}
    assert names(await site.crawl(start_urls=[site.base])) == ["x"]
    assert site.asked == ["/"]


async def test_redirects_without_end_are_left(site):
    site.pages = {"*": lambda request: moved(request.path_qs + "x")}
    crawl = await site.crawl()
    assert crawl.problems == [f"website: {site.base}/xxxxx: it redirects too often"]


async def test_robots_txt_is_respected_where_the_job_says_so(site):
    shop(site)
    site.pages["/robots.txt"] = "User-agent: pixcrawler\nDisallow: /a"
    assert names(await site.crawl(depth=9)) == ["start", "b"]
    assert "/a" not in site.asked
    assert names(await site.crawl(depth=9, respect=Respect(robots=False))) == ["start", "a", "b", "c", "d"]


OPT_OUTS = {
    "a header": (
        Answer(b"<img src=x.jpg>", headers={"X-Robots-Tag": "otherbot: all, pixcrawler: noai"}),
        "noai",
    ),
    "a meta element": (Answer(b"<meta name=robots content='noimageindex'><img src=x.jpg>"), "noimageindex"),
    "a TDM header": (Answer(b"<img src=x.jpg>", headers={"tdm-reservation": "1"}), "tdm-reservation"),
    "a TDM element": (
        Answer(b"<meta name=tdm-reservation content=1><img src=x.jpg>", headers={"tdm-reservation": "0"}),
        "tdm-reservation",
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
    assert crawl.problems == [f"website: {site.base}/a: tdmrep.json reserves it"]
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
async def test_links_are_not_followed_where_that_is_asked_for(site, start):
    shop(site)
    site.pages["/"] = start
    assert names(await site.crawl()) == []
    assert names(await site.crawl(respect=INDIFFERENT)) == ["a", "c"]


async def test_a_page_that_opts_out_may_still_lead_to_others(site):
    site.pages = {
        "/": "<meta name=robots content=noindex><img src=x.jpg><a href=/a>a</a>",
        "/a": "<img src=a.jpg>",
    }
    assert names(await site.crawl()) == ["a"]


async def test_a_crawl_delay_is_kept_over_all_resumptions(site):
    shop(site)
    site.pages["/robots.txt"] = "User-agent: *\nCrawl-delay: 12"
    crawl = await site.crawl(depth=9)
    assert names(crawl) == ["start", "a", "b", "c", "d"]
    assert crawl.waits == [12.0] * 4
    assert (await site.crawl(depth=9, respect=INDIFFERENT)).waits == []
    site.pages["/robots.txt"] = "User-agent: *\nCrawl-delay: 86400"
    crawl = await site.crawl()
    assert crawl.problems == [f"website: {site.base}/: its host wants 86,400 s between two requests"]


async def test_files_that_are_no_pages_are_not_asked_for(site):
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


async def test_pages_without_a_content_type_are_told_by_their_beginning(site):
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


async def test_a_trap_of_endless_pages_ends_with_the_number_of_pages(site):
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


async def test_a_million_links_are_cut_and_the_frontier_stays_small(site):
    site.pages = {"/": "".join(f"<a href=/{number}>" for number in range(300_000)), "*": "<p>"}
    source = site.source(max_pages=10)
    page = await anext(source.pages(source.queries({})[0], None))
    assert page.problems == (f"website: {site.base}/: not all of its images and links were read",)
    assert len(page.cursor) < 20_000


async def test_sitemaps_list_pages_and_images(site):
    everything(site)
    crawl = await site.crawl(sitemaps=True, depth=0)
    assert names(crawl) == ["m", "start", "n3"]
    assert crawl.candidates[0].provenance.page_url == f"{site.base}/n3"
    assert site.asked == ["/map.xml", "/m2.xml", "/", "/n3"]


async def test_without_a_word_in_robots_txt_the_sitemap_is_where_it_usually_is(site):
    site.pages = {
        "/": "<p>",
        "/sitemap.xml": "<urlset><url><loc>BASE/x</loc></url><url><loc>http://other.invalid/</loc></url></urlset>",
        "/x": "<img src=x.jpg>",
    }
    assert names(await site.crawl(sitemaps=True, depth=0)) == ["x"]
    assert (await site.crawl(start_urls=[f"{site.base}/x"], depth=0)).problems == []
    assert "/sitemap.xml" in site.asked


async def test_sitemaps_that_never_end_are_left(site):
    def index(request):
        number = int(request.query.get("n", 0))
        children = "".join(
            f"<sitemap><loc>/sitemap.xml?n={number * 9 + at}</loc></sitemap>" for at in range(9)
        )
        return Answer(f"<sitemapindex>{children}</sitemapindex>".encode(), kind="text/xml")

    site.pages = {"*": index, "/": "<img src=x.jpg>"}
    crawl = await site.crawl(sitemaps=True)
    assert len(site.asked) == 51
    assert names(crawl) == ["x"]


async def test_a_broken_sitemap_is_a_problem(site):
    shop(site)
    site.pages["/sitemap.xml"] = "<!DOCTYPE x [<!ENTITY a 'b'>]><urlset><url><loc>&a;</loc></url></urlset>"
    crawl = await site.crawl(sitemaps=True, depth=0)
    assert names(crawl) == ["start"]
    assert crawl.problems == [f"website: {site.base}/sitemap.xml: it has a document type declaration"]


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


def test_a_frontier_is_bounded_in_number_and_in_length():
    frontier = Frontier(100)
    added = [frontier.add(Visit(f"https://example.org/{'x' * 1900}/{number}")) for number in range(100_000)]
    assert sum(added) == 350
    assert not frontier.add(Visit("https://example.org/" + "x" * 2000))
    large = Frontier(10_000)
    for number in range(30_000):
        large.add(Visit(f"https://example.org/{'x' * 1900}/{number}", 3))
    assert len(large.encode()) < 4_500_000


def test_a_frontier_survives_its_cursor():
    frontier = Frontier(10)
    for visit in (
        Visit("https://a/1"),
        Visit("https://a/2", 3, 1),
        Visit("https://a/ü", 1),
        Visit("https://a/m", 1, 0, True),
    ):
        assert frontier.add(visit)
    frontier.take(frontier.next)
    taken = frontier.next
    frontier.take(taken)
    frontier.try_again(taken)
    frontier.not_before["a"] = 1.5
    again = Frontier.decode(frontier.encode(), 10)
    assert again.encode() == frontier.encode()
    assert (again.asked, again.sitemaps_asked) == (1, 1)
    for found in (frontier, again):
        assert [found.add(Visit(f"https://a/{name}")) for name in ("1", "2", "m", "new")] == [
            False,
            False,
            False,
            True,
        ]
