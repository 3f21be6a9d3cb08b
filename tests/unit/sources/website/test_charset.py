"""The encodings of pages: which one is used, and that no picture is lost if a page declares a wrong one."""

import pytest
from yarl import URL

from shared.sources.website.charset import page_encoding
from shared.sources.website.html_images import read_html

HTML = "text/html"


def read(body, kind=HTML):
    return read_html(body, URL("https://example.org/"), kind, nofollow=True, formats=("jpeg",))


def names(found):
    return [image.url.removeprefix("https://example.org/") for image in found.images]


BODY = '<title>Größe 東</title><img src="a.jpg" alt="Größe">'
CHARSETS = {
    "its header": (BODY.encode("gb18030"), "text/html; charset=gb18030"),
    "its header in quotes": (BODY.encode("utf-16-le"), 'text/html; charset="utf-16le"'),
    "its header, before its meta": (b"<meta charset=koi8-r>" + BODY.encode(), "text/html;charset=UTF-8"),
    "its mark, before its header": (b"\xef\xbb\xbf" + BODY.encode(), "text/html; charset=iso-8859-1"),
    "its mark in 16 bits": (BODY.encode("utf-16"), HTML),
    "its mark in 16 bits, the other way round": (
        b"\xfe\xff" + BODY.encode("utf-16-be"),
        "text/html; charset=utf-8",
    ),
    "its meta": (b"<meta charset=gb18030>" + BODY.encode("gb18030"), HTML),
    "its meta behind its title": (BODY.encode("gb18030") + b"<meta charset=gb18030>", HTML),
    "its meta beyond the first kilobyte": (
        BODY.encode("gb18030") + b" " * 5000 + b"<meta charset=gb18030>",
        HTML,
    ),
    "its XML declaration": (b'<?xml version="1.0" encoding="gb18030"?>' + BODY.encode("gb18030"), HTML),
    "its bytes": (BODY.encode(), HTML),
    "its bytes, where the header is nonsense": (BODY.encode(), "text/html; charset=nonsense"),
    "its bytes, where the header says nothing": (BODY.encode(), "text/html; charset="),
    "its bytes, with the word charset in a comment": (b"<!-- charset=latin1 -->" + BODY.encode(), HTML),
    "its bytes, with the word charset in a script": (
        b"<script>charset='koi8-r'</script>" + BODY.encode(),
        HTML,
    ),
    "its bytes, with the word charset in a link": (b"<link charset=koi8-r>" + BODY.encode(), HTML),
    "its bytes of 16 bits, without a mark": (BODY.encode("utf-16-le"), HTML),
    "the meta that the parser finds, not one in a script": (
        b"<script>'<meta charset=koi8-r>'</script><meta charset=gb18030>" + BODY.encode("gb18030"),
        HTML,
    ),
}


@pytest.mark.parametrize("case", CHARSETS)
def test_the_encoding_is_known_by(case):
    body, kind = CHARSETS[case]
    found = read(body, kind)
    assert (found.title, found.images[0].caption) == ("Größe 東", "Größe")


def test_iso_8859_1_is_read_as_windows_1252_as_in_browsers():
    assert read("<title>“ü”</title>".encode("windows-1252"), "text/html; charset=ISO-8859-1").title == "“ü”"
    assert read("<title>“ü”</title>".encode("windows-1252")).title == "“ü”"


ENDS = b"<img src=a.jpg>%s<img src=b.jpg>"
MISTAKEN = {
    "UTF-8 quotes called Latin-1": (ENDS % "“so”".encode(), "iso-8859-1"),
    "UTF-8 quotes called windows-1252": (ENDS % "“so”".encode(), "windows-1252"),
    "a stray Latin-1 byte": (ENDS % b"caf\xe9", "utf-8"),
    "a GBK character in gb2312": (ENDS % "\u9555".encode("gbk"), "gb2312"),
    "a circled digit in shift_jis": (ENDS % "①".encode("cp932"), "shift_jis"),
    "a circled digit in euc-jp": (ENDS % "①".encode("euc_jis_2004"), "euc-jp"),
    "a cp949 syllable in euc-kr": (ENDS % "똠".encode("cp949"), "euc-kr"),
    "a cp949 syllable in ks_c_5601-1987": (ENDS % "똠".encode("cp949"), "ks_c_5601-1987"),
    "an HKSCS character in big5": (ENDS % "嘅".encode("big5hkscs"), "big5"),
    "a high byte in us-ascii": (ENDS % b"\xe9", "us-ascii"),
    "ASCII called utf-16": (ENDS % b"", "utf-16"),
    "ASCII called utf-16be": (ENDS % b"", "utf-16be"),
    "an encoding that browsers refuse": (ENDS % "中".encode("hz"), "hz-gb-2312"),
    "an encoding that nobody knows": (ENDS % b"\xff\xfe\xfd", "x-none"),
    "a zero byte": (ENDS % b"\0", "utf-8"),
    "a surrogate in UTF-8": (ENDS % b"\xed\xa0\xbd", "utf-8"),
    "half a pair in UTF-16": (
        (ENDS % b"X").decode().encode("utf-16-le").replace(b"X\0", b"\x00\xd8"),
        "utf-16",
    ),
    "an escape that is not closed": (ENDS % b"\x1b$B\x30", "iso-2022-jp"),
    "a user-defined encoding": (ENDS % b"\xff", "x-user-defined"),
}


@pytest.mark.parametrize("case", MISTAKEN)
@pytest.mark.parametrize("declared", ["header", "meta"])
def test_no_picture_is_lost_by(case, declared):
    body, charset = MISTAKEN[case]
    if declared == "meta" and b"\0" not in body[:4]:
        found = read(f"<meta charset={charset}>".encode() + body)
    else:
        found = read(body, f"text/html; charset={charset}")
    expected = ["a.jpg"] if charset == "iso-2022-jp" else ["a.jpg", "b.jpg"]
    assert names(found)[: len(expected)] == expected


MULTIBYTE = ["utf-8", "gbk", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr"]


@pytest.mark.parametrize("charset", MULTIBYTE)
def test_an_incomplete_character_hides_no_markup(charset):
    for lead in range(0x80, 0x100):
        for following in b"\"'<>& \n":
            text = b'<img alt="x" src="a.jpg"> ' + bytes([lead, following]) + b' "\'> <img src="b.jpg">'
            assert names(read(text, f"text/html; charset={charset}"))[:2] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("charset", MULTIBYTE)
def test_a_page_that_is_cut_inside_a_character_keeps_the_text_before(charset):
    codec = {"gbk": "gbk", "shift_jis": "cp932", "euc-kr": "cp949"}.get(charset, charset)
    body = '<title>東</title><img src="東.jpg"><p>東'.encode(codec)[:-1]
    for found in (
        read(body, f"text/html; charset={charset}"),
        read(f"<meta charset={charset}>".encode() + body),
    ):
        assert (found.title, names(found)) == ("東", ["%E6%9D%B1.jpg"])


def test_undeclared_utf_8_is_detected_despite_a_cut_or_a_stray_byte():
    body = '<title>Café déjà</title><img src="niño.jpg"><p>ñ'.encode()
    for sent in (body[:-1], body + b" caf\xe9"):
        assert names(read(sent)) == ["ni%C3%B1o.jpg"]


def test_a_path_beyond_ascii_is_in_utf_8_for_a_page_in_any_encoding():
    for codec in ("iso-8859-1", "windows-1252", "utf-8", "utf-16"):
        body = f'<title>Café</title><meta charset="{codec}"><img src="niño.jpg">'
        assert names(read(body.encode(codec))) == ["ni%C3%B1o.jpg"]


def test_only_a_byte_order_mark_and_a_header_declare_the_encoding_with_certainty():
    assert page_encoding(b"\xef\xbb\xbf", "text/html; charset=koi8-r").certain
    assert page_encoding(b"", "text/html; charset=koi8-r").certain
    assert not page_encoding(b"<meta charset=koi8-r>", HTML).certain


@pytest.mark.parametrize(
    ("charset", "sent"),
    [
        ("utf-8", "%C3%B1"),
        ("utf-16", "%C3%B1"),
        ("iso-8859-1", "%F1"),
        ("iso-8859-15", "%F1"),
        ("koi8-r", "%26%23241%3B"),
    ],
)
def test_a_query_is_sent_in_the_encoding_of_its_page(charset, sent):
    body = "<img src='ñ.jpg?q=ñ&amp;x#ñ'><a href='/?ñ'>".encode(charset, "xmlcharrefreplace")
    found = read(body, f"text/html; charset={charset}")
    assert names(found) == [f"%C3%B1.jpg?q={sent}&x"]
    assert found.links == (f"https://example.org/?{sent}",)
