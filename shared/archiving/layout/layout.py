"""Computes where every byte of a file is, before the first one is written.

A file is a row of entries, with bytes around them that its format makes. Any range can be made without the bytes
before it. So many function instances can write one file at the same time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Data:
    """The bytes `low` to `high` of an entry's data."""

    entry: int
    low: int
    high: int


class Layout(Protocol):
    """Knows where everything is in one file."""

    @property
    def size(self) -> int:
        """The file's size in bytes."""
        ...

    def between(self, start: int, end: int) -> Iterator[bytes | Data]:
        """Yields the content from byte `start` to `end`, without gaps: the format's own bytes, and data of entries."""
        ...


class Names(Protocol):
    """The names of a file's entries, encoded. They are made on demand, because there may be millions."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The length of each name in bytes."""
        ...

    @property
    def ascii(self) -> bool:
        """Whether all names are ASCII."""
        ...

    def __getitem__(self, entry: int, /) -> bytes: ...


class NameList:
    """Names in a list."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [name.encode() for name in names]
        self.lengths = np.array([len(name) for name in self._names], np.int64)
        self.ascii = all(name.isascii() for name in self._names)

    def __getitem__(self, entry: int, /) -> bytes:
        return self._names[entry]


class PlainLayout:
    """The layout of a file that is the data of one entry."""

    def __init__(self, size: int) -> None:
        self.size = size

    def between(self, start: int, end: int) -> Iterator[bytes | Data]:
        """See `Layout.between`."""
        yield Data(0, start, end)


def cut(data: bytes, at: int, start: int, end: int) -> bytes:
    """Returns the part of `data` between `start` and `end`. `data` begins at byte `at` of the file."""
    return data[max(0, start - at) : max(0, end - at)]
