"""The rows of the index of a dataset: one for each image, and one for each copy of an image that was left out.

A row says where the record is, and has the numbers by which it is sorted, filtered and counted. Of texts it has the
CRC-32. Two texts may have the same CRC-32, so whoever reads a record checks it again.
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from shared.images.image import TEXTS, ImageFilter, facts_of
from shared.jobs.ledger.record_pieces import Line, Piece
from shared.records.records import Reason

type Rows = NDArray[np.void]

# the gzip member of the record, and its line in it
_PLACE = [("offset", "<i8"), ("size", "<i4"), ("line", "<i4")]

IMAGE: Final = np.dtype(
    [
        *_PLACE,
        ("index", "<i8"),
        ("width", "<i4"),
        ("height", "<i4"),
        ("sharpness", "<f4"),
        ("brightness", "<f4"),
        *((name, "<u4") for name in TEXTS),
    ]
)
"""A kept image: 56 bytes."""

COPY: Final = np.dtype(
    [
        *_PLACE,
        # how many members are before it
        ("member", "<i4"),
        ("reason", "<u4"),
        ("index", "<i8"),
        ("same_as", "<i8"),
        # of the earlier dataset that has the image, or 0
        ("dataset", "<u4"),
    ]
)
"""A candidate that was left out as a copy of another image: 44 bytes."""

COPY_REASONS: Final = (Reason.DUPLICATE, Reason.NEAR_DUPLICATE)
MOST_VALUES: Final = 1000
"""How many different values of a text an index counts: the most frequent ones of each part."""

_KEPT = ImageFilter()


@dataclass(slots=True)
class Counts:
    """How many images have each licence, each source, and each label (by split)."""

    licenses: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    labels: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """Counts the record of a kept image."""
        self.licenses[str(line.get("license") or "unknown")] += 1
        self.sources[str(line.get("source") or "")] += 1
        self.labels.setdefault(str(line.get("label")), Counter())[str(line.get("split") or "")] += 1

    def plus(self, other: "Counts") -> None:
        """Adds the counts of another part."""
        self.licenses.update(other.licenses)
        self.sources.update(other.sources)
        for label, splits in other.labels.items():
            self.labels.setdefault(label, Counter()).update(splits)

    def most_frequent(self, most: int) -> "Counts":
        """Returns the counts of the most frequent values, the most frequent first."""
        labels = sorted(self.labels.items(), key=lambda item: -item[1].total())
        return Counts(
            Counter(dict(self.licenses.most_common(most))),
            Counter(dict(self.sources.most_common(most))),
            dict(labels[:most]),
        )


@dataclass(frozen=True, slots=True)
class _Head:
    images: int
    copies: int
    members: int
    counts: Counts


_head = TypeAdapter(_Head)


@dataclass(slots=True)
class Index:
    """The rows of some members of the records that follow each other, or of all."""

    images: Rows
    copies: Rows
    members: int
    counts: Counts

    @classmethod
    def of(cls, piece: Piece) -> Self:
        """Returns the index of one member.

        Raises:
            ValueError: a record is not valid.
        """
        counts = Counts()
        for line in piece.lines:
            if _KEPT.matches(line):
                counts.add(line)
        images = np.array(list(_images(piece)), IMAGE)
        return cls(images, np.array(list(_copies(piece)), COPY), 1, counts)

    @classmethod
    def joined(cls, parts: "list[Index]") -> Self:
        """Returns the index of parts that follow each other, the first of which begins with the first member."""
        counts, members, copies = Counts(), 0, [np.empty(0, COPY)]
        for part in parts:
            moved = part.copies.copy()
            moved["member"] += members
            copies.append(moved)
            members += part.members
            counts.plus(part.counts)
        images = np.concatenate([np.empty(0, IMAGE), *(part.images for part in parts)])
        return cls(images, np.concatenate(copies), members, counts)

    def pack(self) -> bytes:
        """Returns the index as bytes. They are a fifth to a half as large as the rows."""
        counts = self.counts.most_frequent(MOST_VALUES)
        head = _head.dump_json(_Head(len(self.images), len(self.copies), self.members, counts))
        return zlib.compress(head + b"\n" + self.images.tobytes() + self.copies.tobytes(), 1)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Reverses `pack`.

        Raises:
            zlib.error: the data are garbled.
            ValueError: they are no index.
        """
        text, _, rows = zlib.decompress(data).partition(b"\n")
        head = _head.validate_json(text)
        images = np.frombuffer(rows, IMAGE, head.images)
        copies = np.frombuffer(rows, COPY, head.copies, images.nbytes)
        return cls(images, copies, head.members, head.counts)


@lru_cache(maxsize=4096)
def crc32(text: str) -> int:
    """Returns the CRC-32 of a text, which may have any code points."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def _images(piece: Piece) -> Iterator[tuple[object, ...]]:
    for number, line in enumerate(piece.lines):
        if _KEPT.matches(line):
            facts = facts_of(line)
            place = (piece.begin.offset, piece.size_bytes, number)
            numbers = (facts.index, facts.width, facts.height, facts.sharpness, facts.brightness)
            yield (*place, *numbers, *_texts(line))


def _copies(piece: Piece) -> Iterator[tuple[object, ...]]:
    for number, line in enumerate(piece.lines):
        # duplicates of one address, which were never fetched, name no other image
        if line.get("reason") in COPY_REASONS and "same_as" in line:
            place = (piece.begin.offset, piece.size_bytes, number, 0, crc32(str(line["reason"])))
            dataset = crc32(str(line["same_as_dataset"])) if "same_as_dataset" in line else 0
            yield (*place, line.get("index"), line["same_as"], dataset)


def _texts(line: Mapping[str, object]) -> Iterator[int]:
    return (crc32(str(line.get(name) or "")) for name in TEXTS)
