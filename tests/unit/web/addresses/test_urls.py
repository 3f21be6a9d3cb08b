import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.errors import InvalidRequest
from shared.web.addresses.urls import address_key, parse_url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "ftp://a/b",
        "file:///etc/passwd",
        "http://",
        "http://u:p@a/",
        "http://u@a/",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "http://[::1",
        "http://a[::1]@",
        "http://a[::1]@/x",
        "http://[fe80::1%25eth0]/",
        "http://a:99999/",
        "http://a:0/",
        "http://a b/",
        "http://a%2eb/",
        "http://a..b/",
        "http://.a/",
        "http://xn--/",
        "http://ex\u00adample.com/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://a.0x7f/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://1.2.3.4.5/",
        "http://1.2.3.4./",
        "http://" + "a" * 64 + ".com/",
        "http://" + "a." * 127 + "com/",
        "http://" + "a" * 9000,
        "http://a/" + "x" * 8000,
        "http://\ud800/",
        "http://a/\ud800",
    ],
)
def test_texts_that_are_not_fetchable_urls_are_refused(text):
    with pytest.raises(InvalidRequest):
        parse_url(text)
    assert address_key(text) == text


@pytest.mark.parametrize(
    ("key", "spellings"),
    [
        ("http://example.com/a", ["http://Example.com/a#x", "HTTP://example.com:80/a", " http://EXAMPLE.com./a "]),
        ("https://example.com/", ["https://example.com", "https://example.com:443/", "https://example.com/?#"]),
        ("http://example.com/?q", ["http://example.com?q", "http://example.com:80/?q"]),
        ("http://a:8080/", ["http://a:8080", "http://A.:8080/"]),
        ("http://a/~x/%C3%BC", ["http://a/%7ex/%c3%bc", "http://a/~x/\u00fc", "http://a/%7Ex/%C3%bc"]),
        ("http://a/b/d", ["http://a/b/./c/../d", "http://a/../b/d", "http://a/b/%2e/d", "http://a/x/%2E%2e/b/d"]),
        ("http://a/%25zz", ["http://a/%zz", "http://a/%25zz"]),
        ("http://xn--bcher-kva.example/%C3%BC", ["http://b\u00fccher.example/\u00fc", "http://XN--bcher-kva.example/%c3%bc"]),
        ("http://a.com/", ["http://a\u3002com/", "http://\uff41.com"]),
        ("http://[2001:db8::1]/", ["http://[2001:DB8::1]/", "http://[2001:db8::1]:80/"]),
    ],
)  # fmt: skip
def test_all_spellings_of_an_address_have_the_same_key(key, spellings):
    assert {address_key(spelling) for spelling in [key, *spellings]} == {key}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a/x?n=1", "http://a/x?n=2"),
        ("http://a/x?a=1&b=2", "http://a/x?b=2&a=1"),
        ("http://a/x", "https://a/x"),
        ("http://a/x", "http://a/X"),
        ("http://a/x", "http://a/x/"),
        ("http://a/x", "http://a:8080/x"),
        ("http://a/b/c", "http://a/b%2fc"),
        ("http://a/x?q=1+2", "http://a/x?q=1%2B2"),
        ("http://a/x?u=https://b/", "http://a/x?u=https%3A%2F%2Fb%2F"),
        ("http://a/x?q=a+b", "http://a/x?q=a%20b"),
        ("http://a/" + "x" * 9000 + "1", "http://a/" + "x" * 9000 + "2"),
    ],
)
def test_different_addresses_have_different_keys(one, other):
    assert address_key(one) != address_key(other)


_ADDRESSES = st.text(max_size=60) | st.text("/.%?#&=+;@:[]\\ \u00fc\u202e2eEfF0a", max_size=40).map(
    "http://a/".__add__
)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("http://a", "/"),
        ("http://a?x=%2F", "/?x=%2F"),
        ("http://a/%41%2f%3A%c3%bc?u=%3A%2F%2F%26&%7e=%41+%20#f%2F", "/%41%2f%3A%c3%bc?u=%3A%2F%2F%26&%7e=%41+%20"),
        (" http://a/\u00fc b?\u00fc b|'\" ", "/%C3%BC%20b?%C3%BC%20b%7C'%22"),
        ("http://a/100%.jpg?%zz%2", "/100%25.jpg?%25zz%252"),
        ("http://a/\\b\x01\\?\\\x01.", "//b%01/?%5C%01."),
        ("http://a/b/../c%2C/%2e/d?x=../%2e%2E/", "/c%2C/d?x=../%2e%2E/"),
        ("http://a/b//c/", "/b//c/"),
        ("http://a/%41#/A", "/%41"),
    ],
)  # fmt: skip
def test_a_url_is_sent_unchanged_if_its_spelling_is_legal(text, target):
    assert parse_url(text).raw_path_qs == target


@given(_ADDRESSES)
def test_a_request_has_only_ascii_and_no_dot_segments(text):
    try:
        url = parse_url(text)
    except InvalidRequest:
        return
    assert re.fullmatch(r"http://[!-~]+", str(url))
    assert str(parse_url(str(url))) == str(url)
    assert address_key(str(url)) == address_key(text)
    assert not {".", ".."} & set(re.sub("%2e", ".", url.raw_path, flags=re.IGNORECASE).split("/"))


def _parsed(text):
    try:
        url = parse_url(text)
    except InvalidRequest as error:
        return error.detail
    return str(url), url.raw_authority, url.raw_path, url.raw_query_string, address_key(text)


_NEARLY_PLAIN = st.tuples(
    st.sampled_from(["http://", "https://", "HTTP://", "http:/", "http:///", "http:"]),
    st.sampled_from(["a.com", "A.com.", "a:80", "a:443", "a:0", "a:99999", "a:", ":80", "", "u@a", "u:p@a", "a_b.c",
                     "127.1", "127.0.0.1:8080", "[::1]:80", "a..b", "-", "a%2eb", "b\u00fccher.example"]),
    st.text("/.%25eEfF0aZ-_~!$&'()*+,;=:@", max_size=20).map(lambda text: text and f"/{text}"),
    st.text("?/.%25eEfF0aZ-_~!$&'()*+,;=:@[\\\u00fc", max_size=20).map(lambda text: text and f"?{text}"),
).map("".join)  # fmt: skip


@settings(max_examples=3000)
@given(_NEARLY_PLAIN)
@example("http://a/" + "x" * 7990)
@example("http://a/" + "%41x" * 1900)
@example("http://a/" + "%41x" * 1900 + "%")
@example("http://a/x\n")
@example("http://a/b/%2e/c")
@example("http://a/b/%2E%2e?x")
@example("http://a/b/.%2e")
def test_a_plain_url_is_read_as_one_with_an_empty_fragment_is(text):
    # a fragment takes the long way
    assert _parsed(text) == _parsed(f"{text}#")


@given(_ADDRESSES)
def test_the_key_of_a_key_is_the_key_itself(text):
    key = address_key(text)
    assert address_key(key) == key
