"""Finds the files of a dataset in storage, and says which of them change their tier."""

from collections.abc import Iterable, Sequence
from typing import Final

from shared.datasets.dataset import Dataset
from shared.records.blob_names import dataset_of, revision_prefix
from shared.records.delivered import DIFF, RECORDS
from shared.storage.blobs import BlobInfo, BlobStore, Tier

_STAY_HOT: Final = frozenset(
    {
        RECORDS,
        DIFF,
        "README.md",
        "preview.jpg",
        "report.html",
        "croissant.json",
        "ATTRIBUTION.md",
        "SHA256SUMS",
    }
)


async def stored_files(blobs: BlobStore, dataset: Dataset) -> Sequence[BlobInfo]:
    """Returns the files of the dataset's revision that are in storage, with its records, in order of name."""
    revision = dataset.id, dataset.revision
    prefix = revision_prefix(*revision)
    return [info async for info in blobs.list(prefix) if dataset_of(info.name) == revision]


def files_that_move(files: Iterable[BlobInfo]) -> Sequence[BlobInfo]:
    """Returns the files that change their tier.

    These are all but the records, the diff, the card, its preview, the report, the description, the credits and the
    checksums. Those are small, and stay in the Hot tier, so that they can be read at any time.
    """
    return [info for info in files if moves(info.name)]


def moves(blob: str) -> bool:
    """Returns whether a file of a dataset changes its tier, by its name."""
    return blob.rpartition("/")[2] not in _STAY_HOT


def archived_files(files: Iterable[BlobInfo]) -> Sequence[BlobInfo]:
    """Returns the files that cannot be read because they are in the Archive tier."""
    return [info for info in files if info.tier is Tier.ARCHIVE]
