"""Candidates are images that a source found and nobody has fetched yet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from shared.records.consent import Consent
from shared.records.licenses import UNKNOWN
from shared.records.packed_lines import pack, unpack

BLOB_SCHEME = "blob:"
"""The start of a candidate's address if the image is in storage already; the blob's name follows."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Says where an image comes from and under which terms. It holds what the source declared, and no guesses.

    `license` is one of the normalised codes of `shared.records.licenses`, or "unknown" if the source declared none.
    """

    source: str
    page_url: str | None = None
    title: str | None = None
    creator: str | None = None
    creator_url: str | None = None
    license: str = UNKNOWN
    license_version: str | None = None
    license_url: str | None = None
    attribution: str | None = None


@dataclass(frozen=True, slots=True)
class StoredRange:
    """Says where an image's bytes are within a blob: `size` bytes from `offset`."""

    blob: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One image to fetch.

    `url` is http(s), or `blob:NAME` for an image that is in storage already. If an earlier job fetched the image,
    `stored` says where its bytes are. They are read from there, and `url` only says where the image came from.
    `width` and `height` are the source's claims, in pixels. `extra` holds the further columns of a URL list, which
    the record keeps unchanged. `consent` holds the answers of signals that the source has already looked for.
    """

    url: str
    label: str
    provenance: Provenance
    caption: str | None = None
    width: int | None = None
    height: int | None = None
    extra: dict[str, str] = field(default_factory=dict)
    stored: StoredRange | None = None
    consent: Consent | None = None

    @property
    def in_storage(self) -> bool:
        """Whether the image is in storage already, so that no host is asked for it."""
        return self.stored is not None or self.url.startswith(BLOB_SCHEME)


@dataclass(frozen=True, slots=True)
class NumberedCandidate:
    """A candidate and its index in the job, from 0, in the order of discovery."""

    index: int
    candidate: Candidate


_adapter = TypeAdapter(NumberedCandidate)


def encode_candidates(candidates: Iterable[NumberedCandidate]) -> bytes:
    """Encodes candidates as packed JSON lines. Fields at their default are left out."""
    return pack(_adapter.dump_json(candidate, exclude_defaults=True) for candidate in candidates)


def decode_candidates(data: bytes) -> Iterator[NumberedCandidate]:
    """Decodes what `encode_candidates` encoded."""
    for line in unpack(data):
        yield _adapter.validate_json(line)
