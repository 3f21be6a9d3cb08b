"""A dataset: what a completed job delivers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.records.delivered import FileChecksum
from shared.storage.blobs import Tier


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is known of a dataset; its bytes are the blobs named by `blobs`, in order.

    `counts` is, by label, the number of candidates by outcome ("kept" or a rejection's reason); `splits` the number of
    images by split. `sha256` is that of the one archive blob, None where there are several, or where it is too large
    to be known; `checksums` has an entry for each of the blobs. `id` is the job's, and so is `revision`: a retried
    job's dataset takes the place of the one before.
    """

    id: str
    user_id: str
    name: str
    created_at: datetime
    image_count: int
    size_bytes: int
    format: str
    tier: Tier
    blobs: tuple[str, ...]
    records_blob: str
    counts: Mapping[str, Mapping[str, int]]
    splits: Mapping[str, int]
    sha256: str | None = None
    revision: int = 1
    checksums: Mapping[str, FileChecksum] = field(default_factory=dict)
