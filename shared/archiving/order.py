"""What the archive step is asked for, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.archiving.options import Dedup, Output, Splits


@dataclass(frozen=True, slots=True)
class ArchiveOrder:
    """One dataset to make. The archive is a pure function of the order and of the record blobs that it names.

    `record_blobs` are in order of candidate index, and behind those the ones of candidates that were tried again, whose
    newest record counts. `created_at` (the job's) stamps every entry, so that a second
    run writes the same bytes. `seed` decides the splits. `prefix` ends in "/" and is where the dataset's blobs go
    (`datasets/job_{id}/`); `work_prefix` likewise for what only the archiver needs.
    """

    job_id: str
    name: str
    created_at: datetime
    record_blobs: tuple[str, ...]
    max_images_per_label: int | None
    dedup: Dedup
    splits: Splits
    output: Output
    seed: int
    prefix: str
    work_prefix: str


@dataclass(frozen=True, slots=True)
class Archived:
    """A dataset that stands whole in storage.

    `blobs` names what a user downloads (the ZIP, or the tar shards), in order. `counts` is, by label, the number of
    candidates by outcome: "kept", or a rejection's reason. `splits` is the number of images by split.
    `sha256` is that of the one archive blob, None where there are several.
    """

    blobs: tuple[str, ...]
    records_blob: str
    size_bytes: int
    image_count: int
    counts: Mapping[str, Mapping[str, int]]
    splits: Mapping[str, int]
    sha256: str | None = None
