"""Finds out whether an image is opted out, by its addresses, its bytes or its perceptual hash."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

from shared.optouts.optout import OptOut, OptOutKind
from shared.web.addresses.urls import address_key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DETAIL = "somebody asked the operator not to use it"
"""The detail of the rejection. It does not say what was asked for: that may be about a person."""

_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


@dataclass(frozen=True)
class OptOutMatcher:
    """All opt-outs at one moment. A matcher without opt-outs is false, and callers can skip the work.

    `urls` are addresses without their schemes, because most hosts serve the same by http and https. Each of the
    `perceptual_hashes` has the number of bits in which others may differ from it.
    """

    urls: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    sha256: frozenset[str] = frozenset()
    perceptual_hashes: tuple[tuple[int, int], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, optouts: Iterable[OptOut]) -> Self:
        """Makes the matcher of these opt-outs."""
        values: dict[OptOutKind, set[str]] = {kind: set() for kind in OptOutKind}
        hashes: list[tuple[int, int]] = []
        for optout in optouts:
            if optout.kind is OptOutKind.PERCEPTUAL_HASH:
                hashes.append((int(optout.value, 16), optout.distance))
            else:
                values[optout.kind].add(
                    _place(optout.value) if optout.kind is OptOutKind.URL else optout.value
                )
        sets = {kind: frozenset(found) for kind, found in values.items()}
        return cls(sets[OptOutKind.URL], sets[OptOutKind.HOST], sets[OptOutKind.SHA256], tuple(hashes))

    def __bool__(self) -> bool:
        """Whether there is any opt-out."""
        return bool(self.urls or self.hosts or self.sha256 or self.perceptual_hashes)

    def refuses_address(self, *addresses: str | None) -> bool:
        """Returns whether one of an image's addresses, or that of its page, is opted out, or is on such a host."""
        if not self.urls and not self.hosts:
            return False
        places = [_place(address) for address in dict.fromkeys(addresses) if address]
        return any(place in self.urls or self._is_on_host(place) for place in places)

    def refuses_bytes(self, sha256: str) -> bool:
        """Returns whether a file with this hash, in lower-case hexadecimal digits, is opted out."""
        return sha256 in self.sha256

    def refuses_perceptual_hash(self, perceptual_hash: str) -> bool:
        """Returns whether a picture with this hash looks like one that is opted out; False if it has no hash."""
        if not self.perceptual_hashes or not perceptual_hash:
            return False
        import numpy as np

        hashes, distances = self._arrays
        differing = np.bitwise_count(hashes ^ np.uint64(int(perceptual_hash, 16)))
        return bool((differing <= distances).any())

    def refuses(self, addresses: Iterable[str | None], sha256: str, perceptual_hash: str) -> bool:
        """Returns whether an image with these addresses and hashes is opted out."""
        return (
            self.refuses_bytes(sha256)
            or self.refuses_perceptual_hash(perceptual_hash)
            or self.refuses_address(*addresses)
        )

    @cached_property
    def _arrays(self) -> "tuple[NDArray[np.uint64], NDArray[np.uint8]]":
        import numpy as np

        hashes = np.array([value for value, _ in self.perceptual_hashes], np.uint64)
        return hashes, np.array([distance for _, distance in self.perceptual_hashes], np.uint8)

    def _is_on_host(self, place: str) -> bool:
        authority = place.partition("/")[0]
        host = authority[1:].partition("]")[0] if authority[:1] == "[" else authority.partition(":")[0]
        labels = host.split(".")
        return bool(self.hosts) and any(
            ".".join(labels[start:]) in self.hosts for start in range(len(labels))
        )


def _place(address: str) -> str:
    """Returns an address without its scheme, in a form that is equal for all spellings, also of its query.

    It begins with the host, in lower case and IDNA form. It is empty if the text is no address of the web.
    """
    scheme, _, rest = address_key(address).partition("://")
    if scheme not in {"http", "https"}:
        return ""
    before, asks, query = rest.partition("?")
    return f"{before}{asks}{_ENCODED.sub(_spelling, query)}"


def _spelling(found: re.Match[str]) -> str:
    character = chr(int(found[0][1:], 16))
    return (
        character
        if character.isascii() and (character.isalnum() or character in "-._~")
        else found[0].upper()
    )


NO_OPTOUTS = OptOutMatcher()
