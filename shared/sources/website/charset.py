"""Finds the encoding of a page or a sitemap as browsers do, and converts its text to UTF-8.

Source: WHATWG HTML standard, 13.2.3 "The input byte stream", and the WHATWG Encoding standard.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

import webencodings

from shared.sources.website.meta_prescan import declared_encoding

UTF_8, WINDOWS_1252 = "utf-8", "windows-1252"
_HEADER_CHARSET = re.compile(r"(?:^|[;,\s])charset\s*=\s*[\"']?\s*([^\s\"';,]{1,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})")
_MARKS = ((codecs.BOM_UTF8, UTF_8), (codecs.BOM_UTF16_LE, "utf-16le"), (codecs.BOM_UTF16_BE, "utf-16be"))
_NO_MARK = ((b"<\0", "utf-16le"), (b"\0<", "utf-16be"))
_SNIFFED_BYTES = 1024

# Python's codecs of these names have fewer characters than the Encoding standard requires.
_WIDER_CODECS = {"gbk": "gb18030", "euc-jp": "euc_jis_2004"}

# Python's windows-1252 lacks these bytes. They are control characters on the web.
_WINDOWS_1252 = {
    byte: ord(bytes([byte]).decode("cp1252"))
    for byte in range(0x80, 0xA0)
    if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


@dataclass(frozen=True, slots=True)
class PageEncoding:
    """An encoding by its name in the Encoding standard.

    It is `certain` if a byte order mark or the HTTP header declares it. Otherwise a `meta` element that the parser
    finds overrides it. The parser ignores those in scripts or comments.
    """

    name: str
    certain: bool


def page_encoding(body: bytes, content_type: str) -> PageEncoding:
    """Finds the encoding of an HTML page: by its mark, its HTTP header, its own declaration, or its bytes.

    A declaration of an unknown encoding is ignored. So is UTF-16 if the page has no zero byte, because every page in
    UTF-16 has one.
    """
    mark = _marked(body)
    if mark is not None:
        return PageEncoding(mark, certain=True)
    found = _HEADER_CHARSET.search(content_type[:1000])
    header = encoding_named(found[1]) if found else None
    if header is not None and not (header.startswith("utf-16") and b"\0" not in body[:_SNIFFED_BYTES]):
        return PageEncoding(header, certain=True)
    own = declared_encoding(body[:_SNIFFED_BYTES], encoding_in_page)
    return PageEncoding(own or _by_xml(body) or _by_bytes(body), certain=False)


def encoding_named(label: str) -> str | None:
    """Returns the encoding of a label in the Encoding standard's table, or None for labels that no browser reads."""
    known = webencodings.lookup(label)
    return None if known is None or known.name == "replacement" else known.name


def encoding_in_page(label: str) -> str | None:
    """Returns the encoding of a label in the page itself. It is never UTF-16, which would hide the declaration."""
    name = encoding_named(label)
    if name is not None and name.startswith("utf-16"):
        return UTF_8
    return WINDOWS_1252 if name == "x-user-defined" else name


def in_utf8(body: bytes, encoding: str) -> bytes:
    """Converts the text to UTF-8. Bytes that are not valid become U+FFFD, and nothing else is lost."""
    if encoding == WINDOWS_1252:
        text = body.decode("latin-1").translate(_WINDOWS_1252)
    else:
        text, _ = _codec(encoding).decode(body, "replace")
    return text.removeprefix("\ufeff").encode(UTF_8, "replace")


def address_in_page(address: str, encoding: str) -> str:
    """Percent-encodes the characters of an address's query as browsers do for a page in this encoding.

    Paths are in UTF-8 in every page. Source: WHATWG URL standard, "query state".
    """
    start, mark, rest = address.partition("?")
    if not mark or rest.isascii() or encoding.startswith("utf"):
        return address
    query, hash_sign, fragment = rest.partition("#")
    codec = _codec(encoding)
    spelled = "".join(sign if sign.isascii() else _sent(sign, codec) for sign in query)
    return f"{start}?{spelled}{hash_sign}{fragment}"


def _sent(character: str, codec: codecs.CodecInfo) -> str:
    data, _ = codec.encode(character, "xmlcharrefreplace")
    return quote_from_bytes(data, safe="")


def sitemap_encoding(first: bytes) -> tuple[str, bool]:
    """Returns the encoding of a sitemap by its first bytes, and whether it is declared (or XML's default, UTF-8).

    A sitemap that should be UTF-8 and is not is read as windows-1252.
    """
    declared = _marked(first) or _by_xml(first) or UTF_8
    name = _by_bytes(first) if declared == UTF_8 else declared
    return name, name == declared


def pieces_in_utf8(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Converts like `in_utf8`, piece by piece. Characters may be divided between pieces."""
    if encoding == WINDOWS_1252:
        for piece in pieces:
            yield in_utf8(piece, encoding)
        return
    decoder = _codec(encoding).incrementaldecoder("replace")
    mark = "\ufeff"
    for piece in pieces:
        yield decoder.decode(piece).removeprefix(mark).encode(UTF_8, "replace")
        mark = ""
    yield decoder.decode(b"", final=True).encode(UTF_8, "replace")


def _codec(encoding: str) -> codecs.CodecInfo:
    if encoding in _WIDER_CODECS:
        return codecs.lookup(_WIDER_CODECS[encoding])
    known = webencodings.lookup(encoding)
    if known is None:
        raise LookupError(encoding)
    info: codecs.CodecInfo = known.codec_info
    return info


def _marked(body: bytes) -> str | None:
    return next((name for mark, name in (*_MARKS, *_NO_MARK) if body.startswith(mark)), None)


def _by_xml(body: bytes) -> str | None:
    found = _XML_ENCODING.search(body[:_SNIFFED_BYTES])
    return encoding_in_page(found[1].decode("ascii")) if found else None


def _by_bytes(body: bytes) -> str:
    """Returns UTF-8 if most bytes beyond ASCII are valid UTF-8 or there are none, otherwise windows-1252.

    windows-1252 is the web's default.
    """
    text = body.decode(UTF_8, "replace")
    damaged = text.count("\ufffd")
    if not damaged:
        return UTF_8
    sound = sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]+", text)))
    return UTF_8 if sound > damaged else WINDOWS_1252
