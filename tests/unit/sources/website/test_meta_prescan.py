"""The encoding that the beginning of a page declares, by the cases of the HTML standard's algorithm."""

import pytest

from shared.sources.website.charset import encoding_in_page
from shared.sources.website.meta_prescan import declared_encoding

TURKISH = {
    "double quotes": b'<!doctype html>\n<meta charset="ISO-8859-9">',
    "single quotes": b"<!doctype html><meta charset='ISO-8859-9'>",
    "no quotes": b"<meta charset=ISO-8859-9>",
    "a slash": b"<meta/charset=ISO-8859-9 />",
    "capitals": b"<META CHARSET=iso-8859-9>",
    "a line break": b"<meta\ncharset=ISO-8859-9>",
    "spaces": b"<meta   charset \t = \n 'ISO-8859-9' >",
    "spaces within": b'<meta charset="\nISO-8859-9\n">',
    "a pragma": b'<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-9">',
    "a pragma, the other way round": b'<meta content="text/html; charset=ISO-8859-9" http-equiv=content-type>',
    "a pragma with quotes within": b"""<meta http-equiv=content-type content='text/html; charset="ISO-8859-9"'>""",
    "a pragma, the word twice": b'<meta http-equiv=content-type content="charset x charset = ISO-8859-9 ;q">',
    "other attributes": b'<meta id=x "y charset=ISO-8859-9 z>',
    "an attribute with a quote": b'<meta test=x" charset=ISO-8859-9>\n<p>"</p>',
    "an empty attribute": b'<meta test="" charset=ISO-8859-9>',
    "a meta within": b"<meta <meta charset='ISO-8859-9'>",
    "comments before": b"<!-- <meta charset=koi8-r> --><!--><meta charset=ISO-8859-9>",
    "a processing instruction before": b"<?php <meta charset=koi8-r> ?><meta charset=ISO-8859-9>",
    "an attribute of another element before": b"<p title='<meta charset=koi8-r>'><meta charset=ISO-8859-9>",
    "an unknown label before": b"<meta charset=bogus><meta charset=ISO-8859-9>",
    "characters before": "<title>ñ</title><html ñ=é><meta charset=ISO-8859-9>".encode(),
    "another behind": b"<meta charset=ISO-8859-9><meta charset=koi8-r>",
    "a stray less-than sign": b"< <3 <meta charset=ISO-8859-9>",
    "the same attribute twice": b"<meta charset=ISO-8859-9 charset=koi8-r>",
}
NONE = {
    "nothing": b"",
    "a start": b"<",
    "a start of a declaration": b"<!",
    "a meta that ends too soon": b"<meta",
    "a value that ends too soon": b"<meta charset=ISO-8859-9",
    "a quote that ends too soon": b'<meta charset="ISO-8859-9>\n<p></p>',
    "a label with a quote": b'<meta charset=ISO-8859-9">\n<p>"</p>',
    "another element": b"<metacharset=ISO-8859-9>",
    "a comment": b"<!-- <meta charset=ISO-8859-9> -->",
    "a comment without an end": b"<!-- <meta charset=ISO-8859-9>",
    "an attribute": b'<p title="x>\n<meta charset=ISO-8859-9>\n<p>',
    "an attribute of the meta": b'<meta test=" charset=ISO-8859-9>\n<p>"</p>',
    "no pragma": b'<meta content="text/html; charset=ISO-8859-9">',
    "another pragma": b'<meta http-equiv="Content-Style-Type" content="text/html; charset=ISO-8859-9">',
    "a name": b'<meta name="Content-Type" content="text/html; charset=ISO-8859-9">',
    "a pragma with an open quote": b"""<meta http-equiv=content-type content="text/html; charset='ISO-8859-9">""",
    "a pragma without a label": b'<meta http-equiv=content-type content="text/html; charset=">',
    "the word alone": b"<script>var charset = 'ISO-8859-9'</script><link href=x charset=ISO-8859-9>",
    "a closing tag": b"</meta charset=ISO-8859-9>",
    "an encoding that no browser reads": b"<meta charset=utf-7>",
    "an encoding that browsers refuse": b"<meta charset=hz-gb-2312>",
}


@pytest.mark.parametrize("case", TURKISH)
def test_the_declaration_is_found_with(case):
    assert declared_encoding(TURKISH[case], encoding_in_page) == "windows-1254"


@pytest.mark.parametrize("case", NONE)
def test_nothing_is_declared_by(case):
    assert declared_encoding(NONE[case], encoding_in_page) is None


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("utf-16", "utf-8"),
        ("UTF-16LE", "utf-8"),
        ("unicode", "utf-8"),
        ("x-user-defined", "windows-1252"),
        ("us-ascii", "windows-1252"),
        ("latin1", "windows-1252"),
        ("gb2312", "gbk"),
        ("ks_c_5601-1987", "euc-kr"),
        ("x-sjis", "shift_jis"),
        ("big5-hkscs", "big5"),
        ("utf8", "utf-8"),
    ],
)
def test_a_label_stands_for_the_encoding_of_the_encoding_standard(label, meant):
    assert declared_encoding(f"<meta charset={label}>".encode(), encoding_in_page) == meant


def test_the_prescan_takes_linear_time():
    for part in (b"<", b"<!", b"<meta ", b"<a x='", b"<!--", b"<meta charset=", b"=", b'<meta x="'):
        assert declared_encoding(part * 20_000, encoding_in_page) is None
