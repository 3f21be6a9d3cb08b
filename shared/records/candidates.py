"""Candidates: images that a source found and nobody has fetched yet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from shared.records.packed_lines import pack, unpack


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an image comes from and under which terms; everything that the source told, nothing guessed.

    `license` is one of the normalised codes of `shared.records.licenses` ("unknown" where nothing was said).
    """

    source: str
    page_url: str | None = None
    title: str | None = None
    creator: str | None = None
    creator_url: str | None = None
    license: str = "unknown"
    license_version: str | None = None
    license_url: str | None = None
    attribution: str | None = None


@dataclass(frozen=True, slots=True)
class StoredRange:
    """An image's bytes within a blob."""

    blob: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One image to fetch.

    `url` is http(s), or `blob:NAME` for an image that is in storage already. `stored` is where the image was stored
    when it was fetched before; then it is read from there, and `url` only says where it came from. `width` and
    `height` are what the source claims, in pixels. `extra` holds further columns of a URL list, kept in the record as
    they came.
    """

    url: str
    label: str
    provenance: Provenance
    caption: str | None = None
    width: int | None = None
    height: int | None = None
    extra: dict[str, str] = field(default_factory=dict)
    stored: StoredRange | None = None


@dataclass(frozen=True, slots=True)
class NumberedCandidate:
    """A candidate and its index in the job, from 0, in the order of discovery."""

    index: int
    candidate: Candidate


_adapter = TypeAdapter(NumberedCandidate)


def encode_candidates(candidates: Iterable[NumberedCandidate]) -> bytes:
    """As packed JSON lines; fields at their default are left out."""
    return pack(_adapter.dump_json(candidate, exclude_defaults=True) for candidate in candidates)


def decode_candidates(data: bytes) -> Iterator[NumberedCandidate]:
    """The reverse of `encode_candidates`."""
    for line in unpack(data):
        yield _adapter.validate_json(line)
