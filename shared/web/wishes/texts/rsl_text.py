"""Reads the files of Really Simple Licensing: whether a licence allows the training of AI free of charge.

Format: RSL 1.0 of 10 December 2025 (rslstandard.org). Each `content` element has a URL pattern and licences; the
longest pattern that matches counts. A licence allows our use if it prohibits and restricts nothing that concerns it and
costs nothing. If `server` names a licence server, it must be obtained there, even if it is free. Several licences are
offers, and one is enough; but if any of them prohibits the use, it is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from yarl import URL

from shared.errors import InvalidRequest
from shared.web.addresses.urls import parse_url
from shared.web.wishes.texts.path_patterns import LongestMatch, PathPattern

MAX_BYTES: Final = 512_000
_MAX_CONTENTS = 2_000
_MAX_TEXT = 10_000
_ROOT_BYTES = 10_000
_ADDRESS: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?//([^/?#]*)(.*)", re.DOTALL)
# our use, and the uses that contain it; `train-ai` is the word of earlier versions
_TRAINING: Final = frozenset({"all", "ai-all", "ai-train", "train-ai"})
_FREE: Final = frozenset({"free", "attribution"})


class Terms(IntEnum):
    """What a licence says about our use. Of several contents with the same pattern, the largest counts."""

    NONE = 0
    FREE = 1
    PAID = 2
    ON_REQUEST = 3
    RESTRICTED = 4
    NOT_PERMITTED = 5
    PROHIBITED = 6
    UNREADABLE = 7


DETAILS: Final = {
    Terms.PAID: "its licence asks for payment",
    Terms.ON_REQUEST: "its licence must be obtained from a server",
    Terms.RESTRICTED: "its licence is for some users or places only",
    Terms.NOT_PERMITTED: "its licence permits other uses only",
    Terms.PROHIBITED: "its licence prohibits the training of AI",
    Terms.UNREADABLE: "its licence cannot be read",
}
"""Why terms refuse, for people."""


@dataclass(frozen=True, slots=True)
class Licence:
    """The contents of an RSL file: the pattern of each, as it is written, and its terms.

    If `unreadable`, the file is RSL that is damaged, too large or hostile, so nobody can know what it permits.
    """

    contents: tuple[tuple[str, Terms], ...] = ()
    unreadable: bool = False

    @property
    def size_bytes(self) -> int:
        """About the memory that it takes."""
        return sum(300 + len(pattern) for pattern, _ in self.contents)

    def rules_for(self, url: URL) -> LongestMatch[Terms]:
        """Returns the terms for the paths of a URL's site. Patterns of other sites are left out."""
        origin = url.origin()
        found = ((_path_on(origin, pattern), terms) for pattern, terms in self.contents)
        rules = [(PathPattern.read(path), terms) for path, terms in found if path is not None]
        return LongestMatch(rules, Terms.NONE)


def read_licence(body: bytes) -> Licence | None:
    """Reads an RSL file, or returns None if the file is something else, such as a page.

    A document type declaration makes it unreadable. So no entity is ever expanded, and nothing is loaded.
    """
    from lxml import etree

    reader = _Reader()
    parser = etree.XMLParser(target=reader, resolve_entities=False, no_network=True, huge_tree=False)
    try:
        parser.feed(body)
        parser.close()
    except (etree.XMLSyntaxError, _Hostile):
        unreadable = True
    else:
        unreadable = len(body) >= MAX_BYTES
    if not (reader.is_rsl or b"rslstandard.org" in body[:_ROOT_BYTES]):
        return None
    return Licence((), unreadable=True) if unreadable else Licence(tuple(reader.contents))


class _Hostile(Exception):
    """The file has something that no licence needs."""


@dataclass(slots=True)
class _Offer:
    """A licence element."""

    permits: list[str] = field(default_factory=list)
    prohibits: list[str] = field(default_factory=list)
    restricted: bool = False
    permits_uses: bool = False
    paid: bool = False

    @property
    def terms(self) -> Terms:
        if not _TRAINING.isdisjoint(self.prohibits):
            return Terms.PROHIBITED
        if self.permits_uses and _TRAINING.isdisjoint(self.permits):
            return Terms.NOT_PERMITTED
        if self.restricted:
            return Terms.RESTRICTED
        return Terms.PAID if self.paid else Terms.FREE


@dataclass(slots=True)
class _Reader:
    """A target of lxml's parser. It holds what the file says so far, and no tree."""

    is_rsl: bool = False
    contents: list[tuple[str, Terms]] = field(default_factory=list)
    _path: list[str] = field(default_factory=list)
    _pattern: str = ""
    _on_request: bool = False
    _offers: list[_Offer] = field(default_factory=list)
    _type: str = ""
    _text: list[str] | None = None
    _length: int = 0

    def doctype(self, *_: object) -> None:
        raise _Hostile

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        self.is_rsl = self.is_rsl or (not self._path and name == "rsl")
        self._path.append(name)
        attributes = {_local(key): value for key, value in attributes.items()}
        if name == "content":
            self._pattern, self._offers = attributes.get("url", "").strip() or "/", []
            self._on_request = bool(attributes.get("server", "").strip())
        elif name == "license":
            self._offers.append(_Offer())
        elif name in {"permits", "prohibits"}:
            self._type = attributes.get("type", "usage").strip().lower()
            self._text, self._length = [], 0
        elif name == "payment" and self._offers:
            kind = attributes.get("type", "").strip().lower()
            self._offers[-1].paid = self._offers[-1].paid or (bool(kind) and kind not in _FREE)
            self._type = kind
        elif self._path[-2:-1] == ["payment"] and self._type not in _FREE and self._offers:
            # a standard or custom licence, or an amount
            self._offers[-1].paid = True

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
            self._length += len(text)
            if self._length > _MAX_TEXT:
                raise _Hostile

    def end(self, tag: str) -> None:
        name = _local(tag)
        del self._path[-1:]
        if name in {"permits", "prohibits"}:
            words = "".join(self._text or ()).replace(",", " ").lower().split()
            self._text = None
            if self._offers:
                self._take(self._offers[-1], name, words)
        elif name == "content" and (self._offers or self._on_request):
            if len(self.contents) >= _MAX_CONTENTS:
                raise _Hostile
            least = Terms.ON_REQUEST if self._on_request else Terms.NONE
            self.contents.append((self._pattern, max(least, _best(self._offers))))

    def _take(self, offer: _Offer, name: str, words: Sequence[str]) -> None:
        if self._type != "usage":
            offer.restricted = True
        elif name == "permits":
            offer.permits_uses = True
            offer.permits.extend(words)
        else:
            offer.prohibits.extend(words)

    def close(self) -> None:
        """The parser calls this at the end."""


def _best(offers: Sequence[_Offer]) -> Terms:
    terms = [offer.terms for offer in offers]
    return Terms.PROHIBITED if Terms.PROHIBITED in terms else min(terms, default=Terms.NONE)


def _path_on(origin: URL, pattern: str) -> str | None:
    """Returns the path of a pattern, or None if it is for another site.

    The format has addresses and paths. A pattern without a scheme and a first slash is read as a path, too.
    """
    address = _ADDRESS.match(pattern)
    if address is None:
        return pattern if pattern[0] in "/*" else f"/{pattern}"
    scheme, host, path = address.groups("")
    if scheme.lower() not in {"", "http", "https"}:
        return None
    return path or "/" if _is_host(origin, host) else None


def _is_host(origin: URL, pattern: str) -> bool:
    """Returns whether a host, perhaps with stars and a port, is that of the origin. Without a port, any port counts."""
    host, port = str(origin.raw_host), f":{origin.port}"
    if "*" in pattern:
        pieces = pattern.lower().removesuffix(port).split("*")
        return PathPattern(pieces[0], tuple(pieces[1:]), anchored=True).matches(host)
    try:
        named = parse_url(f"{origin.scheme}://{pattern}/")
    except InvalidRequest:
        return False
    same_port = named.port == origin.port or ":" not in pattern.rpartition("]")[2]
    return same_port and str(named.raw_host).rstrip(".") == host.rstrip(".")


def _local(tag: str) -> str:
    """Returns a tag's name without its namespace."""
    return tag.rpartition("}")[2].rpartition(":")[2].lower()
