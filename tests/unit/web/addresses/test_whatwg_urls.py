"""Addresses are read as browsers read them: cases like those of WHATWG's urltestdata.json, for http and https.

The app is stricter with credentials, encoded hosts and numbers in place of IP addresses. It refuses them.
"""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from shared.errors import InvalidRequest
from shared.sources.website.picture import Picture
from shared.web.addresses.urls import address_key, join_url, parse_url

BASE = "http://example.org/foo/bar?q#f"
REFUSED = None

JOINED = [
    # backslashes
    ("images\\a.jpg", "http://example.org/foo/images/a.jpg"),
    ("\\x", "http://example.org/x"),
    ("\\\\host\\x\\y", "http://host/x/y"),
    ("/\\host/x", "http://host/x"),
    ("\\/host\\x", "http://host/x"),
    ("/\\/\\host/x", "http://host/x"),
    ("///host/x", "http://host/x"),
    ("..\\x\\..\\y", "http://example.org/y"),
    (".\\x", "http://example.org/foo/x"),
    ("x\\.", "http://example.org/foo/x/"),
    ("x?a\\b", "http://example.org/foo/x?a%5Cb"),
    ("http:\\\\host\\x", "http://host/x"),
    ("http:/\\host\\x", "http://host/x"),
    ("https:\\\\host\\x", "https://host/x"),
    ("http://host\\@evil/x", "http://host/@evil/x"),
    ("http://host:80\\@evil:9/x", "http://host/@evil:9/x"),
    ("//host\\x", "http://host/x"),
    ("C:\\x\\y.jpg", REFUSED),
    # slashes behind the scheme
    ("http:x", "http://example.org/foo/x"),
    ("http:/x", "http://example.org/x"),
    ("http:?x", "http://example.org/foo/bar?x"),
    ("http:", "http://example.org/foo/bar?q"),
    ("http:#x", "http://example.org/foo/bar?q#x"),
    ("HTTP:///host/x", "http://host/x"),
    ("https:host/x", "https://host/x"),
    ("https:/host/x", "https://host/x"),
    ("https:////host/x", "https://host/x"),
    # tabs, line breaks, controls and spaces
    ("i\tm\na\rges/a.jpg", "http://example.org/foo/images/a.jpg"),
    ("ht\ntp://h\tost/x", "http://host/x"),
    ("http:\t/\n/host/x", "http://host/x"),
    ("/\t/host/x", "http://host/x"),
    ("\x00\x1b \tx \x1f\x00", "http://example.org/foo/x"),
    (" \n http://host/x y ", "http://host/x%20y"),
    ("x\x0by\x00", "http://example.org/foo/x%0By"),
    ("a\x00b", "http://example.org/foo/a%00b"),
    ("\u00a0x\u00a0", "http://example.org/foo/%C2%A0x%C2%A0"),
    ("\u3000", "http://example.org/foo/%E3%80%80"),
    ("http://ho st/", REFUSED),
    ("http://host\x01/", REFUSED),
    ("http://host\u3000x/", REFUSED),
    # paths, queries, fragments
    ("", "http://example.org/foo/bar?q"),
    ("?", "http://example.org/foo/bar"),
    ("#", "http://example.org/foo/bar?q"),
    ("?a?b#c?d", "http://example.org/foo/bar?a?b#c?d"),
    ("/", "http://example.org/"),
    (".", "http://example.org/foo/"),
    ("..", "http://example.org/"),
    ("../../../x", "http://example.org/x"),
    ("x/%2e%2E/y", "http://example.org/foo/y"),
    ("x/.%2e", "http://example.org/foo/"),
    ("x//y/../z", "http://example.org/foo/x//z"),
    ("//host//a/../b", "http://host//b"),
    ("x/...", "http://example.org/foo/x/..."),
    ("\u00fc\U0001f4a9", "http://example.org/foo/%C3%BC%F0%9F%92%A9"),
    ("%7Ex%zz", "http://example.org/foo/%7Ex%25zz"),
    ("a:b", REFUSED),
    ("1:b", "http://example.org/foo/1:b"),
    ("mailto:a@b", REFUSED),
    ("javascript:x", REFUSED),
    ("data:image/png,x", REFUSED),
    ("file:///x", REFUSED),
    ("ftp://host/x", REFUSED),
    ("blob:http://host/x", REFUSED),
    # hosts
    ("//HOST:80/x", "http://host/x"),
    ("https://host:443/", "https://host/"),
    ("https://host:80", "https://host:80/"),
    ("//host:/x", "http://host/x"),
    ("//host:0080/", "http://host/"),
    ("//host:008080/", "http://host:8080/"),
    ("//fa\u00df.example/", "http://xn--fa-hia.example/"),
    ("//\uff28\uff2f\uff33\uff34/", "http://host/"),
    ("//b\u00fccher.example", "http://xn--bcher-kva.example/"),
    ("//host./x", "http://host./x"),
    ("//@host/x", "http://host/x"),
    ("//user@host/x", REFUSED),
    ("//user:pass@host/x", REFUSED),
    ("//a@b@host/x", REFUSED),
    ("//", REFUSED),
    ("http://", REFUSED),
    ("//?x", REFUSED),
    ("//:80/", REFUSED),
    ("//host..x/", REFUSED),
    ("//.host/", REFUSED),
    ("//h%6fst/", REFUSED),
    ("//ho%00st/", REFUSED),
    ("//ho<st/", REFUSED),
    ("//ho|st/", REFUSED),
    ("//ho^st/", REFUSED),
    ("//xn--/", REFUSED),
    ("//xn--a/", REFUSED),
    ("//a\u200db/", REFUSED),
    ("//a\uff0fb/", REFUSED),
    ("//\ufffd/", REFUSED),
    ("//" + "a" * 64 + "/", REFUSED),
    ("//" + "\u00fc" * 62 + "/", REFUSED),
    ("//" + "a." * 127 + "a/", REFUSED),
    # ports
    ("//host:65535/", "http://host:65535/"),
    ("//host:65536/", REFUSED),
    ("//host:99999999999999999999/", REFUSED),
    ("//host:0/", REFUSED),
    ("//host:-1/", REFUSED),
    ("//host:+80/", REFUSED),
    ("//host:8a/", REFUSED),
    ("//host:\uff18\uff10/", REFUSED),
    ("//host:80:80/", REFUSED),
    # IPv4
    ("//192.0.2.1/x", "http://192.0.2.1/x"),
    ("//\uff11.2.3.4/", "http://1.2.3.4/"),
    ("//256.1.1.1/", REFUSED),
    ("//1.2.3.256/", REFUSED),
    ("//999.999.999.999/", REFUSED),
    ("//0x7f.1/", REFUSED),
    ("//0x7f000001/", REFUSED),
    ("//2130706433/", REFUSED),
    ("//0177.0.0.1/", REFUSED),
    ("//1.2.3.04/", REFUSED),
    ("//1.2.3/", REFUSED),
    ("//1.2.3.4.5/", REFUSED),
    ("//a.b.1/", REFUSED),
    ("//a.0x/", REFUSED),
    ("//1.2.3.4.example/", "http://1.2.3.4.example/"),
    # IPv6
    ("//[::1]:8080/x", "http://[::1]:8080/x"),
    ("//[2001:DB8:0:0::1]/", "http://[2001:db8::1]/"),
    ("//[1:0::]/", "http://[1::]/"),
    ("//[::127.0.0.1]/", "http://[::7f00:1]/"),
    ("//[::127.0.0.0.1]/", REFUSED),
    ("//[0::0::0]/", REFUSED),
    ("//[0:.0]/", REFUSED),
    ("//[0:0:]/", REFUSED),
    ("//[0:1:2:3:4:5:6:7.0.0.0.1]/", REFUSED),
    ("//[0:1.00.0.0.0]/", REFUSED),
    ("//[0:1.256.0.0.0]/", REFUSED),
    ("//[1:2:3:4:5:6:7:8:9]/", REFUSED),
    ("//[1:2:3:4:5:6:7]/", REFUSED),
    ("//[:::]/", REFUSED),
    ("//[::12345]/", REFUSED),
    ("//[::1.2.3.04]/", REFUSED),
    ("//[::1.2.3.256]/", REFUSED),
    ("//[::g]/", REFUSED),
    ("//[]/", REFUSED),
    ("//[:]/", REFUSED),
    ("//[x]/", REFUSED),
    ("//[v1.x]/", REFUSED),
    ("//[fe80::1%eth0]/", REFUSED),
    ("//[fe80::1%25eth0]/", REFUSED),
    ("//[::1%2525]/", REFUSED),
    ("//[::1/", REFUSED),
    ("//::1]/", REFUSED),
    ("//::1/", REFUSED),
    ("//[::1]x/", REFUSED),
    ("//x[::1]/", REFUSED),
    ("//[[::1]]/", REFUSED),
    ("//[::1]:x/", REFUSED),
    ("//[google.com]/", REFUSED),
    ("//[::\uff11]/", REFUSED),
]  # fmt: skip


def joined(base: URL, reference: str) -> str | None:
    try:
        return str(join_url(base, reference))
    except InvalidRequest:
        return REFUSED


@pytest.mark.parametrize(("reference", "expected"), JOINED)
def test_a_reference_is_resolved_as_browsers_resolve_it(reference, expected):
    assert joined(parse_url(BASE), reference) == expected


@pytest.mark.parametrize(
    ("reference", "expected"), [case for case in JOINED if case[0].lstrip()[:5].lower() == "http:"]
)
def test_the_text_after_the_scheme_is_the_host_of_an_address_without_a_base(reference, expected):
    """Lists and specs have such addresses. Those without slashes mean something else if they have no base."""
    alone = {
        "http:x": "http://x/", "http:/x": "http://x/", "http:?x": REFUSED, "http:": REFUSED, "http:#x": REFUSED,
    }  # fmt: skip
    found: str | None
    try:
        found = str(parse_url(reference))
    except InvalidRequest:
        found = REFUSED
    assert found == alone.get(reference, expected)


@pytest.mark.parametrize("reference", [case[0] for case in JOINED if case[1]])
def test_parsing_a_parsed_address_changes_neither_the_address_nor_its_key(reference):
    read = join_url(parse_url(BASE), reference)
    assert parse_url(str(read)) == read
    assert address_key(address_key(str(read))) == address_key(str(read))
    if reference[:7].lower() in {"http://", "http:\\\\"}:
        assert address_key(reference) == address_key(str(read))


@pytest.mark.parametrize("attribute", ["src", "srcset"])
def test_backslashes_in_the_addresses_of_pictures_are_slashes(attribute):
    picture = Picture()
    if attribute == "src":
        picture.offer("..\\images\\a b.jpg", 0)
    else:
        picture.offer_set("..\\images\\a%20b.jpg 2x, ..\\small.jpg 1x")
    assert picture.best(parse_url(BASE), "utf-8", ("jpeg",)) == "http://example.org/images/a%20b.jpg"


@given(st.text("/\\.:@[]#? \t\n\x00ahtp1%2e\u3002", max_size=24))
def test_other_libraries_read_the_same_host_from_a_parsed_address(reference):
    """A library that does not treat backslashes as slashes must find the same host in the result."""
    try:
        read = join_url(parse_url(BASE), reference)
    except InvalidRequest:
        return
    assert urlsplit(str(read)).hostname == read.raw_host
    assert parse_url(str(read)).raw_host == read.raw_host
