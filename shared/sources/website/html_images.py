"""What pictures an HTML page shows, and where it leads; read as a stream of tags, so that depth costs nothing."""

import codecs
import re
from dataclasses import dataclass, field
from typing import Any

from yarl import URL

from shared.sources.fields import text_of
from shared.sources.website.picture import LATER, LINKED, PLAIN, Picture, resolve
from shared.web.opt_out import AGENT_TOKEN, directives
from shared.web.urls import address_key

MAX_IMAGES = 2000
MAX_LINKS = 5000
_MAX_TEXT = 2000
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([a-z0-9_.:-]{1,40})", re.IGNORECASE)
_LATIN = frozenset(
    {"iso-8859-1", "iso8859-1", "latin1", "latin-1", "ascii", "us-ascii"}
)  # the web's windows-1252
_IMAGE_FILE = re.compile(
    r"/[^/:]*\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif)$", re.IGNORECASE
)  # no wiki's "File:x.jpg"
_LAZY_SETS = ("data-srcset", "data-lazy-srcset", "data-original-set", "srcset")
_LAZY = (
    "data-orig-file",
    "data-large_image",
    "data-full-src",
    "data-hi-res-src",
    "data-original",
    "data-lazy-src",
    "data-src",
    "data-lazy",
)
type _Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class PageImage:
    """A picture that a page shows or links to."""

    url: str
    caption: str | None


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """What a page says: its pictures, once each, and its links, in their order and without fragments.

    `directives` are those of its robots meta elements; `tdm_reservation` is that meta element's value. `cut` tells
    that it has more pictures or links than are read.
    """

    title: str | None
    images: tuple[PageImage, ...]
    links: tuple[str, ...]
    directives: frozenset[str]
    tdm_reservation: str | None
    cut: bool


def read_html(body: bytes, url: URL, content_type: str, *, nofollow: bool) -> HtmlPage:
    """Read a page, however broken it is; with `nofollow`, links that carry rel=nofollow are left out.

    Time and memory are linear in the body's length. The charset is the byte order mark's, the header's, the
    page's own, or UTF-8 where the body is that, else windows-1252.
    """
    from lxml import etree

    reader = _Reader(nofollow=nofollow)
    try:
        parser = etree.HTMLParser(target=reader, encoding=_encoding(body, content_type))
    except LookupError:
        parser = etree.HTMLParser(target=reader, encoding=_encoding(body, ""))
    parser.feed(body)
    parser.close()
    return reader.page(url)


def is_image_file(url: URL) -> bool:
    """Whether the address is one of an image file, by its ending."""
    return _IMAGE_FILE.search(url.raw_path) is not None


def _encoding(body: bytes, content_type: str) -> str | None:
    """The charset for the parser; None where it finds out by itself: by byte order mark or meta element."""
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


@dataclass(slots=True)
class _Anchor:
    href: str
    follow: bool
    pictures: list[Picture] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Figure:
    pictures: list[Picture] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class _Reader:
    """A target of lxml's parser: is told of tags and text, and notes what concerns pictures and links."""

    def __init__(self, *, nofollow: bool) -> None:
        self._nofollow = nofollow
        self._base: str | None = None
        self._title: list[str] = []
        self._open_graph: list[Picture] = []
        self._cards: list[Picture] = []
        self._pictures: list[Picture] = []
        self._links: list[str] = []
        self._robots: list[str] = []
        self._tdm: str | None = None
        self._cut = False
        self._anchor: _Anchor | None = None
        self._figure: _Figure | None = None
        self._sources: list[_Attributes] | None = None
        self._text: list[str] | None = None  # where text goes, beside the anchor
        self._starts = {
            "a": self._start_a,
            "area": self._start_a,
            "amp-img": self._start_img,
            "base": self._start_base,
            "figcaption": self._start_figcaption,
            "figure": self._start_figure,
            "img": self._start_img,
            "link": self._start_link,
            "meta": self._start_meta,
            "picture": self._start_picture,
            "source": self._start_source,
            "title": self._start_title,
        }
        self._ends = {
            "a": self._end_a,
            "figcaption": self._end_text,
            "figure": self._end_figure,
            "picture": self._end_picture,
            "title": self._end_text,
        }

    # what the parser calls

    def start(self, tag: str, attributes: Any) -> None:
        begin = self._starts.get(tag)
        if begin is not None:
            begin(dict(attributes))

    def end(self, tag: str) -> None:
        finish = self._ends.get(tag)
        if finish is not None:
            finish()

    def data(self, text: str) -> None:
        for target in (self._text, self._anchor.text if self._anchor else None):
            if target is not None and len(target) < _MAX_TEXT:
                target.append(text[:_MAX_TEXT])

    def close(self) -> None:
        self._end_a()
        self._end_figure()

    # pictures

    def _start_img(self, attributes: _Attributes) -> None:
        if _is_pixel(attributes):
            return
        if len(self._pictures) >= MAX_IMAGES:
            self._cut = True
            return
        picture = Picture(caption=_text(attributes.get("alt")))
        for source in self._sources or ():
            for name in _LAZY_SETS:
                picture.offer_set(source.get(name), source.get("type", ""))
        for name in _LAZY_SETS:
            picture.offer_set(attributes.get(name))
        for name in _LAZY:
            picture.offer(attributes.get(name), LATER)
        picture.offer(attributes.get("src"), PLAIN)
        self._pictures.append(picture)
        if self._anchor is not None:
            self._anchor.pictures.append(picture)
        if self._figure is not None:
            self._figure.pictures.append(picture)

    def _start_picture(self, _: _Attributes) -> None:
        self._sources = []

    def _start_source(self, attributes: _Attributes) -> None:
        if self._sources is not None and len(self._sources) < 100:
            self._sources.append(attributes)

    def _end_picture(self) -> None:
        self._sources = None

    def _start_figure(self, _: _Attributes) -> None:
        self._end_figure()
        self._figure = _Figure()

    def _start_figcaption(self, _: _Attributes) -> None:
        if self._figure is not None:
            self._text = self._figure.text

    def _end_figure(self) -> None:
        if self._figure is not None:
            caption = _text("".join(self._figure.text))
            for picture in self._figure.pictures:
                picture.caption = picture.caption or caption
        self._figure = None

    # the head

    def _start_base(self, attributes: _Attributes) -> None:
        if self._base is None:
            self._base = attributes.get("href")

    def _start_title(self, _: _Attributes) -> None:
        if not self._title:
            self._text = self._title

    def _end_text(self) -> None:
        self._text = None

    def _start_meta(self, attributes: _Attributes) -> None:
        name = (attributes.get("property") or attributes.get("name") or "").strip().lower()
        content = attributes.get("content", "")[:10_000]
        if name in {"robots", AGENT_TOKEN} and len(self._robots) < 100:
            self._robots.append(content)
        elif name == "tdm-reservation":
            self._tdm = content
        elif name in {"og:image", "og:image:url"}:
            self._add_card(self._open_graph, content)
        elif name in {"twitter:image", "twitter:image:src"}:
            self._add_card(self._cards, content)
        elif name == "og:image:alt" and self._open_graph:
            self._open_graph[-1].caption = _text(content)
        elif name == "twitter:image:alt" and self._cards:
            self._cards[-1].caption = _text(content)

    @staticmethod
    def _add_card(cards: list[Picture], address: str) -> None:
        if len(cards) < 100:
            cards.append(Picture())
            cards[-1].offer(address, PLAIN)

    def _start_link(self, attributes: _Attributes) -> None:
        relations = attributes.get("rel", "").lower().split()
        if "next" in relations:
            self._add_link(attributes.get("href", ""))

    # links

    def _start_a(self, attributes: _Attributes) -> None:
        self._end_a()
        if "href" in attributes:
            follow = not (self._nofollow and "nofollow" in attributes.get("rel", "").lower().split())
            self._anchor = _Anchor(attributes["href"], follow)

    def _end_a(self) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor is None or not anchor.follow:
            return
        if not _IMAGE_FILE.search("/" + anchor.href.partition("?")[0].partition("#")[0]):
            self._add_link(anchor.href)
            return
        if len(anchor.pictures) == 1:  # the picture is a small version of what it links to
            anchor.pictures[0].offer(anchor.href, LINKED)
        elif len(self._pictures) < MAX_IMAGES:
            self._pictures.append(Picture(caption=_text("".join(anchor.text))))
            self._pictures[-1].offer(anchor.href, LINKED)
        else:
            self._cut = True

    def _add_link(self, href: str) -> None:
        if len(self._links) < MAX_LINKS:
            self._links.append(href)
        else:
            self._cut = True

    # the outcome

    def page(self, url: URL) -> HtmlPage:
        """The page, its addresses resolved against `url` or the page's own base."""
        base = resolve(url, self._base) or url if self._base else url
        images: dict[str, PageImage] = {}
        for picture in [*(self._open_graph or self._cards), *self._pictures]:
            found = picture.best(base)
            if found is None:
                continue
            known = images.get(address_key(found))
            if known is None or not known.caption:
                images[address_key(found)] = PageImage(found, picture.caption)
        links = [link for href in self._links if (link := resolve(base, href)) is not None]
        return HtmlPage(
            title=_text("".join(self._title)),
            images=tuple(images.values()),
            links=tuple(dict.fromkeys(str(link) for link in links)),
            directives=directives(self._robots),
            tdm_reservation=self._tdm,
            cut=self._cut,
        )


def _is_pixel(attributes: _Attributes) -> bool:
    """Whether the page shows the image so small that it only counts visitors."""
    sizes = [attributes.get(name, "").strip().removesuffix("px") for name in ("width", "height")]
    return all(size in {"0", "1", "2"} for size in sizes)


def _text(value: str | None) -> str | None:
    return text_of(" ".join((value or "")[: 4 * _MAX_TEXT].split()))
