"""Whole datasets are made of stored pictures in both formats, and read by the programs that people use."""

import csv
import gzip
import hashlib
import io
import json
import tarfile
import warnings
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import datasets
import pytest
import webdataset
import yaml
from PIL import Image
from pyarrow import parquet

from shared.archiving.options import Dedup, Output, Splits
from shared.archiving.order import ArchiveOrder, EarlierDataset
from shared.records.records import encode_records
from tests.expect import present
from tests.unit.archiving.conftest import LABELS, picture, record_of

ALL = ("jsonl", "csv", "txt", "yaml", "coco", "labelstudio", "fiftyone")
THREE = Splits({"train": 0.8, "val": 0.1, "test": 0.1})
SHARDS = Output.model_construct(format="webdataset", annotations=("jsonl",), shard_size=50_000)


async def _records(studio, archived):
    data = gzip.decompress(await studio.blobs.get(archived.records_blob))
    return [json.loads(line) for line in data.splitlines()]


async def _check_offsets(studio, order, archived):
    """Check that the range in each record has the bytes of the picture in its file."""
    for row in await _records(studio, archived):
        if row["outcome"] == "kept":
            where = {"offset": row.get("offset", 0), "length": row["size_bytes"]}
            data = await studio.blobs.get(f"{order.prefix}{row['blob']}", **where)
            assert data == picture(row["index"])


async def _check_sums(studio, archived):
    for name in archived.blobs:
        data = await studio.blobs.get(name)
        assert archived.checksums[name].size_bytes == len(data)
        assert archived.checksums[name].sha256 == hashlib.sha256(data).hexdigest()


async def test_a_zip_holds_every_picture_and_says_what_it_is(studio):
    order = await studio.crawl(120, splits=THREE, output=Output(annotations=ALL))
    archived = await studio.archive(order)
    await _check_offsets(studio, order, archived)
    await _check_sums(studio, archived)
    assert archived.image_count == 108
    assert sum(archived.splits.values()) == 108
    assert {
        label: counts["kept"] + counts.get("timed_out", 0) for label, counts in archived.counts.items()
    } == dict.fromkeys(LABELS, 40)
    with zipfile.ZipFile(io.BytesIO(await studio.blobs.get(archived.blobs[0]))) as archive:
        assert archive.testzip() is None
        images = {name for name in archive.namelist() if name.count("/") == 2}
        assert len(images) == 108
        rows = list(map(json.loads, archive.read("annotations.jsonl").decode().splitlines()))
        assert {row["file_name"]: row["label"] for row in rows}.keys() == images
        for split in archived.splits:
            table = parquet.read_table(io.BytesIO(archive.read(f"{split}/metadata.parquet"))).to_pylist()
            assert [row | {"file_name": f"{split}/{row['file_name']}"} for row in table] == [
                row for row in rows if row["file_name"].startswith(f"{split}/")
            ]
        table = list(csv.DictReader(io.StringIO(archive.read("annotations.csv").decode())))
        assert {row["file_name"] for row in table} == images
        plain = dict(line.split("\t") for line in archive.read("annotations.txt").decode().splitlines())
        assert plain.keys() == images
        listed = yaml.safe_load(archive.read("annotations.yaml"))["images"]
        assert {row["file_name"]: row["label"] for row in listed} == plain
        coco = json.loads(archive.read("annotations.coco.json"))
        names = {category["id"]: category["name"] for category in coco["categories"]}
        files = {image["id"]: image["file_name"] for image in coco["images"]}
        assert {files[box["image_id"]]: names[box["category_id"]] for box in coco["annotations"]} == plain
        sums = dict(line.split("  ")[::-1] for line in archive.read("SHA256SUMS").decode().splitlines())
        assert {name: hashlib.sha256(archive.read(name)).hexdigest() for name in images} == sums
        attribution = archive.read("ATTRIBUTION.md").decode()
        assert sum(line.startswith("- `") for line in attribution.splitlines()) == 108
        assert "# pets" in archive.read("README.md").decode()


async def test_a_reader_that_cannot_seek_reads_the_zip(studio):
    """Such a reader goes from header to header, so sizes and checksums must be before the data."""
    archived = await studio.archive(await studio.crawl(30))
    data = await studio.blobs.get(archived.blobs[0])
    at, seen = 0, 0
    while data[at : at + 4] == b"PK\x03\x04":
        size = int.from_bytes(data[at + 18 : at + 22], "little")
        name, extra = (int.from_bytes(data[at + n : at + n + 2], "little") for n in (26, 28))
        at += 30 + name + extra + size
        seen += 1
    assert data[at : at + 4] == b"PK\x01\x02"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(archive.namelist()) == seen


@pytest.mark.parametrize("splits", [Splits(), THREE])
async def test_shards_hold_every_picture_with_its_sidecars(studio, tmp_path, splits):
    order = await studio.crawl(300, splits=splits, output=SHARDS)
    archived = await studio.archive(order)
    await _check_offsets(studio, order, archived)
    await _check_sums(studio, archived)
    tars = [name for name in archived.blobs if name.endswith(".tar")]
    assert len(tars) > 3
    if len(archived.splits) == 1:
        assert tars[0] == "datasets/job_j1/shards/00001.tar"
    else:
        assert tars[0] == "datasets/job_j1/shards/train-00001.tar"
    keys: Counter[str] = Counter()
    for name in tars:
        data = await studio.blobs.get(name)
        (tmp_path / name.rpartition("/")[2]).write_bytes(data)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            names = archive.getnames()
        assert [entry.partition(".")[2] for entry in names] == ["jpg", "json", "txt", "cls"] * (
            len(names) // 4
        )
        assert all(
            len({entry.partition(".")[0] for entry in names[at : at + 4]}) == 1
            for at in range(0, len(names), 4)
        )
        keys.update(entry for entry in names if entry.endswith(".jpg"))
    assert len(keys) == archived.image_count == 270
    assert set(keys.values()) == {1}
    assert list(keys) != sorted(keys)
    sums = (await studio.blobs.get("datasets/job_j1/SHA256SUMS")).decode()
    assert all(f"{archived.checksums[name].sha256}  {name.rpartition('/')[2]}\n" in sums for name in tars)
    _read_with_webdataset(sorted(tmp_path.glob("*.tar")))
    _read_with_hugging_face(sorted(tmp_path.glob("*.tar")), tmp_path / "cache")


@pytest.mark.parametrize(("count", "splits", "shards"), [(30, Splits(), 3), (20, THREE, 4), (120, THREE, 13)])
async def test_shards_exceed_their_size_by_one_image_and_padding_at_most(studio, count, splits, shards):
    archived = await studio.archive(await studio.crawl(count, splits=splits, output=SHARDS))
    sizes = [archived.checksums[name].size_bytes for name in archived.blobs if name.endswith(".tar")]
    assert (
        max(sizes) <= SHARDS.shard_size + 5000 + 10_240
    )  # a picture with what is beside it; a record of tar
    assert len(sizes) == shards


def _read_with_webdataset(paths):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the library leaves its files to the collector
        samples = list(webdataset.WebDataset([str(path) for path in paths], shardshuffle=False).decode("pil"))
    assert len(samples) == 270
    for sample in samples:
        fields = sample["json"]
        assert isinstance(sample["jpg"], Image.Image)
        assert sample["jpg"].size == (fields["width"], fields["height"])
        assert fields["file_name"] == f"{sample['__key__']}.jpg"
        assert sample["txt"] == (fields["caption"] or fields["label"])
    assert len({(sample["cls"], sample["json"]["label"]) for sample in samples}) == len(LABELS)


def _read_with_hugging_face(paths, cache):
    files = {"train": [str(path) for path in paths]}
    loaded = datasets.load_dataset("webdataset", data_files=files, cache_dir=str(cache))["train"]
    assert len(loaded) == 270
    assert {row["json"]["label"] for row in loaded} == set(LABELS)
    assert all(isinstance(row["jpg"], Image.Image) for row in loaded)


async def test_the_same_order_makes_the_same_bytes_and_another_seed_another_order(studio):
    made = []
    for job, seed in (("a", 0), ("b", 0), ("c", 1)):
        order = await studio.crawl(60, output=SHARDS, seed=seed)
        order = replace(order, prefix=f"datasets/{job}/", work_prefix=f"work/{job}/", job_id=job)
        archived = await studio.archive(order)
        made.append([await studio.blobs.get(name) for name in archived.blobs if name.endswith(".tar")])
    assert made[0] == made[1]
    assert made[0] != made[2]


async def test_the_newest_record_of_a_candidate_counts(studio):
    order = await studio.crawl(20)
    data = picture(9)
    await studio.blobs.put("work/job_j1/shards/again", data)
    again = record_of(9, "work/job_j1/shards/again", 0, data)
    await studio.blobs.put("work/job_j1/records/again", encode_records([again]))
    first = await studio.archive(order)
    second = await studio.archive(
        replace(order, record_blobs=(*order.record_blobs, "work/job_j1/records/again"))
    )
    assert (first.image_count, second.image_count) == (18, 19)
    rows = await _records(studio, second)
    assert Counter(row["index"] for row in rows) == Counter(range(20))
    assert sum(sum(counts.values()) for counts in second.counts.values()) == 20


async def test_each_image_has_its_own_sidecars_in_whatever_order_records_are_stored(studio):
    order = await studio.crawl(60, output=SHARDS)
    archived = await studio.archive(replace(order, record_blobs=order.record_blobs[::-1]))
    rows = {row["index"]: row for row in await _records(studio, archived)}
    checked = 0
    for name in archived.blobs:
        if not name.endswith(".tar"):
            continue
        with tarfile.open(fileobj=io.BytesIO(await studio.blobs.get(name))) as archive:
            for entry in archive.getnames():
                key, _, extension = entry.partition(".")
                row = rows[int(key)]
                if extension == "json":
                    assert json.load(present(archive.extractfile(entry)))["url"] == row["url"]
                    checked += 1
                if extension == "txt":
                    text = present(archive.extractfile(entry)).read().decode()
                    assert text == row.get("caption", row["label"])
    assert checked == archived.image_count == 54


async def test_images_of_an_earlier_dataset_are_left_out_and_their_records_name_it(studio):
    earlier = await studio.archive(await studio.crawl(30, "old"))
    order = await studio.crawl(40, "new", first=20)  # ten of its pictures are in the earlier dataset
    order = replace(
        order, dedup=Dedup(against=("old",)), earlier=(EarlierDataset("old", earlier.records_blob),)
    )
    archived = await studio.archive(order)
    rows = [row for row in await _records(studio, archived) if row.get("reason") == "duplicate"]
    assert [(row["index"], row["same_as"], row["same_as_dataset"]) for row in rows] == [
        (index, index + 20, "old") for index in range(9)
    ]
    assert archived.image_count == 36 - 9


async def test_a_dataset_without_images_has_no_files(studio):
    order = await studio.crawl(0)
    archived = await studio.archive(order)
    assert (archived.image_count, archived.blobs) == (0, ())
    assert studio.telemetry.signals == []


async def test_the_upload_of_an_archive_is_reported_at_its_beginning_and_end(studio):
    order = await studio.crawl(20)
    await studio.archive(order)
    [started] = studio.telemetry.named("dataset_upload_started")
    [completed] = studio.telemetry.named("dataset_upload_completed")
    assert started.properties == {"job_id": "j1", "image_count": 18, "destination": order.prefix}
    assert (completed.properties["job_id"], completed.measurements["image_count"]) == ("j1", 18)


def test_the_digest_of_an_order_is_the_same_in_every_version_of_the_app():
    order = ArchiveOrder(
        job_id="j1",
        name="pets",
        created_at=datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC),
        record_blobs=("work/job_j1/records/000001.jsonl.gz",),
        max_images_per_label=500,
        dedup=Dedup(against=("old",)),
        splits=Splits({"train": 0.8, "val": 0.2}),
        output=Output(annotations=("jsonl", "csv")),
        seed=7,
        prefix="datasets/job_j1/",
        work_prefix="work/job_j1/archive/r1/",
        earlier=(EarlierDataset("old", "datasets/job_old/records.jsonl.gz"),),
        whole_labels=("cat",),
    )
    assert order.digest == replace(order, parents=("old",), changes="cut").digest == "00e7f5721574"


@pytest.mark.parametrize("output", [Output(annotations=ALL), SHARDS])
async def test_a_run_with_other_texts_does_not_spoil_the_stored_plan(studio, output):
    """The other run is one of another version at the same time. Here its card names a parent."""
    order = await studio.crawl(60, output=output)
    planner, put = studio.archiver._planner, studio.blobs.put

    async def put_behind_another(name, data, *args, **kwargs):
        if name.endswith("plan.npz"):
            studio.blobs.put = put
            await planner.complete(await planner.draft(replace(order, parents=("another",))))
        await put(name, data, *args, **kwargs)

    studio.blobs.put = put_behind_another
    archived = await studio.archive(order)
    assert studio.blobs.put == put
    assert await studio.archive(replace(order, parents=("another",))) == archived
    await _check_offsets(studio, order, archived)
    await _check_sums(studio, archived)
    if archived.blobs[0].endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(await studio.blobs.get(archived.blobs[0]))) as archive:
            assert archive.testzip() is None
            card = archive.read("README.md").decode()
    else:
        card = (await studio.blobs.get(f"{order.prefix}README.md")).decode()
    assert "made of the datasets" not in card
