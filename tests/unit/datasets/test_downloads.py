"""Files of datasets have links unless they are in the Archive tier."""

from datetime import UTC, datetime

import pytest

from functions.http.models.downloads import DownloadAnswer
from shared.clock import SystemClock
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.datasets.downloads import Downloads
from shared.errors import Conflict, NotFound
from shared.records.delivered import FileChecksum
from shared.storage.blobs import Tier
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities

ZIP = ("dataset.zip",)
SHARDS = ("shards/00001.tar", "shards/00002.tar", "README.md", "preview.jpg", "ATTRIBUTION.md", "SHA256SUMS")
SMALL = {"README.md", "preview.jpg", "ATTRIBUTION.md", "SHA256SUMS"}


@pytest.fixture
def recorded():
    """`await recorded(files, revision, name)` stores a dataset; returns its downloads, its blobs and the dataset."""

    async def make(files, revision=1, name="pets"):
        blobs = MemoryBlobs()
        catalog = Catalog(MemoryEntities(), blobs)
        folder = "datasets/job_j/" if revision == 1 else f"datasets/job_j/r{revision}/"
        for file in (*files, "records.jsonl.gz"):
            await blobs.put(f"{folder}{file}", file.encode())
        dataset = Dataset(
            id="j",
            user_id="admin",
            name=name,
            created_at=datetime(2026, 3, 4, tzinfo=UTC),
            image_count=1,
            size_bytes=1,
            format="zip",
            tier=Tier.HOT,
            blobs=tuple(f"{folder}{file}" for file in files),
            records_blob=f"{folder}records.jsonl.gz",
            counts={},
            splits={},
            revision=revision,
            checksums={f"{folder}{file}": FileChecksum(len(file), "a" * 64) for file in files},
        )
        await catalog.put(dataset)
        return Downloads(catalog, blobs, SystemClock(), link_seconds=60), blobs, dataset

    return make


async def answer(downloads):
    return DownloadAnswer.of(await downloads.download("admin", "j"))


@pytest.mark.parametrize("revision", [1, 3])
@pytest.mark.parametrize("files", [ZIP, SHARDS])
async def test_all_files_and_the_records_have_links(recorded, files, revision):
    downloads, _, _ = await recorded(files, revision)
    download = await answer(downloads)
    assert [file.filename for file in download.files] == [
        "pets.zip" if file == "dataset.zip" else file.rpartition("/")[2] for file in files
    ]
    assert all(file.url and file.tier == "hot" and file.sha256 for file in download.files)
    assert download.url == download.files[0].url
    assert download.records.url
    assert (download.records.filename, download.records.size_bytes) == ("records.jsonl.gz", 16)
    assert download.notice is None


@pytest.mark.parametrize("revision", [1, 3])
@pytest.mark.parametrize("files", [ZIP, SHARDS])
async def test_a_dataset_in_the_archive_tier_has_links_to_its_records_and_its_card(recorded, files, revision):
    downloads, blobs, dataset = await recorded(files, revision)
    for blob in dataset.blobs:
        if blob.rpartition("/")[2] not in SMALL:
            await blobs.set_tier(blob, Tier.ARCHIVE)
    download = await answer(downloads)
    assert {file.filename for file in download.files if file.url} == SMALL & set(files)
    assert all((file.tier == "archive") == (file.url is None) for file in download.files)
    assert download.url is None
    assert download.files[0].sha256
    assert "records.jsonl.gz" in download.records.url
    assert "POST /api/v1/datasets/j/rehydrate" in download.notice
    assert download.expires_at


async def test_only_a_file_in_the_archive_tier_has_no_link(recorded):
    downloads, blobs, dataset = await recorded(SHARDS)
    await blobs.set_tier(dataset.blobs[1], Tier.ARCHIVE)
    download = await answer(downloads)
    assert [file.url is None for file in download.files] == [False, True, False, False, False, False]


async def test_a_dataset_without_a_readable_file_is_refused(recorded):
    downloads, blobs, dataset = await recorded(ZIP)
    for blob in (*dataset.blobs, dataset.records_blob):
        await blobs.set_tier(blob, Tier.ARCHIVE)
    with pytest.raises(Conflict, match="POST /api/v1/datasets/j/rehydrate"):
        await downloads.download("admin", "j")


@pytest.mark.parametrize("gone", [0, 1])
async def test_a_dataset_with_a_file_that_is_gone_is_not_found(recorded, gone):
    downloads, blobs, dataset = await recorded(SHARDS)
    await blobs.delete(dataset.blobs[gone])
    with pytest.raises(NotFound, match="gone"):
        await downloads.download("admin", "j")


async def test_files_have_links_even_if_the_records_are_gone(recorded):
    downloads, blobs, dataset = await recorded(ZIP)
    await blobs.delete(dataset.records_blob)
    download = await answer(downloads)
    assert download.url
    assert download.records is None


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("CON", "_CON.zip"),
        ("nul", "_nul.zip"),
        ("COM1.old", "_COM1.old.zip"),
        ("LPT9", "_LPT9.zip"),
        ("aux.", "_aux.zip"),
        ("../../etc/passwd", "_.._etc_passwd.zip"),
        (".hidden", "hidden.zip"),
        ("__init__", "_init__.zip"),
        ("猫", "猫.zip"),
        ('a"; filename="b.exe', "a_; filename=_b.exe.zip"),
        ("a\r\nb", "a b.zip"),
        ("x" * 500, f"{'x' * 80}.zip"),
        ("desktop.ini", "_desktop.ini.zip"),
        ("my cats", "my cats.zip"),
    ],
)
async def test_a_dataset_is_saved_under_a_name_that_every_system_accepts(recorded, name, saved):
    downloads, _, _ = await recorded(ZIP, name=name)
    assert (await answer(downloads)).filename == saved
