"""Sitemaps as sites write them, and as nobody should."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources.website.sitemaps import MAX_IMAGES, MAX_PAGES, SitemapImage, read_sitemap

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


def test_a_sitemap_in_plain_text_is_an_address_a_line():
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


def test_what_was_read_before_the_damage_counts():
    cut = URLSET[: URLSET.index("<image:title>")]
    found = read_sitemap(cut.encode())
    assert (len(found.pages), len(found.images), found.problem) == (1, 1, "it is not well-formed XML")
    found = read_sitemap(gzip.compress(URLSET.encode())[:-40])
    assert found.problem is not None


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
    "gzip that grows": (gzip.compress(b"<urlset>" + b" " * 60_000_000), "exceeds"),
    "gzip that is none": (b"\x1f\x8bnothing", "gzip"),
    "nothing": (b"", "not a sitemap"),
    "no sitemap": (b"hello", "not a sitemap"),
    "a page": (b"<!doctype html><html><body>404</body></html>", "well-formed"),
    "nesting": (b"<u>" * 100_000, "well-formed"),
    "too many pages": (b"<urlset>" + b"<url><loc>https://a/b</loc></url>" * (MAX_PAGES + 1), "pages"),
    "too many images": (
        b"<urlset><url>" + b"<image><loc>https://a/b</loc></image>" * (MAX_IMAGES + 1),
        "images",
    ),
    "a long address": (b"<urlset><url><loc>" + b"a" * 5_000_000 + b"</loc></url>", "well-formed"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.timeout(20)
def test_hostile_sitemaps_end_with_a_reason(case):
    body, problem = HOSTILE[case]
    found = read_sitemap(body)
    assert problem in (found.problem or "")
    assert len(found.pages) <= MAX_PAGES
    assert len(found.images) <= MAX_IMAGES
    assert all(len(page) <= 8000 for page in found.pages)


PIECES = "<urlset> <url> </url> <loc> </loc> <image> </image> x &amp; &x; <sitemap>"


@given(st.lists(st.sampled_from(PIECES.split())))
def test_any_mixture_is_read_or_refused(parts):
    read_sitemap("".join(parts).encode())
