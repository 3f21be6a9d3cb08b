"""Reads all kept images of a job into columns.

An image takes some hundred bytes in them, much less than objects would. So a job may have millions of images.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from math import nan
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.layout.names import extension_of, file_name
from shared.archiving.selection.earlier import NO_HASH
from shared.archiving.selection.record_blobs import RecordBlobs
from shared.archiving.texts.metadata import annotation_fields
from shared.damage import reading
from shared.optouts.matcher import NO_OPTOUTS, OptOutMatcher
from shared.records.delivered import SHA256_BYTES
from shared.records.embeddings import EmbeddingKind, dimensions_of
from shared.records.records import Kept, decode_records
from shared.records.scores import SCORES
from shared.text.packed_lines import unpack

_scores_of = attrgetter(*SCORES)


@dataclass(slots=True)
class Columns:
    """The images that the crawl kept. Each field is an array with one value per image, in order of `index`.

    `index` is the candidate's index in the job. `label` and `shard` are positions in `labels` and `shards`. A row of
    `sidecar_sizes` has the size of each of the image's sidecars, in bytes; it is empty if the format has none. A
    `perceptual_hash` is `near.FLAT` if the picture has none. `scores` has a row per image and a column for each of
    `SCORES`; a score that was not measured is NaN. `color` is the dominant colour as a number, red first. `opted_out`
    says which images the operator was asked not to use; it is None if there are no opt-outs. `embedding_kind` is a
    position in `embedding_kinds`, or -1 if the image has no embedding. Embeddings themselves are not held, because they
    would take gigabytes.

    `known_split` is the split of an image that a refresh takes over, as a position in `known_splits`, or -1.

    A row of `known_copies` has the index of a candidate that an earlier revision left out as a copy, and the index of
    the image that it is a copy of, which may be such a candidate itself.

    `newest` is the only array with one value per candidate: the position of the record blob whose record counts, or -1
    if the candidate has no record.
    """

    index: NDArray[np.int64]
    label: NDArray[np.int32]
    shard: NDArray[np.int32]
    offset: NDArray[np.int64]
    size: NDArray[np.int64]
    crc32: NDArray[np.uint32]
    pixels: NDArray[np.int64]
    perceptual_hash: NDArray[np.uint64]
    sha256: NDArray[np.void]
    extension: NDArray[np.int8]
    sidecar_sizes: NDArray[np.int32]
    scores: NDArray[np.float32]
    color: NDArray[np.uint32]
    newest: NDArray[np.int32]
    labels: tuple[str, ...]
    shards: tuple[str, ...]
    known_split: NDArray[np.int8] | None = None
    known_splits: tuple[str, ...] = ()
    opted_out: NDArray[np.bool] | None = None
    embedding_kind: NDArray[np.int16] | None = None
    embedding_kinds: tuple[EmbeddingKind, ...] = ()
    known_copies: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    def __len__(self) -> int:
        return len(self.index)


_CODES = {
    "index": "q",
    "blob": "i",
    "label": "i",
    "shard": "i",
    "offset": "q",
    "size": "q",
    "crc32": "I",
    "pixels": "q",
    "perceptual_hash": "Q",
    "extension": "b",
    "color": "I",
    "embedding_kind": "h",
    "known_split": "b",
}


@dataclass(frozen=True, slots=True)
class _Facts:
    format: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    crc32: int
    perceptual_hash: str
    sharpness: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    entropy: float = 0.0
    aspect_ratio: float = 0.0
    bytes_per_pixel: float = 0.0
    relevance: float = nan
    dominant_color: str = "#000000"
    scorer: str = ""
    embedding: str = ""

    @property
    def embedding_kind(self) -> EmbeddingKind | None:
        return EmbeddingKind(self.scorer, dimensions_of(self.embedding)) if self.embedding else None


@dataclass(frozen=True, slots=True)
class _Outcome:
    shard: str = ""
    offset: int = 0
    facts: _Facts | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    split: str | None = None
    same_as: int | None = None
    same_as_dataset: str | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    label: str
    known: _Known | None = None

    @property
    def known_split(self) -> str | None:
        return self.known.split if self.known is not None else None


@dataclass(frozen=True, slots=True)
class _Row:
    """The fields of a `Record` that the columns need. Decoding only these takes less than half the time."""

    index: int
    candidate: _Candidate
    outcome: _Outcome


_rows = TypeAdapter(_Row)


@dataclass(slots=True)
class _Builder:
    """Collects rows in compact arrays."""

    form: ArchiveFormat | None
    optouts: OptOutMatcher = NO_OPTOUTS
    opted_out: bytearray = field(default_factory=bytearray)
    numbers: dict[str, array[int]] = field(
        default_factory=lambda: {name: array(code) for name, code in _CODES.items()}
    )
    sidecar_sizes: array[int] = field(default_factory=lambda: array("i"))
    sha256: bytearray = field(default_factory=bytearray)
    scores: array[float] = field(default_factory=lambda: array("f"))
    newest: array[int] = field(default_factory=lambda: array("i"))
    labels: dict[str, int] = field(default_factory=dict)
    shards: dict[str, int] = field(default_factory=dict)
    splits: dict[str | None, int] = field(default_factory=lambda: {None: -1})
    known_copies: array[int] = field(default_factory=lambda: array("q"))
    kinds: dict[EmbeddingKind | None, int] = field(default_factory=lambda: {None: -1})

    def add(self, data: bytes, blob: int) -> None:
        """Adds the records in `data`, the record blob at position `blob`."""
        rows: list[_Row] = list(map(_rows.validator.validate_json, unpack(data)))
        if any(index <= before for before, index in pairwise((-1, *(row.index for row in rows)))):
            raise ValueError("the records are not in order of index")
        missing = max((row.index for row in rows), default=-1) + 1 - len(self.newest)
        if missing > 0:
            # -1: no record
            self.newest.frombytes(b"\xff" * missing * self.newest.itemsize)
        for row in rows:
            self.newest[row.index] = blob
        kept = [row for row in rows if row.outcome.facts is not None]
        for row in rows if len(kept) < len(rows) else ():
            known = row.candidate.known
            if known is not None and known.same_as is not None and known.same_as_dataset is None:
                self.known_copies.extend((row.index, known.same_as, blob))
        for name, values in self._numbers(kept).items():
            self.numbers[name].extend(values)
        self.numbers["blob"].extend([blob] * len(kept))
        if self.optouts:
            self.opted_out += _opted_out(data, self.optouts)
        if self.form is not None and self.form.sidecar_count:
            self.sidecar_sizes.extend(_sidecar_sizes(data, self.form))

    def _numbers(self, kept: Sequence[_Row]) -> dict[str, list[int]]:
        """Returns the values of each column. Column by column is much faster than row by row."""
        labels, shards, splits, kinds = self.labels, self.shards, self.splits, self.kinds
        facts = [row.outcome.facts for row in kept if row.outcome.facts is not None]
        self.sha256 += bytes.fromhex("".join([one.sha256 for one in facts]))
        self.scores.extend(chain.from_iterable(map(_scores_of, facts)))
        return {
            "index": [row.index for row in kept],
            "label": [labels.setdefault(row.candidate.label, len(labels)) for row in kept],
            "shard": [shards.setdefault(row.outcome.shard, len(shards)) for row in kept],
            "offset": [row.outcome.offset for row in kept],
            "size": [one.size_bytes for one in facts],
            "crc32": [one.crc32 for one in facts],
            "pixels": [one.width * one.height for one in facts],
            "perceptual_hash": [int(one.perceptual_hash or NO_HASH, 16) for one in facts],
            "extension": [extension_of(one.format) for one in facts],
            "color": [int(one.dominant_color.removeprefix("#"), 16) for one in facts],
            "embedding_kind": [kinds.setdefault(one.embedding_kind, len(kinds) - 1) for one in facts],
            "known_split": [splits.setdefault(row.candidate.known_split, len(splits) - 1) for row in kept],
        }

    def columns(self) -> Columns:
        """Returns the rows that count, sorted by index. The builder cannot be used afterwards."""
        newest = np.frombuffer(self.newest, np.int32)
        index = np.frombuffer(self.numbers["index"], np.int64)
        blob = np.frombuffer(self.numbers.pop("blob"), np.int32)
        order = np.argsort(index, kind="stable")
        order = order[newest[index[order]] == blob[order]]
        del index, blob
        sorted_columns = {}
        for name in list(self.numbers):
            values = self.numbers.pop(name)
            sorted_columns[name] = np.frombuffer(values, values.typecode)[order]
        count = self.form.sidecar_count if self.form is not None else 0
        sidecar_sizes = np.frombuffer(self.sidecar_sizes, np.int32).reshape(
            len(self.sha256) // SHA256_BYTES, count
        )
        hashes = np.frombuffer(self.sha256, f"V{SHA256_BYTES}")[order]
        copies = np.frombuffer(self.known_copies, np.int64).reshape(-1, 3)
        return Columns(
            **sorted_columns,
            sidecar_sizes=sidecar_sizes[order],
            sha256=hashes,
            scores=np.frombuffer(self.scores, np.float32).reshape(-1, len(SCORES))[order],
            newest=newest,
            labels=tuple(self.labels),
            shards=tuple(self.shards),
            embedding_kinds=tuple(kind for kind in self.kinds if kind is not None),
            known_splits=tuple(name for name in self.splits if name is not None),
            opted_out=np.frombuffer(self.opted_out, np.bool)[order] if self.optouts else None,
            known_copies=copies[newest[copies[:, 0]] == copies[:, 2], :2],
        )


async def read_columns(
    records: RecordBlobs, form: ArchiveFormat | None = None, optouts: OptOutMatcher = NO_OPTOUTS
) -> Columns:
    """Reads the kept images of all record blobs, and computes the sizes of the sidecars that the format has.

    Raises:
        Damaged: a record blob is gone or cannot be read.
    """
    builder = _Builder(form, optouts)
    position = 0
    async for data in records.read():
        with reading(records.name_for_people(position)):
            builder.add(data, position)
        position += 1
    return builder.columns()


def _opted_out(data: bytes, optouts: OptOutMatcher) -> bytes:
    """Returns for each kept image among these records whether it is opted out."""
    return bytes(
        optouts.refuses(
            (record.candidate.url, record.final_url, record.candidate.provenance.page_url),
            record.outcome.facts.sha256,
            record.outcome.facts.perceptual_hash,
        )
        for record in decode_records(data)
        if isinstance(record.outcome, Kept)
    )


def _sidecar_sizes(data: bytes, form: ArchiveFormat) -> list[int]:
    """Returns the sizes of the sidecars of each kept image among these records, image by image."""
    sizes: list[int] = []
    for record in decode_records(data):
        if isinstance(record.outcome, Kept):
            file = file_name(record.index, extension_of(record.outcome.facts.format))
            fields = annotation_fields(record, record.outcome, file, optional=form.optional_columns)
            sizes += map(len, form.sidecars(record, fields, b""))
    return sizes
