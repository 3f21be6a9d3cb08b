"""Pictures without contrast have no perceptual hash: only pictures with equal bytes are copies of them."""

import numpy as np
import pytest

from shared.archiving.options import Dedup
from shared.archiving.selection.columns import Columns
from shared.archiving.selection.earlier import Earlier
from shared.archiving.selection.near import FLAT
from shared.archiving.selection.select import REASONS, select
from shared.archiving.selection.split import assign_splits
from shared.records.records import Reason

HASH = 0x0F0F_3355_00FF_1235


def columns_of(hashes: list[int], contents: list[int] | None = None) -> Columns:
    count = len(hashes)
    contents = contents or list(range(count))
    ones = np.ones(count, np.int64)
    return Columns(
        index=np.arange(count),
        label=np.zeros(count, np.int32),
        shard=np.zeros(count, np.int32),
        offset=ones,
        size=ones,
        crc32=ones.astype(np.uint32),
        pixels=ones,
        perceptual_hash=np.array(hashes, np.uint64),
        sha256=np.frombuffer(b"".join(bytes([number]) * 32 for number in contents), "V32"),
        extension=np.zeros(count, np.int8),
        sidecar_sizes=np.zeros((count, 0), np.int32),
        scores=np.zeros((count, 6), np.float32),
        color=np.zeros(count, np.uint32),
        newest=np.zeros(count, np.int32),
        labels=("a",),
        shards=("s",),
    )


def earlier_of(hashes: list[int]) -> Earlier:
    columns = columns_of(hashes, [200 + number for number in range(len(hashes))])
    zeros = np.zeros(len(hashes), np.int32)
    return Earlier(("before",), zeros, columns.index, columns.perceptual_hash, columns.sha256)


@pytest.mark.parametrize("distance", [0, 4, 8])
def test_flat_pictures_are_not_near_to_any_picture(distance):
    columns = columns_of([FLAT, FLAT, HASH, HASH, FLAT, 1, FLAT])
    selection = select(columns, Dedup(near_distance=distance))
    assert selection.rows.tolist() == [0, 1, 2, 4, 5, 6]
    assert REASONS[selection.verdict[3]] is Reason.NEAR_DUPLICATE


def test_flat_pictures_of_equal_bytes_are_duplicates():
    columns = columns_of([FLAT, FLAT, FLAT], [7, 8, 7])
    selection = select(columns, Dedup())
    assert selection.rows.tolist() == [0, 1]
    assert REASONS[selection.verdict[2]] is Reason.DUPLICATE
    assert selection.twin[2] == 0


@pytest.mark.parametrize("known", [[FLAT], [FLAT, 3], [FLAT, FLAT]])
def test_flat_pictures_of_an_earlier_dataset_keep_no_picture_out(known):
    columns = columns_of([FLAT, HASH, 1, FLAT])
    rows = select(columns, Dedup(near_distance=2), earlier=earlier_of(known)).rows
    assert rows.tolist() == ([0, 1, 3] if 3 in known else [0, 1, 2, 3])


def test_a_label_of_flat_pictures_is_divided_into_splits():
    columns = columns_of([FLAT] * 100)
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    splits = assign_splits(columns, np.arange(100), shares, 0, Dedup(near_distance=None))
    assert np.bincount(splits).tolist() == [80, 10, 10]


def test_near_duplicates_with_flat_pictures_between_them_stay_in_one_split():
    columns = columns_of([FLAT, HASH, FLAT, HASH ^ 1] * 25)
    shares = {"train": 0.5, "test": 0.5}
    splits = assign_splits(columns, np.arange(100), shares, 0, Dedup(near_distance=None))
    assert len(set(splits[1::2].tolist())) == 1
    assert np.bincount(splits).tolist() == [50, 50]
