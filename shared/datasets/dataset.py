"""Defines a dataset, which is what a completed job delivers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.datasets.keeping import Keeping
from shared.records.delivered import FileChecksum
from shared.storage.blobs import Tier


@dataclass(frozen=True, slots=True)
class Dataset:
    """Describes a dataset. `blobs` are its files, in order.

    `id` and `revision` are those of the job. The dataset of a retried job replaces the one before. `counts` is the
    number of candidates by label and outcome ("kept", or the reason of a rejection), and `splits` the number of images
    by split. `checksums` has an entry for each file. `sha256` is that of the file if there is only one; it is None if
    there are several, or if the file is too large to be read for its checksum. `webhook_url` is that of the job's spec,
    for what happens after the job's working blobs are deleted; it may hold a secret. `diff` counts what a refresh has
    changed since `base_revision`, by the words of `shared.archiving.planning.diff`; both are None if there was none.
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
    webhook_url: str | None = field(default=None, repr=False)
    diff: Mapping[str, int] | None = None
    base_revision: int | None = None
    keeping: Keeping = Keeping()  # noqa: RUF009 - it cannot change

    @property
    def tier_since(self) -> datetime:
        """The time when the files came to their tier."""
        return self.keeping.tier_changed_at or self.created_at
