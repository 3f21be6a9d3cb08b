"""Small websites to crawl."""

from yarl import URL

from shared.web.wishes.respect import Respect

from .conftest import Answer

INDIFFERENT = Respect.nothing()


def moved(to):
    return Answer(status=302, headers={"Location": to})


def shop(site):
    """Pages with links: start → a, b; a → c; c → d. Each page has a picture with the page's name."""
    site.pages = {
        "/": '<title>Shop</title><img src="start.jpg" alt="Start"><a href="/a">a</a><a href="/b">b</a>',
        "/a": '<img src="a.jpg"><a href="/c">c</a><a href="/">home</a>',
        "/b": '<img src="b.jpg"><a href="/a#top">a</a>',
        "/c": '<img src="c.jpg"><a href="d">d</a>',
        "/d": '<img src="d.jpg">',
    }


def names(crawl):
    return [URL(url).name.removesuffix(".jpg") for url in crawl.urls]


def everything(site):
    """A site with good pages, broken pages, redirects and sitemaps."""
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
