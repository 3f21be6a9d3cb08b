"""Candidates are images that a source found and nobody has fetched yet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from shared.records.consent import Consent
from shared.records.embedded import SILENT, Embedded
from shared.records.facts import ImageFacts
from shared.records.licenses import UNKNOWN
from shared.text.packed_lines import pack, unpack

BLOB_SCHEME = "blob:"
"""The start of a candidate's address if the image is in storage already; the blob's name follows."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Says where an image comes from and under which terms. It holds what the source declared, and no guesses.

    `license` is one of the normalised codes of `shared.records.licenses`, or "unknown" if the source declared none.
    `source_id` is the image's id at its source, if that has ids. Its address may change, but the id does not.
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
    source_id: str | None = None


@dataclass(frozen=True, slots=True)
class StoredRange:
    """Says where an image's bytes are within a blob: `size` bytes from `offset`."""

    blob: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the dataset that is refreshed says of an image.

    If it has the image, `facts` are those of the stored bytes, and `split` is the image's split. Otherwise `reason` and
    `detail` say why the image was rejected, and `same_as` and `same_as_dataset` name the image that it is a copy of.
    `listed` says whether the sources still list the image. The other fields are those of its record.
    """

    facts: ImageFacts | None = None
    split: str | None = None
    reason: str = ""
    detail: str = ""
    same_as: int | None = None
    same_as_dataset: str | None = None
    listed: bool = True
    final_url: str | None = None
    fetched_at: str | None = None
    etag: str = ""
    last_modified: str = ""

    @property
    def conditions(self) -> dict[str, str]:
        """The headers that ask for the image only if it has changed; none if its host gave no version of it."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One image to fetch.

    `url` is http(s), or `blob:NAME` for an image that is in storage already. If an earlier job fetched the image,
    `stored` says where its bytes are. They are read from there, and `url` only says where the image came from.
    `width` and `height` are the source's claims, in pixels. `extra` holds the further columns of a URL list, which
    the record keeps unchanged. `consent` holds the answers of signals that the source has already looked for. `known`
    is set if a refresh takes the candidate over from the dataset. `embedded` is what the file said about itself when an
    earlier job fetched it: the stored copy may have no metadata.
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
    known: Known | None = None
    embedded: Embedded = SILENT

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
