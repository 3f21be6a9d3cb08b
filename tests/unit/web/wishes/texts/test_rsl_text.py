"""Licences in RSL: what they permit, and that hostile ones permit nothing and cost nothing."""

import time

import pytest
from yarl import URL

from shared.web.wishes.texts.rsl_text import MAX_BYTES, Licence, Terms, read_licence

SITE = URL("https://example.org/")
NAMESPACE = "https://rslstandard.org/rsl"


def rsl(*contents):
    return f'<?xml version="1.0"?><rsl xmlns="{NAMESPACE}">{"".join(contents)}</rsl>'.encode()


def content(licence, url="/"):
    return f'<content url="{url}">{licence}</content>'


def terms_of(body, path="/a.jpg"):
    found = read_licence(body)
    assert found is not None
    assert not found.unreadable
    return found.rules_for(SITE).value(path, 1.0)


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("", Terms.NONE),
        ("<license/>", Terms.FREE),
        ('<license><permits type="usage">ai-train</permits></license>', Terms.FREE),
        ("<license><permits>search, AI-All</permits></license>", Terms.FREE),
        ('<license><permits type="usage">all</permits><payment type="attribution"/></license>', Terms.FREE),
        ("<license><permits>search ai-index</permits></license>", Terms.NOT_PERMITTED),
        ("<license><prohibits>ai-train</prohibits></license>", Terms.PROHIBITED),
        ("<license><prohibits><b>ai-train</b></prohibits></license>", Terms.PROHIBITED),
        ("<license><prohibits>&#97;i-train</prohibits></license>", Terms.PROHIBITED),
        ("<license><prohibits>train-ai</prohibits><permits>all</permits></license>", Terms.PROHIBITED),
        ('<license><prohibits type="usage">ALL</prohibits></license>', Terms.PROHIBITED),
        ("<license><prohibits>search</prohibits></license>", Terms.FREE),
        ('<license><permits type="user">education</permits></license>', Terms.RESTRICTED),
        ('<license><prohibits type="geo">DE</prohibits></license>', Terms.RESTRICTED),
        ('<license><payment type="crawl"><amount currency="USD">1</amount></payment></license>', Terms.PAID),
        ("<license><payment><standard>https://x/license</standard></payment></license>", Terms.PAID),
        ('<license><payment type="free"><custom>https://x</custom></payment></license>', Terms.FREE),
        (
            '<license><payment type="purchase"/></license><license><permits>all</permits></license>',
            Terms.FREE,
        ),
        ("<license/><license><prohibits>ai-all</prohibits></license>", Terms.PROHIBITED),
    ],
)
def test_a_licence_allows_what_it_neither_prohibits_nor_restricts_nor_sells(licence, expected):
    assert terms_of(rsl(content(licence))) is expected


@pytest.mark.parametrize(
    ("url", "applies"),
    [
        ("/", True),
        ("/a", True),
        ("/*.jpg$", True),
        ("https://example.org", True),
        ("https://EXAMPLE.org/a.jpg", True),
        ("http://example.org/*", True),
        ("//example.org/", True),
        ("https://other.org/", False),
        ("ftp://example.org/", False),
        ("/b", False),
        ("http://example.org:80/", False),
        ("https://example.org:443/", True),
        ("https://example.org:8443/", False),
        ("https://example.org./", True),
        ("https://*.org/a*", True),
        ("https://*.example.org/", False),
        ("//", False),
        ("https://exa mple.org/", False),
        ("", True),
        ("*", True),
        ("*.jpg", True),
        ("*.png", False),
        ("a.jpg", True),
        ("b.jpg", False),
    ],
)
def test_a_content_is_for_addresses_of_the_site_that_match_its_pattern(url, applies):
    found = terms_of(rsl(content("<license><prohibits>all</prohibits></license>", url)))
    assert (found is Terms.PROHIBITED) is applies


def test_a_pattern_may_have_the_host_as_people_write_it():
    body = rsl(content("<license><prohibits>all</prohibits></license>", "https://Bücher.example/"))
    found = read_licence(body)
    assert found is not None
    site = URL("https://xn--bcher-kva.example/")
    assert found.rules_for(site).value("/a.jpg", 1.0) is Terms.PROHIBITED


@pytest.mark.parametrize("licence", ["", "<license><permits>all</permits><payment type='free'/></license>"])
def test_a_licence_that_must_be_obtained_from_a_server_refuses(licence):
    body = rsl(f'<content url="/" server="https://licences.example/">{licence}</content>')
    assert terms_of(body) is Terms.ON_REQUEST


def test_prefixes_of_attributes_do_not_matter():
    licence = '<r:license><r:prohibits r:type="usage">all</r:prohibits></r:license>'
    body = f'<r:rsl xmlns:r="{NAMESPACE}"><r:content r:url="/a">{licence}</r:content></r:rsl>'
    assert terms_of(body.encode()) is Terms.PROHIBITED
    assert terms_of(body.encode(), "/b") is Terms.NONE


def test_the_longest_pattern_counts_and_of_equal_ones_the_strictest():
    free, forbidden = "<license/>", "<license><prohibits>all</prohibits></license>"
    body = rsl(content(forbidden), content(free, "/press/"), content(free, "/x"), content(forbidden, "/x"))
    assert terms_of(body, "/press/1.jpg") is Terms.FREE
    assert terms_of(body, "/1.jpg") is Terms.PROHIBITED
    assert terms_of(body, "/x") is Terms.PROHIBITED


def test_prefixes_and_capitals_of_tags_do_not_matter():
    body = f'<r:RSL xmlns:r="{NAMESPACE}"><r:content url="/"><r:license><r:prohibits>all</r:prohibits></r:license>'
    assert terms_of(f"{body}</r:content></r:RSL>".encode()) is Terms.PROHIBITED


BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
HOSTILE = {
    "entities": f'<!DOCTYPE rsl [<!ENTITY l0 "x">{BOMB}]><rsl xmlns="{NAMESPACE}">&l8;</rsl>',
    "a file": f'<!DOCTYPE rsl [<!ENTITY f SYSTEM "file:///etc/passwd">]><rsl xmlns="{NAMESPACE}">&f;</rsl>',
    "an external document type": f'<!DOCTYPE rsl SYSTEM "http://127.0.0.1:1/x.dtd"><rsl xmlns="{NAMESPACE}"/>',
    "no end": f'<rsl xmlns="{NAMESPACE}"><content url="/"><license>',
    "depth": "<rsl>" + "<content>" * 50_000,
    "too many contents": rsl(*[content("<license/>", f"/{n}") for n in range(3000)]).decode(),
    "a long text": rsl(content(f"<license><permits>{'x ' * 9000}</permits></license>")).decode(),
    "many small texts": rsl(content(f"<license><permits>{'&#120;' * 60_000}</permits></license>")).decode(),
    "too many bytes": rsl(content("<license/>")).decode() + " " * MAX_BYTES,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_licence_that_is_damaged_or_hostile_is_unreadable_at_once(case):
    begun = time.thread_time()
    found = read_licence(HOSTILE[case].encode()[:MAX_BYTES])
    assert time.thread_time() - begun < 1.0
    assert found == Licence((), unreadable=True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0" * 1000,
        b"<html><p>Terms</p></html>",
        b"<!doctype html><p>Terms",
        b"{}",
        b"\xff\xfe<",
        b"<feed/>",
    ],
)
def test_another_file_is_no_licence(body):
    assert read_licence(body) is None


def test_a_licence_in_another_encoding_is_read():
    body = f'<?xml version="1.0" encoding="utf-16"?><rsl xmlns="{NAMESPACE}">'
    body += content("<license><prohibits>all</prohibits></license>") + "</rsl>"
    assert terms_of(body.encode("utf-16")) is Terms.PROHIBITED
