"""Images that differ much from the others of their label are marked, by colour, entropy and perceptual hash."""

import csv
import gzip
import io
import json
import tarfile
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from pyarrow import parquet

from shared.archiving.options import Dedup, Output
from shared.archiving.selection.near import FLAT
from shared.archiving.selection.outliers import LEAST_IMAGES, MARKS, MEASURES, find_outliers, names_of
from shared.records.records import Kept, decode_records, encode_records
from shared.records.scores import SCORES
from tests.unit.archiving.selection.rows import columns_of

ENTROPY = SCORES.index("entropy")


def label_of(count, number=0, seed=0):
    """A label whose images are alike: reddish, with much entropy, and with hashes that differ in few bits."""
    rng = np.random.default_rng(seed)
    columns = columns_of([(number, 1, 1, 0, 0)] * count)
    columns.scores[:, ENTROPY] = 7 + rng.normal(0, 0.2, count)
    channels = (np.array([180, 60, 60]) + rng.integers(-20, 20, (count, 3))).astype(np.uint32)
    columns.color = (channels[:, 0] << 16) + (channels[:, 1] << 8) + channels[:, 2]
    flips = rng.integers(0, 64, (count, 6)).astype(np.uint64)
    columns.perceptual_hash = np.full(count, 0xF0F0_1234_5678_9ABC, np.uint64)
    for column in flips.T:
        columns.perceptual_hash ^= np.uint64(1) << column
    return columns


def marks(columns, rows=None):
    rows = np.arange(len(columns)) if rows is None else rows
    return [MARKS[mark] for mark in names_of(find_outliers(columns, rows))]


def test_each_measure_marks_the_image_that_differs_by_it():
    columns = label_of(200)
    columns.color[3] = 0x1020F0
    columns.scores[5, ENTROPY] = 1
    columns.perceptual_hash[7] = ~np.uint64(0xF0F0_1234_5678_9ABC)
    columns.color[9], columns.scores[9, ENTROPY] = 0x00FF00, 0.5
    found = marks(columns)
    assert (found[3], found[5], found[7], found[9]) == ("color", "entropy", "hash", "color entropy")
    assert sum(map(bool, found)) < 4 + 200 // 20


def test_labels_are_judged_on_their_own_and_only_by_the_given_rows():
    columns = label_of(100)
    # half of the images have another label, and look all the same, but unlike the first label
    columns.label[50:] = 1
    columns.color[50:], columns.scores[50:, ENTROPY] = 0x0000FF, 1
    columns.perceptual_hash[50:] = 7
    assert not any(marks(columns)[50:])
    columns.label[60] = 0
    assert "color" in marks(columns)[60]
    assert not any(marks(columns, np.arange(LEAST_IMAGES - 1)))
    assert marks(columns, np.flatnonzero(np.arange(100) != 60))[60] == ""


def test_few_equal_and_flat_images_are_not_marked():
    few = label_of(LEAST_IMAGES - 1)
    few.color[0] = 0x0000FF
    assert not any(marks(few))
    assert not any(marks(columns_of([(0, 1, 1, 0, 0)] * 50)))
    flat = label_of(50)
    flat.perceptual_hash[4] = FLAT
    assert "hash" not in marks(flat)[4]
    flat.perceptual_hash[:] = FLAT
    assert not any("hash" in mark for mark in marks(flat))
    assert marks(columns_of([])) == []


def test_one_that_differs_from_many_equal_ones_is_marked():
    columns = columns_of([(0, 1, 1, 0, 0)] * 50)
    columns.color[8] = 0xFFFFFF
    found = marks(columns)
    assert (found[8], sum(map(bool, found))) == ("color", 1)


def test_the_order_of_the_rows_changes_nothing():
    columns = label_of(300)
    columns.label[100:] = 1
    rows = np.arange(300)
    turned = find_outliers(columns, rows[::-1])
    assert np.array_equal(find_outliers(columns, rows), turned)


def test_a_million_images_of_one_label_take_flat_memory():
    columns = label_of(1_000_000)
    rows = np.arange(len(columns))
    tracemalloc.start()
    try:
        find_outliers(columns, rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000_000


async def _with_an_outlier(studio, **changes):
    order = await studio.crawl(60, dedup=Dedup(near_distance=None), **changes)
    for name in order.record_blobs:
        records = [
            replace(
                one, outcome=replace(one.outcome, facts=replace(one.outcome.facts, dominant_color="#ffffff"))
            )
            if isinstance(one.outcome, Kept) and one.index == 12
            else one
            for one in decode_records(await studio.blobs.get(name))
        ]
        await studio.blobs.put(name, encode_records(records))
    return order


async def _marked_records(studio, archived):
    lines = gzip.decompress(await studio.blobs.get(archived.records_blob)).splitlines()
    return {
        one["index"]: one["outlier"]
        for one in map(json.loads, lines)
        if one["outcome"] == "kept" and "outlier" in one
    }


@pytest.mark.parametrize("form", ["zip", "webdataset", "parquet"])
async def test_the_mark_is_in_records_and_annotations_of_every_format(studio, form):
    output = Output(format=form, annotations=("jsonl", "csv"))
    archived = await studio.archive(order := await _with_an_outlier(studio, output=output))
    marked = await _marked_records(studio, archived)
    assert "color" in marked[12]
    # their number is at the end of the names of the files
    wanted = {f"{index:08}.jpg": mark for index, mark in marked.items()}
    if form == "zip":
        with await studio.zip(order) as archive:
            rows = list(csv.DictReader(io.StringIO(archive.read("annotations.csv").decode())))
    elif form == "webdataset":
        rows = [
            json.load(inside)
            for name in archived.blobs
            if name.endswith(".tar")
            for inside in _members(await studio.blobs.get(name), ".json")
        ]
    else:
        rows = [
            {**row, "file_name": row["image"]["path"]}
            for name in archived.blobs
            if name.endswith(".parquet")
            for row in parquet.read_table(io.BytesIO(await studio.blobs.get(name))).to_pylist()
        ]
    assert len(rows) == 54
    found = {row["file_name"].rpartition("/")[2]: row["outlier"] for row in rows if row["outlier"]}
    assert found == wanted


def _members(data, suffix):
    with tarfile.open(fileobj=io.BytesIO(data)) as shard:
        for member in shard:
            if member.name.endswith(suffix):
                yield shard.extractfile(member)


def test_every_mark_names_its_measures():
    assert MARKS[0] == ""
    assert MARKS[-1] == " ".join(MEASURES)
    assert all(mark.isascii() for mark in MARKS)
