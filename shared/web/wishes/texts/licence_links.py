"""Reads which RSL licences the Link headers of a response name (RFC 8288; RSL 1.0, 4.5)."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

RSL_TYPE: Final = "application/rsl+xml"
"""The media type that tells RSL licences from others, such as those for people."""

MOST_LINKS: Final = 5
"""How many licences of a response, or of a page, are read."""

_MOST_CHARACTERS = 10_000
_LINK = re.compile(r"<([^<>]*+)>([^<]*+)")
# a quoted value may have escaped quotes; nothing is tried twice, so the time is linear
_PARAMETER = re.compile(r';\s*+([\w!#$&+.^`|~*-]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s",;]*+))')


def licence_links(values: Iterable[str]) -> tuple[str, ...]:
    """Returns the addresses of RSL licences in the values of Link headers, as they are written: the first five.

    Links about something else than the response, which have an `anchor`, are left out.
    """
    found = dict.fromkeys(name for value in values for name in _licences(value[:_MOST_CHARACTERS]))
    return tuple(found)[:MOST_LINKS]


def _licences(value: str) -> Iterator[str]:
    for link in _LINK.finditer(value):
        parameters: dict[str, str] = {}
        for each in _PARAMETER.finditer(link[2]):
            # the first of several counts
            parameters.setdefault(each[1].lower(), each[2] if each[2] is not None else each[3])
        is_licence = "license" in parameters.get("rel", "").lower().split()
        is_rsl = parameters.get("type", "").strip().lower() == RSL_TYPE
        if is_licence and is_rsl and "anchor" not in parameters:
            yield link[1].strip()
