"""Parses the srcset attribute by the HTML standard's algorithm (4.8.4.4.2, "parsing a srcset attribute")."""

import math
import re
from dataclasses import dataclass

_MAX_CHARACTERS = 500_000
_SPACE = " \t\n\f\r"
_URL = re.compile(r"[^ \t\n\f\r]+")
_INTEGER = re.compile(r"[0-9]{1,9}")
_FLOAT = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class SrcsetImage:
    """One image of an attribute: its width in pixels, or its density. The density is 1 if it has neither."""

    url: str
    width: int | None = None
    density: float | None = None


def parse_srcset(value: str) -> list[SrcsetImage]:
    """Returns the images in order, without those whose descriptors the standard calls errors. It never raises."""
    value = value[:_MAX_CHARACTERS]
    images: list[SrcsetImage] = []
    at = 0
    while True:
        while at < len(value) and value[at] in _SPACE + ",":
            at += 1
        found = _URL.match(value, at)
        if found is None:
            return images
        url, at = found[0], found.end()
        descriptors: list[str] = []
        if url.endswith(","):
            url = url.rstrip(",")
        else:
            descriptors, at = _descriptors(value, at)
        image = _image(url, descriptors)
        if image is not None:
            images.append(image)


def _descriptors(value: str, at: int) -> tuple[list[str], int]:
    """Returns the descriptors from `at` to the comma that ends them.

    Commas and spaces in parentheses are part of a descriptor.
    """
    found: list[str] = []
    current: list[str] = []
    inside = False
    while at < len(value):
        character = value[at]
        at += 1
        if not inside and (character == "," or character in _SPACE):
            if current:
                found.append("".join(current))
                current = []
            if character == ",":
                return found, at
            continue
        if character in "()":
            inside = character == "("
        current.append(character)
    if current:
        found.append("".join(current))
    return found, at


def _image(url: str, descriptors: list[str]) -> SrcsetImage | None:
    width: int | None = None
    density: float | None = None
    height = False
    for descriptor in descriptors:
        number, kind = descriptor[:-1], descriptor[-1]
        if kind == "w" and width is None and density is None and _INTEGER.fullmatch(number):
            width = int(number)
        elif kind == "x" and width is None and density is None and not height and _FLOAT.fullmatch(number):
            density = float(number)
        elif kind == "h" and not height and density is None and _INTEGER.fullmatch(number):
            height = int(number) > 0
        else:
            return None
    if width == 0 or (height and width is None):
        return None
    if density is not None and (density < 0 or not math.isfinite(density)):
        return None
    return SrcsetImage(url, width, density)
