"""Records hold the outcome of every candidate, kept or rejected. No candidate is lost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter

from shared.records.candidates import Candidate
from shared.records.consent import Consent
from shared.records.facts import ImageFacts
from shared.text.packed_lines import pack, unpack


class Reason(StrEnum):
    """Why a candidate was rejected. The value is the word that users see and filter by."""

    # the address
    INVALID_URL = "invalid_url"
    FORBIDDEN_ADDRESS = "forbidden_address"
    ROBOTS_DENIED = "robots_denied"
    OPTED_OUT = "opted_out"
    # the transfer
    DNS_FAILED = "dns_failed"
    CONNECTION_FAILED = "connection_failed"
    TLS_FAILED = "tls_failed"
    TIMED_OUT = "timed_out"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    HTTP_ERROR = "http_error"
    NOT_FOUND = "not_found"
    TRANSFER_BROKEN = "transfer_broken"
    TOO_MANY_BYTES = "too_many_bytes"
    EMPTY_BODY = "empty_body"
    # the file
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    TOO_MANY_PIXELS = "too_many_pixels"
    # the spec's filters
    FORMAT_FILTERED = "format_filtered"
    LICENSE_FILTERED = "license_filtered"
    TOO_SMALL = "too_small"
    ASPECT_RATIO = "aspect_ratio"
    SCORE_FILTERED = "score_filtered"
    AI_FILTERED = "ai_filtered"
    FACE_FILTERED = "face_filtered"
    NSFW_FILTERED = "nsfw_filtered"
    # the selection over the whole job
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    PERCENTILE_FILTERED = "percentile_filtered"
    OVER_LIMIT = "over_limit"
    # the machinery
    CRASHED = "crashed"

    @property
    def transient(self) -> bool:
        """Whether another attempt may end differently. A job's retry takes only these candidates."""
        return self in _TRANSIENT


_TRANSIENT = frozenset(
    {
        Reason.DNS_FAILED,
        Reason.CONNECTION_FAILED,
        Reason.TIMED_OUT,
        Reason.RATE_LIMITED,
        Reason.SERVER_ERROR,
        Reason.TRANSFER_BROKEN,
        Reason.CRASHED,
    }
)


KEPT: Final = "kept"
"""The outcome of an image in the dataset, in counts and in delivered files. For other images the outcome is the
reason.
"""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The outcome of a candidate that is not in the dataset. `detail` is one line for people, written by the app."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """The outcome of a candidate whose image was stored as `facts.size_bytes` bytes of blob `shard` at `offset`."""

    shard: str
    offset: int
    facts: ImageFacts


@dataclass(frozen=True, slots=True)
class Record:
    """Holds one candidate and its outcome. Records are sorted by `index`, the candidate's place in the job, from 0.

    `consent` holds the answers of the signals that were looked for. It is None if the candidate was rejected before.
    `etag` and `last_modified` are the version that the host gave of the image, as it wrote them.
    `gone` is true if a refresh keeps an image that its sources no longer list, or that its host no longer has.
    """

    index: int
    candidate: Candidate
    outcome: Kept | Rejected
    final_url: str | None = None
    fetched_at: str | None = None
    consent: Consent | None = None
    etag: str = ""
    last_modified: str = ""
    gone: bool = False


_adapter = TypeAdapter(Record)


def encode_records(records: Iterable[Record]) -> bytes:
    """Encodes records as packed JSON lines. Fields at their default are left out."""
    return pack(_adapter.dump_json(record, exclude_defaults=True) for record in records)


def decode_records(data: bytes) -> Iterator[Record]:
    """Decodes what `encode_records` encoded."""
    return map(_adapter.validator.validate_json, unpack(data))
