import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.archiving.names import folder_names
from shared.archiving.near import near_pairs
from shared.archiving.options import Dedup
from shared.archiving.select import REASONS, select
from shared.archiving.split import assign_splits
from shared.archiving.table import Columns

ROW = st.tuples(
    st.integers(0, 2),  # label
    st.integers(1, 4),  # pixels
    st.integers(1, 4),  # size
    st.integers(0, 5),  # content
    st.integers(0, 15),  # hash bits
)


def _columns(rows) -> Columns:
    count = len(rows)
    array = np.array(rows, np.int64).reshape(count, 5)
    shas = b"".join(bytes([row[3]]) * 32 for row in rows)
    return Columns(
        index=np.arange(count, dtype=np.int64),
        label=array[:, 0].astype(np.int32),
        shard=np.zeros(count, np.int32),
        offset=np.zeros(count, np.int64),
        size=array[:, 2],
        crc32=np.zeros(count, np.uint32),
        pixels=array[:, 1],
        perceptual_hash=array[:, 4].astype(np.uint64),
        sha256=np.frombuffer(shas, "V32"),
        extension=np.zeros(count, np.int8),
        labels=("a", "b", "c"),
        shards=("s",),
    )


def _distance(columns, left, right):
    return (int(columns.perceptual_hash[left]) ^ int(columns.perceptual_hash[right])).bit_count()


@given(st.lists(ROW, max_size=40), st.integers(0, 3), st.none() | st.integers(1, 5))
def test_no_two_selected_images_are_the_same_and_every_other_says_why(rows, distance, limit):
    columns = _columns(rows)
    selection = select(columns, Dedup(exact=True, near_distance=distance), limit)
    chosen = selection.rows.tolist()
    for position, left in enumerate(chosen):
        for right in chosen[:position]:
            assert bytes(columns.sha256[left]) != bytes(columns.sha256[right])
            assert _distance(columns, left, right) > distance
    for row, (verdict, twin) in enumerate(
        zip(selection.verdict.tolist(), selection.twin.tolist(), strict=True)
    ):
        reason = REASONS[verdict]
        if reason == "duplicate":
            assert bytes(columns.sha256[row]) == bytes(columns.sha256[twin])
        elif reason == "near_duplicate":
            assert _distance(columns, row, twin) <= distance
            assert (columns.pixels[twin], columns.size[twin]) >= (columns.pixels[row], columns.size[row])
    if limit is not None and chosen:
        assert np.bincount(columns.label[selection.rows]).max() <= limit


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300), max_size=60), st.integers(0, 8))
def test_near_pairs_are_all_and_only_the_near_ones(hashes, distance):
    array = np.array(hashes, np.uint64)
    expected = {
        (i, j)
        for j in range(len(hashes))
        for i in range(j)
        if (hashes[i] ^ hashes[j]).bit_count() <= distance
    }
    assert {tuple(pair) for pair in near_pairs(array, distance).tolist()} == expected


@given(st.integers(0, 60), st.integers(0, 5))
def test_splits_are_exact_by_label_and_the_same_each_time(count, seed):
    rng = np.random.default_rng(count)
    rows = [(number % 2, 1, 1, number, 0) for number in range(count)]
    columns = _columns(rows)
    columns.perceptual_hash[:] = 0
    columns.perceptual_hash = rng.integers(0, 2**63, count, dtype=np.uint64)
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    chosen = np.arange(count)
    splits = assign_splits(columns, chosen, shares, seed)
    assert splits == assign_splits(columns, chosen, shares, seed)
    for label in (0, 1):
        of_label = [split for row, split in enumerate(splits) if columns.label[row] == label]
        for name, share in shares.items():
            assert abs(of_label.count(name) - len(of_label) * share) < 1


def test_near_duplicates_stay_in_one_split():
    columns = _columns([(0, 1, 1, number, 0) for number in range(30)])
    columns.perceptual_hash = np.repeat(np.arange(10, dtype=np.uint64) * np.uint64(0x0F0F_3355_00FF_1234), 3)
    splits = assign_splits(columns, np.arange(30), {"train": 0.5, "test": 0.5}, 0)
    for start in range(0, 30, 3):
        assert len(set(splits[start : start + 3])) == 1


@given(st.lists(st.text(max_size=60), unique=True, max_size=20))
def test_labels_never_share_a_folder_and_folders_are_safe(labels):
    names = folder_names(labels)
    assert len({name.casefold() for name in names.values()}) == len(labels)
    for name in names.values():
        assert name
        assert name not in {".", ".."}
        assert not set(name) & set('<>:"/\\|?*\0\n')
        assert name == name.strip(" ")
        assert not name.endswith(".")
        assert len(name.encode()) <= 140


@pytest.mark.parametrize(
    "label", ["../../etc", "con", "NUL.txt", "a/b", ".", "..", "x" * 300, "🐈" * 80, "\u202eabc"]
)
def test_dangerous_labels_become_harmless_folders(label):
    name = folder_names([label])[label]
    assert "/" not in name
    assert name.lower().split(".")[0] not in {"con", "nul", ""}
    assert len(name.encode()) <= 140
