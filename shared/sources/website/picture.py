"""One picture of a page, the addresses that it has, and which of them is its best version's."""

import re
from dataclasses import dataclass, field

from yarl import URL

from shared.errors import InvalidRequest
from shared.sources.website.charset import address_in_page
from shared.sources.website.srcset import parse_srcset
from shared.web.urls import join_url

LINKED, SET, LATER, PLAIN = 3, 2, 1, 0
"""How near to the best version an address is: what a small version links to, one of a set, the one that a script
will load, the one that stands there until then."""

_RARE = re.compile(r"\.(?:avif|jxl|heic|heif|svgz?)$|^image/(?:avif|jxl|heic|heif|svg)", re.IGNORECASE)
_NO_PICTURE = re.compile(r"\.(?:svgz?|ico)$", re.IGNORECASE)

_SPACE = " \t\n\f\r"

type _Rank = tuple[bool, int, float, float]


@dataclass(slots=True)
class Picture:
    """A picture as far as it is read: the addresses it has, each with how good it is."""

    addresses: list[tuple[_Rank, str]] = field(default_factory=list)
    caption: str | None = None

    def offer(
        self, address: str | None, tier: int, *, width: float = 0, density: float = 1, kind: str = ""
    ) -> None:
        """Add an address; `kind` is its media type where one is told."""
        if address and address[:5].lower() != "data:":
            common = not _RARE.search(kind) and not _RARE.search(address.partition("?")[0][-10:])
            self.addresses.append(((common, tier, width, density), address))

    def offer_set(self, srcset: str | None, kind: str = "") -> None:
        """Add the addresses of a srcset attribute."""
        for image in parse_srcset(srcset or ""):
            density = 1.0 if image.density is None else image.density
            self.offer(image.url, SET, width=image.width or 0, density=density, kind=kind)

    def best(self, base: URL, encoding: str) -> str | None:
        """The address of the best version: in a common format, then the largest; None where there is none.

        `encoding` is the page's.
        """
        for _, address in sorted(self.addresses, key=lambda item: item[0], reverse=True):
            url = resolve(base, address_in_page(address, encoding))
            if url is not None and not _NO_PICTURE.search(url.raw_path):
                return str(url)
        return None


def resolve(base: URL, address: str) -> URL | None:
    """The http(s) address, absolute and without a fragment; None where it is none."""
    if not address.strip(_SPACE):
        return None
    try:
        return join_url(base, address).with_fragment(None)
    except InvalidRequest:
        return None
