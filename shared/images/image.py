"""Defines the images that people look at: kept images of a dataset, or of a job before it has a dataset."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from shared.jobs.job.chunk_ids import CHUNK_ID
from shared.jobs.ledger.record_pieces import Line, Place
from shared.records.candidates import StoredRange
from shared.records.licenses import UNKNOWN
from shared.records.records import KEPT

IMAGE_ID: Final = rf"(?:r[1-9][0-9]{{0,8}}-[0-9]{{1,15}}|c{CHUNK_ID})-[0-9]{{1,9}}"
"""The regular expression of all ids of images."""

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "avif": "image/avif",
}
"""The media type of each format that is shown. No browser runs code in any of them."""

_ID = re.compile(
    rf"(?:r(?P<revision>[0-9]+)-(?P<offset>[0-9]+)|c(?P<chunk>{CHUNK_ID}))-(?P<line>[0-9]+)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class KeptFacts:
    """What the record of a kept image says. `shared.records` describes the fields.

    `blob` is the file that holds the bytes: of a dataset, a name below its prefix.
    """

    index: int
    label: str
    url: str
    source: str
    format: Annotated[str, Field(pattern="^[a-z0-9]{1,10}$")]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    size_bytes: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    blob: str
    offset: Annotated[int, Field(ge=0)] = 0
    split: str | None = None
    caption: str | None = None
    title: str | None = None
    page_url: str | None = None
    creator: str | None = None
    creator_url: str | None = None
    license: str = UNKNOWN
    license_url: str | None = None
    attribution: str | None = None
    sharpness: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    entropy: float = 0.0
    aspect_ratio: float = 0.0
    bytes_per_pixel: float = 0.0
    relevance: float | None = None
    outlier: str = ""
    dominant_color: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")] = "#000000"


@dataclass(frozen=True, slots=True)
class DerivedFolder:
    """Where blobs are stored that are derived from the images of a user's dataset or job: below `prefix`.

    `exists` returns whether the dataset or the job still exists. A call that has stored a blob checks this, so that a
    deletion at the same time leaves no blob behind. `dataset_id` is empty for a job.
    """

    prefix: str
    user_id: str
    exists: Callable[[], Awaitable[bool]]
    dataset_id: str = ""


@dataclass(frozen=True, slots=True)
class KeptImage:
    """One image that can be shown. `id` stays valid as long as its records, and always names the same bytes."""

    id: str
    facts: KeptFacts
    stored: StoredRange
    folder: DerivedFolder = field(repr=False, compare=False)


type Measure = Literal["pixels", "width", "height", "sharpness", "brightness"]

TEXTS: Final = ("label", "split", "license", "source")
"""The texts by which images are filtered: fields of their records, and of `ImageFilter`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The allowed range of one measure of an image, such as its width. It includes both ends; None means no limit."""

    name: Measure
    least: float | None = None
    most: float | None = None

    def include(self, line: Line) -> bool:
        """Returns whether the measure of the image in this record is within the range."""
        value = (
            _number(line, "width") * _number(line, "height")
            if self.name == "pixels"
            else _number(line, self.name)
        )
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """The conditions for an image to be in a page. All of them hold; an empty text sets no condition."""

    label: str = ""
    split: str = ""
    license: str = ""
    source: str = ""
    ranges: tuple[Limits, ...] = ()

    def matches(self, line: Line) -> bool:
        """Returns whether the record is that of a kept image, and meets all conditions."""
        if line.get("outcome") != KEPT:
            return False
        if any(text and line.get(name) != text for name, text in self._texts):
            return False
        return all(limits.include(line) for limits in self.ranges)

    @property
    def _texts(self) -> tuple[tuple[str, str], ...]:
        return (
            ("label", self.label),
            ("split", self.split),
            ("license", self.license),
            ("source", self.source),
        )


def _number(line: Line, name: str) -> float:
    value = line.get(name)
    return value if isinstance(value, int | float) else 0.0


def encode_id(place: Place) -> str:
    """Returns the id of the image whose record is at this place: that of its line, from 0."""
    piece = f"r{place.revision}-{place.offset}" if place.revision else f"c{place.chunk}"
    return f"{piece}-{place.lines}"


def decode_id(text: str) -> Place | None:
    """Reverses `encode_id`; returns None if the text is no id of an image."""
    if re.fullmatch(IMAGE_ID, text) is None or (found := _ID.fullmatch(text)) is None:
        return None
    revision, offset = int(found["revision"] or 0), int(found["offset"] or 0)
    return Place(int(found["line"]), found["chunk"] or "", revision, offset)


_facts = TypeAdapter(KeptFacts)


def facts_of(line: Line) -> KeptFacts:
    """Returns what a record says of its image.

    Raises:
        ValueError: it is no record of a kept image.
    """
    return _facts.validate_python(line)
