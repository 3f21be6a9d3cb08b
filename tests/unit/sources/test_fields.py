import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources.fields import plain_text_of, url_of


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="//x" title="User:Jane">Jane &amp; <b>J</b>oe</a>', "Jane & Joe"),
        ("one<br>two<p>three</p>four", "one two three four"),
        ("<script>alert(1)</script>x<!-- y --><style>z</style>", "x"),
        ("plain  text\n of lines", "plain text of lines"),
        ("a < b", "a < b"),
        ("<i></i>", None),
        ("", None),
        (None, None),
        (["<b>x</b>"], None),
        ("\ud800<b>x</b>", "x"),
        ('<?xml version="1.0" encoding="utf-8"?><p>x</p>', "x"),
        ("<p>" * 5000 + "deep", "deep"),
    ],
)
def test_html_becomes_one_line_of_text(html, text):
    assert plain_text_of(html) == text


@given(st.text() | st.text(alphabet="<>/&;!-?bpi\x00\x0b\ud800", max_size=200))
def test_any_html_becomes_storable_text_or_none(html):
    text = plain_text_of(html)
    assert text is None or text.encode()


def test_the_text_of_long_html_is_cut():
    assert plain_text_of("<b>" + "x" * 1_000_000) == "x" * 2000


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (" https://a/1.jpg ", "https://a/1.jpg"),
        ("HTTP://a/1.jpg", "HTTP://a/1.jpg"),
        ("https://a/" + "x" * 7990, "https://a/" + "x" * 7990),
        (" HTTP://a/" + "x" * 7990, "HTTP://a/" + "x" * 7990),
        ("https://a/" + "x" * 8000, None),
        ("https://a/\nx", None),
        ("https://a/\ud800", None),
        ("blob:inputs/1.jpg", None),
        ("javascript:alert(1)//https://", None),
        ("//a/1.jpg", None),
        (b"https://a", None),
        (None, None),
    ],
)
def test_only_http_addresses_are_urls(value, url):
    assert url_of(value) == url
