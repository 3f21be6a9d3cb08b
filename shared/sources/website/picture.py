"""Holds one picture of a page and its addresses, and selects the address of the best version."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from yarl import URL

from shared.errors import InvalidRequest
from shared.sources.website.charset import address_in_page
from shared.sources.website.srcset import parse_srcset
from shared.web.addresses.urls import join_url, tidy

LINKED, SET, LATER, PLAIN = 3, 2, 1, 0
"""The quality of an address, from best to worst.

LINKED is the target of a small version's link, SET an entry of a set, LATER an address that a script will load, and
PLAIN an address that is shown until then.
"""

_NO_PICTURE = re.compile(r"\.(?:svgz?|ico)$", re.IGNORECASE)
_ENDING = re.compile(r"\.([a-z]{3,5})$", re.IGNORECASE)
_SPACE = " \t\n\f\r"
_FORMATS = {
    **{name: name for name in ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "jxl", "heic", "heif")},
    **dict.fromkeys(("jpg", "jpe", "jfif", "pjpeg"), "jpeg"),
    **dict.fromkeys(("apng", "x-png"), "png"),
    **dict.fromkeys(("dib", "x-ms-bmp", "x-bmp"), "bmp"),
    **dict.fromkeys(("svg", "svgz", "svg+xml"), "svg"),
    "tif": "tiff",
}
"""Formats by file ending, and by media type without "image/"."""


@dataclass(frozen=True, slots=True)
class _Address:
    """An address of a picture, the formats that its type and ending declare, and its rank."""

    text: str
    formats: tuple[str, ...]
    rank: tuple[int, float, float]


@dataclass(slots=True)
class Picture:
    """A picture as far as it is read. Each of its addresses has a rank."""

    addresses: list[_Address] = field(default_factory=list)
    caption: str | None = None

    def offer(
        self, address: str | None, tier: int, *, width: float = 0, density: float = 1, kind: str = ""
    ) -> None:
        """Adds an address. `kind` is its media type, if one is declared."""
        if address and address.lstrip()[:5].lower() != "data:":
            address = tidy(address)
            declared = tuple(_declared_formats(kind, address))
            self.addresses.append(_Address(address, declared, (tier, width, density)))

    def offer_set(self, srcset: str | None, kind: str = "") -> None:
        """Adds the addresses of a srcset attribute."""
        for image in parse_srcset(srcset or ""):
            density = 1.0 if image.density is None else image.density
            self.offer(image.url, SET, width=image.width or 0, density=density, kind=kind)

    def best(self, base: URL, encoding: str, formats: Collection[str]) -> str | None:
        """Returns the address of the best version, or None if there is none.

        A version in one of these formats is preferred, then the largest. An address without a declared format may be
        in one of them. `encoding` is the page's.
        """

        def rank(address: _Address) -> tuple[bool, int, float, float]:
            return (all(each in formats for each in address.formats), *address.rank)

        for address in sorted(self.addresses, key=rank, reverse=True):
            url = resolve(base, address_in_page(address.text, encoding))
            if url is not None and not _NO_PICTURE.search(url.raw_path):
                return str(url)
        return None


def _declared_formats(kind: str, address: str) -> Iterator[str]:
    """Yields the formats that a media type and a file's ending declare, if they declare any."""
    subtype = kind.partition(";")[0].strip().lower().removeprefix("image/")
    ending = _ENDING.search(address.partition("#")[0].partition("?")[0][-10:])
    for name in (subtype, ending[1].lower() if ending else ""):
        if name in _FORMATS:
            yield _FORMATS[name]


def resolve(base: URL, address: str) -> URL | None:
    """Returns the http(s) address, absolute and without a fragment, or None if it is not one."""
    if not address.strip(_SPACE):
        return None
    try:
        return join_url(base, address).with_fragment(None)
    except InvalidRequest:
        return None
