"""In which charset a page is written."""

import codecs
import re

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([a-z0-9_.:-]{1,40})", re.IGNORECASE)
_LATIN = frozenset(
    {"iso-8859-1", "iso8859-1", "latin1", "latin-1", "ascii", "us-ascii"}
)  # the web's windows-1252


def charset_of(body: bytes, content_type: str) -> str | None:
    """The header's charset, or UTF-8 where the body is that, else windows-1252.

    None where the parser finds out by itself: by byte order mark, or, without a header's, by meta element.
    """
    if body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    told = _CHARSET.search(content_type[:1000])
    if told is not None:
        return "windows-1252" if told[1].lower() in _LATIN else told[1]
    if b"charset" in body[:4096].lower():
        return None
    try:
        body.decode()
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"
