"""Makes datasets for tests."""

from datetime import UTC, datetime

from shared.datasets.dataset import Dataset
from shared.storage.blobs import Tier

MADE_AT = datetime(2026, 3, 4, tzinfo=UTC)


def made(dataset_id="j", user_id="ann", **fields):
    """Returns a ZIP dataset with these fields."""
    folder = f"datasets/job_{dataset_id}/"
    defaults = {
        "name": "pets",
        "created_at": MADE_AT,
        "image_count": 1,
        "size_bytes": 1,
        "format": "zip",
        "tier": Tier.HOT,
        "blobs": (f"{folder}dataset.zip",),
        "records_blob": f"{folder}records.jsonl.gz",
        "counts": {},
        "splits": {},
    }
    return Dataset(id=dataset_id, user_id=user_id, **{**defaults, **fields})
