"""A dataset is recorded and read unchanged, whatever its labels are."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.jobs.ledger.tally import Tally
from shared.records.delivered import FileChecksum
from shared.storage.blobs import Tier
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities

LABELS = {
    "emoji": "😀🐈‍⬛",
    "flags": "🇩🇪🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "han": "猫",
    "rare han": "𠮷",
    "accents": "é",
    "quotes": '"\\',
    "ascii": "a",
}


def _dataset(counts, files=1, parts=0):
    names = tuple(f"datasets/job_x/dataset-{number:05}.tar" for number in range(files))
    checksum = FileChecksum(1, None, 1, ("0f" * 32,) * parts)
    return Dataset(
        id="x",
        user_id="admin",
        name="🐈" * 200,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        image_count=1,
        size_bytes=1,
        format="webdataset",
        tier=Tier.HOT,
        blobs=names,
        records_blob="datasets/job_x/records.jsonl.gz",
        counts=counts,
        splits={"train": 1},
        checksums=dict.fromkeys(names, checksum),
    )


@pytest.mark.parametrize("sign", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("number", [1, 1800, 20_000])
async def test_a_dataset_with_any_labels_is_recorded_and_read_unchanged(sign, number):
    labels = [f"{at} {sign * 200}"[:200] for at in range(number)]
    counts = {label: {"kept": 1, "near_duplicate": 12_345} for label in labels}
    dataset = _dataset(Tally().plus(Tally(counts)).counts)
    blobs = MemoryBlobs()
    catalog = Catalog(MemoryEntities(), blobs)
    await catalog.put(dataset)
    assert await catalog.get("admin", "x") == dataset


async def test_a_dataset_with_a_thousand_files_and_a_thousand_parts_is_recorded():
    dataset = _dataset({"cat": {"kept": 1}}, files=1000, parts=2)
    blobs = MemoryBlobs()
    catalog = Catalog(MemoryEntities(), blobs)
    await catalog.put(dataset)
    assert (await catalog.page("admin")).items == [dataset]


class _Counted(MemoryEntities):
    """Counts how often a row is read."""

    reads = 0

    async def get(self, table, partition, row):
        self.reads += 1
        return await super().get(table, partition, row)


async def test_a_first_revision_is_recorded_without_a_read_and_again_without_a_change():
    entities = _Counted()
    catalog = Catalog(entities, MemoryBlobs())
    dataset = _dataset({"cat": {"kept": 1}})
    await catalog.put(dataset)
    assert entities.reads == 0
    later = replace(dataset, revision=2, image_count=2)
    await catalog.put(later)
    await catalog.put(dataset)
    assert await catalog.get("admin", "x") == later
