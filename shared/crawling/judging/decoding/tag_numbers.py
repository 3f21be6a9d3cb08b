"""Limits the numbers in the directories of a TIFF or of EXIF (TIFF 6.0, section 2; BigTIFF; Exif 2.32, 4.6.3).

Pillow makes an object of each number that it reads, and a tuple of each strip or tile. A TIFF of 20 MB with five
million strips took a minute and 1.6 GB.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

MAX_TIFF_NUMBERS: Final = 250_000
"""For all pages together. A picture of 50 million pixels in the smallest tiles, of 16 by 16 pixels, has 195,000."""

MAX_EXIF_NUMBERS: Final = 50_000

_DIRECTORIES = frozenset({34665, 34853, 40965})
"""The tags of the directories for EXIF, GPS and interoperability. Pillow reads all their numbers."""

_OCTETS = frozenset({1, 2, 7})
_OCTETS_AS_ONE = 1000
"""Octets and texts are only copied, so this many of them count as one number."""

_SIZES: Mapping[int, int] = {
    **dict.fromkeys((1, 2, 6, 7), 1),
    **dict.fromkeys((3, 8), 2),
    **dict.fromkeys((4, 9, 11, 13), 4),
    **dict.fromkeys((5, 10, 12, 16, 17, 18), 8),
}
"""The octets of a value, by its type. Pillow ignores other types."""

# Pillow does not read how long strips and tiles are
_UNREAD = frozenset({279, 325})
_FORMATS: Mapping[bool, tuple[str, str, str]] = {False: ("H", "HHII", "I"), True: ("Q", "HHQQ", "Q")}
"""The formats of a TIFF and of a BigTIFF, as in `_Layout`."""


def has_too_many_numbers(data: bytes, most: int) -> bool:
    """Returns whether the directories have more than `most` entries and numbers together.

    `data` begins with a TIFF's header. Directories count each time that another one leads to them.
    """
    left = most
    for numbers in _numbers(data):
        left -= numbers
        if left < 0:
            return True
    return False


def _numbers(data: bytes) -> Iterator[int]:
    """Yields how many numbers each entry has, plus one for the entry itself. Ends where the data is cut short."""
    layout = _Layout("<" if data.startswith(b"II") else ">", *_FORMATS[data[2:3] == b"+"])
    pages: set[int] = set()
    at = layout.first(data)
    while at and at not in pages:
        pages.add(at)
        waiting = [at]
        while waiting:
            for tag, kind, values, value in layout.entries(data, waiting.pop()):
                yield 1 + _count(data, tag, kind, values, value)
                if tag in _DIRECTORIES:
                    waiting.append(value)
        at = layout.next(data, at)


def _count(data: bytes, tag: int, kind: int, values: int, value: int) -> int:
    """Returns how many numbers an entry has. Pillow ignores an entry whose values are not in the file."""
    size = values * _SIZES.get(kind, 0)
    if tag in _UNREAD or (size > 8 and value + size > len(data)):
        return 0
    return values // _OCTETS_AS_ONE if kind in _OCTETS else values if size else 0


class _Layout(NamedTuple):
    """How directories are stored: the formats of `struct` for the number of entries, an entry and an offset."""

    order: str
    number: str
    entry: str
    offset: str

    def first(self, data: bytes) -> int:
        """Returns the offset of the first directory."""
        return self._number(self.offset, data, struct.calcsize(self.offset))

    def entries(self, data: bytes, at: int) -> Iterator[tuple[int, int, int, int]]:
        """Yields four numbers for each entry of the directory that begins at `at`.

        They are its tag, its type, how many values it has, and its value or the offset of its values.
        """
        start, form = at + struct.calcsize(self.number), f"{self.order}{self.entry}"
        for _ in range(self._number(self.number, data, at)):
            if start + struct.calcsize(form) > len(data):
                return
            yield struct.unpack_from(form, data, start)
            start += struct.calcsize(form)

    def next(self, data: bytes, at: int) -> int:
        """Returns the offset of the next page's directory, or 0."""
        entries = self._number(self.number, data, at) * struct.calcsize(f"={self.entry}")
        return self._number(self.offset, data, at + struct.calcsize(self.number) + entries)

    def _number(self, form: str, data: bytes, at: int) -> int:
        if at + struct.calcsize(form) > len(data):
            return 0
        return int(struct.unpack_from(f"{self.order}{form}", data, at)[0])
