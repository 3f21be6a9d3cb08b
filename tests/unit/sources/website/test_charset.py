"""In which charset pages are read."""

import pytest
from yarl import URL

from shared.sources.website.html_images import read_html


def read(body, kind):
    return read_html(body, URL("https://example.org/"), kind, nofollow=True)


BODY = '<title>Größe 東</title><img src="a.jpg" alt="Größe">'
CHARSETS = {
    "its header": (BODY.encode("gb18030"), "text/html; charset=gb18030"),
    "its header in quotes": (BODY.encode("utf-16-le"), 'text/html; charset="utf-16le"'),
    "its mark, before its header": (b"\xef\xbb\xbf" + BODY.encode(), "text/html; charset=iso-8859-1"),
    "its mark in 16 bits": (BODY.encode("utf-16"), "text/html"),
    "its meta": (b"<meta charset=gb18030>" + BODY.encode("gb18030"), "text/html"),
    "its bytes": (BODY.encode(), "text/html"),
    "its bytes, where the header is nonsense": (BODY.encode(), "text/html; charset=nonsense"),
}


@pytest.mark.parametrize("case", CHARSETS)
def test_the_charset_is_told_by(case):
    body, kind = CHARSETS[case]
    found = read(body, kind)
    assert (found.title, found.images[0].caption) == ("Größe 東", "Größe")


def test_what_is_called_latin_is_what_browsers_take_for_it():
    assert read("<title>“ü”</title>".encode("windows-1252"), "text/html; charset=ISO-8859-1").title == "“ü”"
    assert read("<title>“ü”</title>".encode("windows-1252"), "text/html").title == "“ü”"


def test_a_wrong_charset_costs_letters_and_no_pictures():
    found = read(
        "<title>Größe</title><img src=a.jpg alt=ü><p>ß<img src=b.jpg>".encode("latin-1"),
        "text/html; charset=utf-8",
    )
    assert [image.url[-5:] for image in found.images] == ["a.jpg", "b.jpg"]
