"""Pictures, captions and links of HTML pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from shared.records.candidates import Candidate, NumberedCandidate, Provenance, encode_candidates
from shared.sources.website.html_images import MAX_IMAGES, MAX_LINKS, read_html

PAGE = URL("https://example.org/dir/page.html")


def read(html, kind="text/html; charset=utf-8", *, nofollow=True, formats=("jpeg", "png", "webp", "gif")):
    body = html if isinstance(html, bytes) else html.encode()
    return read_html(body, PAGE, kind, nofollow=nofollow, formats=formats)


def urls(html, **options):
    found = read(html, **options).images
    return [image.url.removeprefix("https://example.org/dir/") for image in found]


PICTURES = {
    "a plain image": ('<img src="a.jpg">', ["a.jpg"]),
    "the widest of a set": ('<img src="a.jpg" srcset="b.jpg 100w, c.jpg 900w, d.jpg 300w">', ["c.jpg"]),
    "the densest of a set": ('<img src="a.jpg" srcset="a.jpg, b.jpg 3x, c.jpg 2x">', ["b.jpg"]),
    "the address that a script loads later": (
        '<img src="data:image/gif;base64,R0lGOD" data-src="a.jpg">',
        ["a.jpg"],
    ),
    "not the stand-in": ('<img src="spacer.gif" data-original="a.jpg">', ["a.jpg"]),
    "a set that a script loads later": ('<img src="x.gif" data-srcset="a.jpg 1x, b.jpg 2x">', ["b.jpg"]),
    "a lazy attribute of WordPress": ('<img src="x.gif" data-lazy-src="a.jpg">', ["a.jpg"]),
    "a picture's sources": (
        '<picture><source srcset="a.webp 800w, b.webp 1600w" type="image/webp"><img src="c.jpg"></picture>',
        ["b.webp"],
    ),
    "formats that most can read before others": (
        '<picture><source srcset="a.avif 9w" type="image/avif"><source srcset="b.jpg 8w"><img src="c.jpg"></picture>',
        ["b.jpg"],
    ),
    "sources only within their picture": (
        '<picture><source srcset="a.webp"><img src="b.jpg"></picture><img src="c.jpg">',
        ["a.webp", "c.jpg"],
    ),
    "sound's sources are none": (
        '<audio><source src="a.mp3" srcset="b.jpg"></audio><img src="c.jpg">',
        ["c.jpg"],
    ),
    "what is for browsers without scripts": (
        '<img class="lazy" src="data:,"><noscript><img src="a.jpg"></noscript>',
        ["a.jpg"],
    ),
    "one picture once": ('<img data-src="a.jpg"><noscript><img src="a.jpg#x"></noscript>', ["a.jpg"]),
    "a link to an image file": ('<a href="a.JPG?x=1">see</a>', ["a.JPG?x=1"]),
    "the large version that a small one links to": (
        '<a href="large.png"><img src="small.png" srcset="m.png 2x"></a>',
        ["large.png"],
    ),
    "pictures of a link apart": (
        '<a href="large.png"><img src="a.png"><img src="b.png"></a>',
        ["a.png", "b.png", "large.png"],
    ),
    "a wiki's file page is no image file": (
        '<a href="/wiki/File:Cat.jpg"><img src="cat.jpg"></a>',
        ["cat.jpg"],
    ),
    "the page's own card": (
        '<meta property="og:image" content="og.jpg"><meta name="twitter:image" content="tw.jpg"><img src="a.jpg">',
        ["og.jpg", "a.jpg"],
    ),
    "a card for lack of another": ('<meta name="twitter:image" content="tw.jpg">', ["tw.jpg"]),
    "no pixels that count visitors": (
        '<img src="t.gif" width="1" height=1><img src="a.jpg" width=1>',
        ["a.jpg"],
    ),
    "no drawings and icons": ('<img src="a.svg"><img src="favicon.ico?v=2"><img src="a.jpg">', ["a.jpg"]),
    "no scripts and styles": ("<script>'<img src=a.jpg>'</script><style><img src=b.jpg></style>", []),
    "nothing empty": ('<img src=""><img src=" "><img><img srcset="">', []),
    "no other schemes": (
        '<img src="javascript:x"><img src="blob:x"><img src="ftp://a/b.jpg"><img src="http://u:p@a/b.jpg">',
        [],
    ),
    "addresses with spaces and breaks": ('<img src=" a b\n.jpg ">', ["a%20b.jpg"]),
    "tags that are never closed": (
        '<div><a href="x"><p><img src="a.jpg"><table><img src=b.jpg>',
        ["a.jpg", "b.jpg"],
    ),
    "an attribute's first value": ('<img src="a.jpg" src="b.jpg">', ["a.jpg"]),
}


@pytest.mark.parametrize("case", PICTURES)
def test_pages_show(case):
    html, expected = PICTURES[case]
    assert urls(html) == expected


def test_addresses_are_relative_to_the_first_base_at_any_position():
    html = '<img src="a.jpg"><base href="//cdn.example.net/x/"><base href="/no/"><img src="/b.jpg">'
    assert urls(html) == ["https://cdn.example.net/x/a.jpg", "https://cdn.example.net/b.jpg"]
    assert urls('<base href="javascript:x"><img src="a.jpg">') == ["a.jpg"]


def test_captions_come_from_alternative_texts_or_figures_or_links_in_this_order():
    html = """<title> A
    page &amp; more </title><svg><title>no</title></svg>
    <figure><img src=1.jpg alt=" One
     cat "><img src=2.jpg alt=""><figcaption>Two <b>dogs</b></figcaption></figure>
    <img src=3.jpg><a href=4.jpg>Four <i>birds</i></a>
    <figure><figure><img src=5.jpg><figcaption>Five</figcaption></figure><figcaption>All</figcaption></figure>
    <meta property=og:image content=6.jpg><meta property=og:image:alt content=Six>"""
    found = read(html)
    assert found.title == "A page & more"
    assert {image.url[-5:]: image.caption for image in found.images} == {
        "6.jpg": "Six",
        "1.jpg": "One cat",
        "2.jpg": "Two dogs",
        "3.jpg": None,
        "4.jpg": "Four birds",
        "5.jpg": "Five",
    }


def test_a_picture_that_is_shown_twice_keeps_its_only_caption():
    [image] = read('<img src="a.jpg"><img src="a.jpg" alt="A">').images
    assert image.caption == "A"


def test_links_are_in_order_and_without_nofollow_links():
    html = """<a href="a">1</a><a href="b#x" rel="noopener NOFOLLOW">2</a><a href="/c?d=1#y">3</a><a href="a#z">4</a>
    <area href="e"><a href="mailto:x@y">5</a><a>6</a><link rel="next" href="?page=2">
    <a href="n.jpg" rel=nofollow>7</a>"""
    base = "https://example.org"
    links = [f"{base}/dir/a", f"{base}/c?d=1", f"{base}/dir/e", f"{base}/dir/page.html?page=2"]
    assert sorted(read(html).links) == sorted(links)
    assert read(html).images == ()
    followed = read(html, nofollow=False)
    assert f"{base}/dir/b" in followed.links
    assert [image.url for image in followed.images] == [f"{base}/dir/n.jpg"]


def test_robots_and_tdm_metas_for_our_agent_are_read():
    html = """<META NAME="Robots" CONTENT="NoImageIndex, nofollow"><meta name="pixcrawler" content="noai">
    <meta name="googlebot" content="noindex"><meta name="tdm-reservation" content="1">"""
    found = read(html)
    assert found.directives == {"noimageindex", "nofollow", "noai"}
    assert found.tdm_reservation == "1"


@pytest.mark.parametrize(
    "body", [b"", b" ", b"\0" * 100, b"<", b"<!--", b"plain", b"\x89PNG\r\n\x1a\n\0\0", b"<html", b"\xff\xfe"]
)
def test_a_body_that_is_not_a_page_has_no_pictures_and_links(body):
    assert read(body).images == ()
    assert read(body, "").links == ()


HOSTILE = {
    "nesting": b"<div>" * 300_000,
    "figures": b"<figure>" * 200_000,
    "anchors": b"<a href=x>" * 200_000,
    "pictures": b"<picture><source srcset=a>" * 100_000,
    "attributes": b"<p " + b" ".join(b"a%d=1" % number for number in range(200_000)) + b">",
    "closings": b"<b><i>" * 100 + b"</p></x>" * 200_000,
    "references": b"<p>" + b"&amp;&#x41;" * 200_000,
    "one long attribute": b"<img srcset='" + b"a.jpg 1x, " * 300_000 + b"'>",
    "one long descriptor": b"<img srcset='a " + b"(" * 2_000_000 + b"'>",
    "one long address": b"<img src='" + b"a" * 3_000_000 + b"'>",
    "text": b"<title>" + b"a " * 1_000_000 + b"</title><a href=1.jpg>" + b"b " * 1_000_000 + b"</a>",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_pages_are_read_to_their_end(case):
    found = read(HOSTILE[case] + b"</figure></a></picture><img src=/last.jpg>")
    assert found.images[-1].url == "https://example.org/last.jpg"


def test_very_many_links_and_pictures_are_cut_and_marked_as_cut():
    found = read(b"".join(b"<a href=/%d>" % number for number in range(300_000)))
    assert (len(found.links), found.cut) == (MAX_LINKS, True)
    found = read(b"".join(b"<img src=%d.jpg>" % number for number in range(100_000)))
    assert (len(found.images), found.cut) == (MAX_IMAGES, True)
    assert not read("<a href=x><img src=a.jpg></a>").cut


PIECES = """<a href='x.jpg'>|<a href=y rel=nofollow>|</a>|<img src=|<img srcset='|data-src=|'|"|>|<picture>|</picture>
<source srcset='a 2x'>|<figure>|</figure>|<figcaption>|</figcaption>|<base href='|http://[|//|<title>|</title>|,| |\0
<meta name=robots content='|<noscript>|</noscript>|<!--|-->|&#0;|&#xD800;|&#x10FFFF;""".replace("\n", "|")
PIECE = st.sampled_from(PIECES.split("|")) | st.text(max_size=5)
MARKUP = st.lists(PIECE, max_size=30).map("".join)


@given(MARKUP)
def test_any_page_gives_candidates_that_can_be_stored(html):
    found = read(html.encode("utf-8", "surrogatepass"))
    candidates = [
        NumberedCandidate(
            0, Candidate(image.url, "x", Provenance("website", title=found.title), image.caption)
        )
        for image in found.images
    ]
    encode_candidates(candidates)
    assert all(image.url.startswith(("http://", "https://")) for image in found.images)
    assert all(link.startswith(("http://", "https://")) for link in found.links)
