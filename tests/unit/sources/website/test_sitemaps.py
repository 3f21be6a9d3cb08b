"""Sitemaps as sites write them, and hostile ones."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources.website.sitemaps import MAX_IMAGES, MAX_PAGES, Sitemap, SitemapImage, read_sitemap
from tests.expect import present

URLSET = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"
  xmlns:video="http://www.google.com/schemas/sitemap-video/1.1">
  <url><loc> https://example.org/a?x=1&amp;y=2 </loc><lastmod>2026-01-01</lastmod>
    <image:image><image:loc>https://cdn.example.org/1.jpg</image:loc><image:caption>One</image:caption></image:image>
    <image:image><image:title>Two</image:title><image:loc>https://cdn.example.org/2.jpg</image:loc></image:image>
    <video:video><video:thumbnail_loc>https://example.org/no.jpg</video:thumbnail_loc></video:video>
  </url>
  <url><image:image><image:loc>/3.jpg</image:loc></image:image><loc>https://example.org/b</loc></url>
  <url><loc/></url>
</urlset>"""
INDEX = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://example.org/1.xml.gz</loc></sitemap><sitemap><loc>/2.xml</loc></sitemap></sitemapindex>"""


@pytest.mark.parametrize(
    "body",
    [
        URLSET.encode(),
        gzip.compress(URLSET.encode()),
        b"\xef\xbb\xbf" + URLSET.encode(),
        URLSET.replace("UTF-8", "UTF-16").encode("utf-16"),
    ],
)
def test_pages_and_their_images_are_listed(body):
    found = read_sitemap(body)
    assert found.pages == ("https://example.org/a?x=1&y=2", "https://example.org/b")
    assert found.images == (
        SitemapImage("https://cdn.example.org/1.jpg", "https://example.org/a?x=1&y=2", "One"),
        SitemapImage("https://cdn.example.org/2.jpg", "https://example.org/a?x=1&y=2", "Two"),
        SitemapImage("/3.jpg", None, None),
    )
    assert (found.sitemaps, found.problem) == ((), None)


def test_an_index_lists_sitemaps():
    assert read_sitemap(INDEX.encode()).sitemaps == ("https://example.org/1.xml.gz", "/2.xml")


def test_a_sitemap_in_plain_text_has_one_address_per_line():
    lines = "".join(f"https://example.org/{number}\r\n" for number in range(20_000))
    found = read_sitemap(b"\xef\xbb\xbf" + lines.encode() + b"nonsense\nhttps://example.org/last")
    assert len(found.pages) == 20_001
    assert found.pages[0] == "https://example.org/0"
    assert found.pages[-1] == "https://example.org/last"
    assert found.problem is None


@pytest.mark.parametrize("length", [8001, 8100, 30_000, 100_000])
def test_a_long_address_is_left_out_and_never_cut(length):
    long = "https://example.org/" + "\u00fc" * (length - 20)
    entry = "<url><loc>{}</loc><image><loc>{}</loc></image></url>"
    listed = entry.format(long, long) + entry.format("https://example.org/a", "https://example.org/a.jpg")
    found = read_sitemap(f"<urlset>{listed}</urlset>".encode())
    assert found.pages == ("https://example.org/a",)
    assert [image.url for image in found.images] == ["https://example.org/a.jpg"]
    assert read_sitemap(f"{long}\nhttps://example.org/a".encode()).pages == ("https://example.org/a",)


def test_entries_before_the_damage_of_a_sitemap_are_kept():
    cut = URLSET[: URLSET.index("<image:title>")]
    found = read_sitemap(cut.encode())
    assert (len(found.pages), len(found.images)) == (1, 1)
    assert "not well-formed XML" in present(found.problem)
    found = read_sitemap(gzip.compress(URLSET.encode())[:-40])
    assert found.problem is not None


START = b"<?xml version='1.0' encoding='UTF-8'?>"
THREE = (
    b"<urlset><url><loc>https://h.test/1</loc></url><url><loc>https://h.test/%s</loc></url>"
    b"<url><loc>https://h.test/3</loc></url></urlset>"
)
BROKEN = {
    "a blank line before its declaration": (b"\n" + START + THREE % b"2", "2"),
    "a comment before its declaration": (b"<!-- x -->" + START + THREE % b"2", "2"),
    "a word before it": (b"Sitemap: " + THREE % b"2", "2"),
    "a bare ampersand": (START + THREE % b"?x=1&y=2", "?x=1&y=2"),
    "what looks like a reference of HTML": (THREE % b"?a=1&copy=2&amp;region=3&", "?a=1&copy=2&region=3&"),
    "a bare ampersand in CDATA, and one elsewhere": (THREE % b"<![CDATA[?a&b]]>&c", "?a&b&c"),
    "an unknown reference": (THREE % b"a&nbsp;b", "a&nbsp;b"),
    "a control character": (THREE % b"a\x0bb", "a\x0bb"),
    "Latin-1 that is not declared": (THREE % "ñandú".encode("latin-1"), "ñandú"),
    "Latin-1 that is declared as UTF-8": (START + THREE % "ñandú".encode("latin-1"), "ñandú"),
    "an undeclared prefix that a closing tag forgets": (
        THREE % b"2</loc><image:image><image:loc>https://h.test/a.jpg</image:loc><loc>",
        "2",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_sitemap_is_read_as_far_as_possible_with_a_problem(case):
    body, second = BROKEN[case]
    for sent in (body, gzip.compress(body)):
        found = read_sitemap(sent)
        assert found.pages[:2] == ("https://h.test/1", f"https://h.test/{second}")
        assert found.pages[-1] == "https://h.test/3"
        assert found.problem is not None


@pytest.mark.parametrize("at", [b"https://h.test/a", b"https://h.test/a</l", b"https://h.test/a</loc"])
def test_an_address_that_the_end_of_the_sitemap_cuts_is_left_out(at):
    found = read_sitemap(b"<urlset><url><loc>https://h.test/1</loc></url><url><loc>" + at)
    assert found.pages == ("https://h.test/1",)
    assert found.problem is not None


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "shift_jis", "utf-16", "koi8-r"])
def test_a_sitemap_is_read_in_the_encoding_that_it_declares(encoding):
    word = {"shift_jis": "猫①", "koi8-r": "кот"}.get(encoding, "ñandú")
    codec = {"shift_jis": "cp932"}.get(encoding, encoding)
    body = f"<?xml version='1.0' encoding='{encoding}'?><urlset><url><loc>/{word}</loc></url></urlset>"
    assert read_sitemap(body.encode(codec)) == Sitemap((), (f"/{word}",), (), None)


def test_a_sitemap_in_ascii_that_declares_utf_16_is_read():
    body = b"<?xml version='1.0' encoding='utf-16'?>" + THREE % b"2"
    assert len(read_sitemap(body).pages) == 3


def test_references_and_characters_may_be_divided_between_pieces():
    filler = b"<url><loc>/x</loc></url>"
    for shift in range(24):
        body = (
            b"<urlset>" + b" " * shift + filler * 11_000 + b"<url><loc>/?\xc3\xa9&amp;b&c</loc></url>" * 400
        )
        found = read_sitemap(body + b"</urlset>")
        assert set(found.pages) == {"/x", "/?é&b&c"}


LAUGHS = (
    "<!DOCTYPE urlset [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(9))
    + "]><urlset><url><loc>https://example.org/&a9;</loc></url></urlset>"
)
HOSTILE = {
    "entities that grow": (LAUGHS.encode(), "document type"),
    "a local file": (b"<!DOCTYPE u SYSTEM 'file:///etc/passwd'><u>&x;</u>", "document type"),
    "an entity that is a file": (
        b"<!DOCTYPE u [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><urlset><url><loc>&x;</loc></url></urlset>",
        "document type",
    ),
    "gzip that grows": (gzip.compress(b"<urlset>" + b" " * 60_000_000), "more than 200 times its size"),
    "gzip that is none": (b"\x1f\x8bnothing", "gzip"),
    "nothing": (b"", "not a sitemap"),
    "no sitemap": (b"hello", "not a sitemap"),
    "a page": (b"<!doctype html><html><body>404</body></html>", "document type"),
    "a page without a doctype": (b"<html><body>404</body></html>", "not a sitemap"),
    "a feed": (b"<rss><channel><link>https://example.org/</link></channel></rss>", "not a sitemap"),
    "nesting": (b"<urlset>" * 100_000, "well-formed"),
    "too many pages": (b"<urlset>" + b"<url><loc>https://a/b</loc></url>" * (MAX_PAGES + 1), "pages"),
    "too many images": (
        b"<urlset><url>" + b"<image><loc>https://a/b</loc></image>" * (MAX_IMAGES + 1),
        "images",
    ),
    "a long address": (b"<urlset><url><loc>" + b"a" * 5_000_000 + b"</loc></url>", "well-formed"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_sitemaps_end_with_a_problem(case):
    body, problem = HOSTILE[case]
    found = read_sitemap(body)
    assert problem in (found.problem or "")
    assert len(found.pages) <= MAX_PAGES
    assert len(found.images) <= MAX_IMAGES
    assert all(len(page) <= 8000 for page in found.pages)


PIECES = "<urlset> <url> </url> <loc> </loc> <image> </image> x &amp; &x; <sitemap>"


@given(st.lists(st.sampled_from(PIECES.split())))
def test_any_mixture_of_parts_raises_no_error(parts):
    read_sitemap("".join(parts).encode())


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"])
def test_all_kinds_of_line_breaks_end_an_address_of_a_text_sitemap(ends):
    found = read_sitemap(ends.join([b"https://h/a", b"https://h/b", b"https://h/c"]))
    assert (found.pages, found.problem) == (("https://h/a", "https://h/b", "https://h/c"), None)


@pytest.mark.parametrize("before", [0, 300_000], ids=["at the beginning", "late"])
def test_addresses_with_invalid_bytes_are_left_out_with_a_problem(before):
    page = "<url><loc>https://h/%s</loc></url>"
    well = (page % "\u00e9\u00f1").encode() + b" " * before
    body = b"<urlset>" + well + (page % "\u00e9").encode("latin-1") + (page % "b").encode() + b"</urlset>"
    found = read_sitemap(body)
    assert found.pages == ("https://h/\u00e9\u00f1", "https://h/b")
    assert found.problem == "addresses with bytes that mean nothing are left out"
