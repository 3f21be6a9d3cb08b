"""Reads and writes records.jsonl.gz (one line per candidate), and defines the checksums of a dataset's files.

Only this module knows the format. The archive step writes it, and jobs that use another dataset as a source read it.
"""

import gzip
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from operator import attrgetter
from typing import Literal

from pydantic import TypeAdapter

from shared.damage import reading
from shared.errors import Damaged
from shared.records.candidates import Candidate, Provenance, StoredRange
from shared.records.consent import Consent
from shared.records.embedded import SILENT, Embedded
from shared.records.facts import ImageFacts
from shared.records.licenses import UNKNOWN
from shared.records.records import KEPT, Kept, Record
from shared.text.gzip_members import BadGzip, GzipLimits, unzip_stream
from shared.text.json_lines import json_line

RECORDS = "records.jsonl.gz"
"""The file's name, below the prefix of a dataset's revision."""
DIFF = "diff.jsonl.gz"
"""The name of the file, beside the records, that says what a refresh has changed."""

_LIMITS = GzipLimits(max_bytes=20_000_000_000)
# a line usually has some hundred bytes; at most it has an address of 100 kB and 20 further texts
_MAX_LINE_BYTES = 4_000_000
SHA256_BYTES = 32
# zlib's wbits for a gzip member (RFC 1952)
_GZIP = 31


@dataclass(frozen=True, slots=True)
class Delivered:
    """One line of the file, with the fields that a later job needs.

    A line has the fields of `Record` and of its parts side by side, without empty fields. A kept image is
    `size_bytes` bytes of the dataset's file `blob` (a name below the dataset's prefix) at `offset`, and `file` is its
    name there. A rejected candidate has a `reason`. For a duplicate, `same_as` is the index of the copy that was
    preferred; that copy may itself be rejected. `same_as_dataset` names the dataset of that copy if it is another
    one. `consent` and `consent_at` are the parts of the image's `Consent`.
    """

    index: int
    label: str
    url: str
    outcome: Literal["kept", "rejected"]
    source: str
    license: str = UNKNOWN
    blob: str = ""
    offset: int = 0
    size_bytes: int = 0
    sha256: str = ""
    perceptual_hash: str = ""
    split: str | None = None
    caption: str | None = None
    page_url: str | None = None
    title: str | None = None
    creator: str | None = None
    creator_url: str | None = None
    license_version: str | None = None
    license_url: str | None = None
    attribution: str | None = None
    source_id: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    consent: str = ""
    consent_at: str = ""
    embedded: Embedded = SILENT

    @property
    def kept(self) -> bool:
        """Whether the image is in the dataset."""
        return self.outcome == KEPT

    def candidate(self, stored: StoredRange) -> Candidate:
        """Returns a candidate for this image that is read from where it is stored."""
        provenance = Provenance(**{name: getattr(self, name) for name in _PROVENANCE})
        return Candidate(
            self.url,
            self.label,
            provenance,
            self.caption,
            extra=dict(self.extra),
            stored=stored,
            consent=Consent(self.consent, self.consent_at) if self.consent else None,
            embedded=self.embedded,
        )


@dataclass(frozen=True, slots=True)
class FileChecksum:
    """The values that verify a file.

    `sha256` is that of the whole file, if one function wrote the file or could read all of it. A larger file has the
    SHA-256 of each range of `part_bytes`; the last range may be shorter.
    """

    size_bytes: int
    sha256: str | None
    part_bytes: int | None = None
    parts: tuple[str, ...] = ()


_PROVENANCE = tuple(Provenance.__slots__)
# the archive step adds embeddings to the lines of its images: other readers of lines would get some kilobytes each
_FACTS = tuple(name for name in ImageFacts.__slots__ if name not in {"embedded", "embedding"})
_provenance_of, _facts_of = attrgetter(*_PROVENANCE), attrgetter(*_FACTS)
_OF_CANDIDATE = (
    "index",
    "label",
    "url",
    "final_url",
    "fetched_at",
    "etag",
    "last_modified",
    "caption",
    "extra",
)
_OF_ALL = (*_OF_CANDIDATE, "outcome", "consent", "consent_at", *_PROVENANCE)
_OF_KEPT, _OF_REJECTED = (
    (*_OF_ALL, *_FACTS, "embedded"),
    (*_OF_ALL, "reason", "detail", "same_as", "same_as_dataset"),
)
_adapter = TypeAdapter(Delivered)


def fields_of(record: Record) -> dict[str, object]:
    """Returns the fields of a line that are known from the crawl alone, without empty fields.

    The crawl names the image that a candidate is a copy of only if a refresh has taken the copy over.
    """
    candidate, outcome, consent = record.candidate, record.outcome, record.consent
    if isinstance(outcome, Kept):
        facts = outcome.facts
        names, word, found = _OF_KEPT, KEPT, (*_facts_of(facts), facts.embedded.fields)
    else:
        known = candidate.known
        same = (known.same_as, known.same_as_dataset) if known is not None else (None, None)
        names, word, found = _OF_REJECTED, "rejected", (str(outcome.reason), outcome.detail, *same)
    values = (
        record.index,
        candidate.label,
        candidate.url,
        record.final_url,
        record.fetched_at,
        record.etag,
        record.last_modified,
        candidate.caption,
        candidate.extra,
        word,
        *((consent.answers, consent.checked_at) if consent is not None else (None, None)),
        *_provenance_of(candidate.provenance),
        *found,
    )
    return {name: value for name, value in zip(names, values, strict=True) if value or value == 0}


def encode_delivered(lines: Sequence[Mapping[str, object]]) -> bytes:
    """Encodes lines as one gzip member without a time. Several members in a row are one file (RFC 1952, 2.2).

    Most bytes of lines with embeddings are random digits. To look for repetitions in them would take most of the time
    in which a dataset is planned, so these lines are only coded by the frequencies of bytes.
    """
    if any("embedding" in line for line in lines):
        coder = zlib.compressobj(1, zlib.DEFLATED, _GZIP, strategy=zlib.Z_HUFFMAN_ONLY)
        return b"".join([*(coder.compress(json_line(line) + b"\n") for line in lines), coder.flush()])
    out = BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=5, mtime=0, filename="") as packed:
        packed.write(b"".join(json_line(line) + b"\n" for line in lines))
    return out.getvalue()


async def read_delivered(pieces: AsyncIterator[bytes], dataset_id: str) -> AsyncIterator[Delivered]:
    """Yields the rows of a whole records file that arrives in pieces. Other tasks run in between.

    `dataset_id` is used in errors only.

    Raises:
        Damaged: the file is cut short, garbled or of another shape, or decompresses to more than records can. All
            rows before the error were yielded.
    """
    what = f"the records of dataset {dataset_id}"
    async for lines in read_lines(pieces, dataset_id):
        with reading(what):
            rows = [_adapter.validate_json(line) for line in lines]
        for row in rows:
            yield row


async def read_lines(pieces: AsyncIterator[bytes], dataset_id: str) -> AsyncIterator[list[bytes]]:
    """Yields the lines of a whole records file, some at a time.

    Raises:
        Damaged: as `read_delivered` does.
    """
    rest, size = b"", 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal size
        async for piece in pieces:
            size += len(piece)
            yield piece

    what = f"the records of dataset {dataset_id}"
    unzipped = unzip_stream(counted(), _LIMITS)
    while (piece := await _next(unzipped, what)) is not None:
        *lines, rest = (rest + piece).split(b"\n")
        with reading(what):
            if len(rest) > _MAX_LINE_BYTES:
                raise ValueError("too long a line")
        yield lines
    if rest or not size:
        raise Damaged(f"Damaged in storage: {what}, as the file ends too early.")


async def _next(unzipped: AsyncIterator[bytes], what: str) -> bytes | None:
    """Returns the next piece, or None after the last one."""
    try:
        return await anext(unzipped, None)
    except BadGzip as error:
        raise Damaged(f"Damaged in storage: {what}, as the file {error}.") from None
