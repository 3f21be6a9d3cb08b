"""Reads the pictures and links of an HTML page from a stream of tags, so that deep nesting costs nothing."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from yarl import URL

from shared.sources.website.charset import address_in_page, in_utf8, page_encoding
from shared.sources.website.elements import (
    MAX_TEXT,
    Attributes,
    counts_visitors,
    is_image_file,
    line_of,
    picture_of,
    relations_of,
)
from shared.sources.website.head import Head
from shared.sources.website.picture import LINKED, Picture, resolve
from shared.web.addresses.urls import address_key, tidy
from shared.web.wishes.declared import directives
from shared.web.wishes.texts.licence_links import MOST_LINKS, RSL_TYPE

MAX_IMAGES = 2000
MAX_LINKS = 5000


@dataclass(frozen=True, slots=True)
class PageImage:
    """A picture that a page shows or links to."""

    url: str
    caption: str | None


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """Holds a page's distinct pictures, and its links, in order and without fragments.

    `directives` are those of its robots meta elements. `tdm_reservation` is the value of that meta element. `licences`
    are the addresses of the RSL licences that its link elements name, and `written_licences` those in its scripts.
    `cut` is true if the page has more pictures or links than are read.
    """

    title: str | None
    images: tuple[PageImage, ...]
    links: tuple[str, ...]
    directives: frozenset[str]
    tdm_reservation: str | None
    licences: tuple[str, ...]
    written_licences: tuple[str, ...]
    cut: bool


def read_html(
    body: bytes, url: URL, content_type: str, *, nofollow: bool, formats: Collection[str]
) -> HtmlPage:
    """Reads a page, however broken it is. With `nofollow`, links that carry rel=nofollow are left out.

    Each picture is represented by a version in one of the `formats`, if it has one.

    Time and memory are linear in the body's length. The encoding is the one that browsers find (`page_encoding`).
    Bytes that are not valid in it affect only their own characters.
    """
    found = page_encoding(body, content_type)
    encoding = found.name
    reader = _parse(in_utf8(body, encoding), nofollow=nofollow)
    declared = None if found.certain else reader.head.encoding
    if declared is not None and declared != encoding:
        encoding = declared
        reader = _parse(in_utf8(body, encoding), nofollow=nofollow)
    return reader.page(url, encoding, formats)


def _parse(text: bytes, *, nofollow: bool) -> "_Reader":
    from lxml import etree

    reader = _Reader(nofollow=nofollow)
    parser = etree.HTMLParser(target=reader, encoding="utf-8")
    parser.feed(text)
    parser.close()
    return reader


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
    """A target of lxml's parser. It receives tags and text, and notes pictures and links."""

    def __init__(self, *, nofollow: bool) -> None:
        self._nofollow = nofollow
        self.head = Head()
        self._pictures: list[Picture] = []
        self._links: list[str] = []
        self._cut = False
        self._anchor: _Anchor | None = None
        self._figure: _Figure | None = None
        self._sources: list[Attributes] | None = None
        self._script: list[str] | None = None
        # collects text, in addition to the anchor
        self._text: list[str] | None = None
        self._starts = {
            "a": self._start_a,
            "area": self._start_a,
            "amp-img": self._start_img,
            "base": self.head.add_base,
            "figcaption": self._start_figcaption,
            "figure": self._start_figure,
            "img": self._start_img,
            "link": self._start_link,
            "meta": self.head.add_meta,
            "picture": self._start_picture,
            "script": self._start_script,
            "source": self._start_source,
            "title": self._start_title,
        }
        self._ends = {
            "a": self._end_a,
            "figcaption": self._end_text,
            "figure": self._end_figure,
            "picture": self._end_picture,
            "script": self._end_script,
            "title": self._end_text,
        }

    # methods that the parser calls

    def start(self, tag: str, attributes: Any) -> None:
        begin = self._starts.get(tag)
        if begin is not None:
            begin(dict(attributes))

    def end(self, tag: str) -> None:
        finish = self._ends.get(tag)
        if finish is not None:
            finish()

    def data(self, text: str) -> None:
        if self._script is not None:
            self._script.append(text)
            return
        for target in (self._text, self._anchor.text if self._anchor else None):
            if target is not None and len(target) < MAX_TEXT:
                target.append(text[:MAX_TEXT])

    def close(self) -> None:
        self._end_a()
        self._end_figure()

    # pictures

    def _start_img(self, attributes: Attributes) -> None:
        if counts_visitors(attributes):
            return
        if len(self._pictures) >= MAX_IMAGES:
            self._cut = True
            return
        picture = picture_of(attributes, self._sources or ())
        self._pictures.append(picture)
        if self._anchor is not None:
            self._anchor.pictures.append(picture)
        if self._figure is not None:
            self._figure.pictures.append(picture)

    def _start_picture(self, _: Attributes) -> None:
        self._sources = []

    def _start_source(self, attributes: Attributes) -> None:
        if self._sources is not None and len(self._sources) < 100:
            self._sources.append(attributes)

    def _end_picture(self) -> None:
        self._sources = None

    def _start_figure(self, _: Attributes) -> None:
        self._end_figure()
        self._figure = _Figure()

    def _start_figcaption(self, _: Attributes) -> None:
        if self._figure is not None:
            self._text = self._figure.text

    def _end_figure(self) -> None:
        if self._figure is not None:
            caption = line_of("".join(self._figure.text))
            for picture in self._figure.pictures:
                picture.caption = picture.caption or caption
        self._figure = None

    # text and links

    def _start_title(self, _: Attributes) -> None:
        if not self.head.title:
            self._text = self.head.title

    def _end_text(self) -> None:
        self._text = None

    def _start_link(self, attributes: Attributes) -> None:
        self.head.add_link(attributes)
        if "next" in relations_of(attributes):
            self._add_link(attributes.get("href", ""))

    def _start_script(self, attributes: Attributes) -> None:
        if attributes.get("type", "").strip().lower() == RSL_TYPE:
            self._script = []

    def _end_script(self) -> None:
        script, self._script = self._script, None
        if script is not None and len(self.head.written_licences) < MOST_LINKS:
            self.head.written_licences.append("".join(script))

    def _start_a(self, attributes: Attributes) -> None:
        self._end_a()
        if "href" in attributes:
            follow = not (self._nofollow and "nofollow" in relations_of(attributes))
            self._anchor = _Anchor(tidy(attributes["href"]), follow)

    def _end_a(self) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor is None or not anchor.follow:
            return
        if not is_image_file("/" + anchor.href.partition("?")[0].partition("#")[0]):
            self._add_link(anchor.href)
            return
        # the picture is a small version of the file that it links to
        if len(anchor.pictures) == 1:
            anchor.pictures[0].offer(anchor.href, LINKED)
        elif len(self._pictures) < MAX_IMAGES:
            self._pictures.append(Picture(caption=line_of("".join(anchor.text))))
            self._pictures[-1].offer(anchor.href, LINKED)
        else:
            self._cut = True

    def _add_link(self, href: str) -> None:
        if len(self._links) < MAX_LINKS:
            self._links.append(href)
        else:
            self._cut = True

    # the outcome

    def page(self, url: URL, encoding: str, formats: Collection[str]) -> HtmlPage:
        """Returns the page in this encoding. Its addresses are resolved against `url` or the page's own base."""
        head = self.head
        base = resolve(url, head.base) or url if head.base else url
        images: dict[str, PageImage] = {}
        for picture in [*head.pictures, *self._pictures]:
            found = picture.best(base, encoding, formats)
            if found is None:
                continue
            known = images.get(address_key(found))
            if known is None or not known.caption:
                images[address_key(found)] = PageImage(found, picture.caption)
        links = [
            link
            for href in self._links
            if (link := resolve(base, address_in_page(href, encoding))) is not None
        ]
        licences = [resolve(base, address_in_page(href, encoding)) for href in head.licences]
        return HtmlPage(
            title=line_of("".join(head.title)),
            images=tuple(images.values()),
            links=tuple(dict.fromkeys(str(link) for link in links)),
            directives=directives(head.robots),
            tdm_reservation=head.tdm_reservation,
            licences=tuple(str(licence) for licence in licences if licence is not None),
            written_licences=tuple(head.written_licences),
            cut=self._cut,
        )
