"""Reads sitemaps and sitemap indexes (sitemaps.org protocol), also gzipped, with Google's image entries."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from shared.sources.fields import text_of
from shared.sources.website.charset import pieces_in_utf8, sitemap_encoding
from shared.text.gzip_members import BadGzip, GzipLimits, unzip
from shared.web.addresses.urls import MAX_URL_CHARACTERS

# the protocol's own limits for addresses and bytes
MAX_PAGES = 50_000
MAX_IMAGES = 5_000
_LIMITS = GzipLimits(max_bytes=50_000_000)
# so a URL that is cut is also too long
_MAX_FIELD = 4 * MAX_URL_CHARACTERS + 1
_PIECE_BYTES = 1 << 18
_ROOT = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?(?:urlset|sitemapindex)[\s>]")
_ROOT_BYTES = 10_000
_REFERENCE_BYTES = 12
# HTML has references without a semicolon, but "&copy=1" in an address is not one.
_BARE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)")
_CDATA = "[CDATA["


@dataclass(frozen=True, slots=True)
class SitemapImage:
    """An image that a sitemap lists, and the page that shows it."""

    url: str
    page_url: str | None
    caption: str | None


@dataclass(frozen=True, slots=True)
class Sitemap:
    """Holds a sitemap's further sitemaps, pages and images. `problem` says why reading stopped early."""

    sitemaps: tuple[str, ...]
    pages: tuple[str, ...]
    images: tuple[SitemapImage, ...]
    problem: str | None


def read_sitemap(body: bytes) -> Sitemap:
    """Reads a sitemap as far as possible. It is XML, or one address per line, of at most 50 MB and 50,000 addresses.

    XML that is not well-formed is read again as browsers read HTML, which has no fatal error, and `problem` says so.
    A document type declaration ends a sitemap. So no entity is ever expanded and nothing is loaded.
    """
    reader = _Reader()
    try:
        problem = _read(body, reader)
    except _Enough as enough:
        problem = str(enough)
    except BadGzip as error:
        problem = f"its gzip stream {error}"
    return Sitemap(tuple(reader.sitemaps), tuple(reader.pages), tuple(reader.images), problem)


class _Enough(Exception):
    """The reader stops. The text says why."""


def _read(body: bytes, reader: "_Reader") -> str | None:
    """Passes the body to the reader, and returns the problem."""
    encoding, as_declared = sitemap_encoding(next(_pieces(body), b""))
    problem = (
        None if as_declared else "it is not in the encoding that it declares, and was read as windows-1252"
    )

    def text() -> Iterator[bytes]:
        return pieces_in_utf8(_pieces(body), encoding)

    first = next(text(), b"")[:_ROOT_BYTES]
    has_root = _ROOT.search(first) is not None
    if not has_root and first.lstrip()[:1] != b"<":
        _read_lines(reader, text())
    elif not _parse_strictly(reader, text()):
        reader.begin_again()
        problem = "it is not well-formed XML, and was read as far as possible"
        _parse_leniently(reader, text())
    if not (has_root or reader.pages):
        problem = "it is not a sitemap"
    return problem or ("addresses with bytes that mean nothing are left out" if reader.damaged else None)


def _parse_strictly(reader: "_Reader", pieces: Iterator[bytes]) -> bool:
    """Whether it is well-formed XML. The pieces are UTF-8, whatever encoding they declare."""
    from lxml import etree

    parser = etree.XMLParser(
        target=reader, encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False
    )
    try:
        for piece in pieces:
            parser.feed(piece)
        parser.close()
    except etree.XMLSyntaxError:
        return False
    return True


def _parse_leniently(reader: "_Reader", pieces: Iterator[bytes]) -> None:
    from lxml import etree

    parser = etree.HTMLParser(target=reader, encoding="utf-8")
    rest = b""
    for piece in chain(pieces, (b"",)):
        text = rest + piece
        # A reference may continue in the next piece.
        cut = text.rfind(b"&", max(0, len(text) - _REFERENCE_BYTES)) if piece else -1
        text, rest = (text[:cut], text[cut:]) if cut >= 0 else (text, b"")
        parser.feed(_BARE_AMPERSAND.sub(b"&amp;", text))
    # Elements that are open at the end were cut, also addresses. The parser would close them.
    parser.feed(b"<!-- -->")
    reader.ended = True
    parser.close()


def _read_lines(reader: "_Reader", pieces: Iterator[bytes]) -> None:
    rest = b""
    for piece in chain(pieces, (b"\n",)):
        *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            address = line[:_MAX_FIELD].decode("utf-8", "replace").strip("\ufeff \t")
            if address.startswith(("http://", "https://")) and (address := reader.address(address)):
                reader.add_page(address)
        rest = rest[:_MAX_FIELD]


def _pieces(body: bytes) -> Iterator[bytes]:
    """Yields the body, decompressed if it is gzip, in small pieces."""
    if not body.startswith(b"\x1f\x8b"):
        for at in range(0, len(body), _PIECE_BYTES):
            yield body[at : at + _PIECE_BYTES]
        return
    yield from unzip(body, _LIMITS)


@dataclass(slots=True)
class _Reader:
    """A target of lxml's parser. It holds the entries so far, and no tree."""

    sitemaps: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    images: list[SitemapImage] = field(default_factory=list)
    ended: bool = False
    damaged: bool = False
    _page: str | None = None
    _image: str | None = None
    _caption: str | None = None
    # the innermost open element of url, sitemap and image
    _inside: str = ""
    _text: list[str] | None = None
    _length: int = 0

    def begin_again(self) -> None:
        """Forgets all entries."""
        for listed in (self.sitemaps, self.pages, self.images):
            listed.clear()
        self._page, self._inside, self._text = None, "", None

    def doctype(self, *_: object) -> None:
        raise _Enough("it has a document type declaration")

    def start(self, tag: str, _: object) -> None:
        name = _local(tag)
        if name in {"url", "sitemap"}:
            self._inside, self._page = name, None
        elif name == "image":
            self._inside, self._image, self._caption = name, None, None
        self._text = [] if name in {"loc", "caption", "title"} else None
        self._length = 0

    def data(self, text: str) -> None:
        if self._text is not None and self._length < _MAX_FIELD:
            self._text.append(text)
            self._length += len(text)

    def comment(self, text: str) -> None:
        """Reads a comment as text: HTML has no CDATA sections, so the parser takes them for comments."""
        if text.startswith(_CDATA):
            self.data(text.removeprefix(_CDATA).removesuffix("]]").replace("&amp;", "&"))

    def end(self, tag: str) -> None:
        if self.ended:
            return
        name = _local(tag)
        text = "".join(self._text or ())[:_MAX_FIELD].strip()
        if name == "loc":
            text = self.address(text)
        self._text = None
        if self._inside == "image":
            self._end_in_image(name, text)
        elif name == "loc" and text and self._inside == "sitemap":
            self.sitemaps.append(text)
        elif name == "loc" and text and self._inside == "url":
            self._page = text
            self.add_page(text)

    def address(self, text: str) -> str:
        """Returns the address, or empty if it is too long, or if it lost bytes and would be another address."""
        lost = "\ufffd" in text
        self.damaged = self.damaged or lost
        return "" if lost or len(text) > MAX_URL_CHARACTERS else text

    def add_page(self, address: str) -> None:
        if len(self.pages) >= MAX_PAGES:
            raise _Enough(f"it lists more than {MAX_PAGES:,} pages")
        self.pages.append(address)

    def _end_in_image(self, name: str, text: str) -> None:
        if name == "loc":
            self._image = text or None
        elif name == "caption" or (name == "title" and self._caption is None):
            self._caption = text_of(text)
        elif name == "image":
            self._inside = "url"
            if len(self.images) >= MAX_IMAGES:
                raise _Enough(f"it lists more than {MAX_IMAGES:,} images")
            if self._image is not None:
                self.images.append(SitemapImage(self._image, self._page, self._caption))

    def close(self) -> None:
        """The parser calls this at the end."""


def _local(tag: str) -> str:
    """Returns a tag's name without its namespace, or without its prefix if the namespace is not declared."""
    return tag.rpartition("}")[2].rpartition(":")[2]
