"""Splits get the wanted shares, groups of near-duplicates stay together, and every run does the same."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.archiving.options import Dedup
from shared.archiving.selection import apportion
from shared.archiving.selection.split import assign_splits
from tests.unit.archiving.selection.rows import columns_of

SHARES = st.sampled_from(
    [
        {"train": 0.8, "val": 0.1, "test": 0.1},
        {"train": 0.5, "test": 0.5},
        {"train": 1 / 3, "val": 1 / 3, "test": 1 / 3},
        {"train": 0.0, "val": 0.9, "test": 0.1},
    ]
)


COUNTS = st.lists(st.integers(1, 9), max_size=30)
WEIGHTS = st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any)


def _labelled(counts):
    """Returns columns with so many images of each label, no two of which are near."""
    columns = columns_of([(label, 1, 1, 0, 0) for label, count in enumerate(counts) for _ in range(count)])
    rng = np.random.default_rng(len(columns))
    columns.sha256 = np.frombuffer(rng.bytes(32 * len(columns)), "V32")
    columns.perceptual_hash = rng.integers(0, 2**64, len(columns), dtype=np.uint64)
    return columns


def _split_counts(columns, splits):
    """Returns the number of images by label and split."""
    counts = np.zeros((int(columns.label.max(initial=-1)) + 1, 3), np.int64)
    np.add.at(counts, (columns.label, splits), 1)
    return counts


@given(COUNTS, WEIGHTS, st.integers(0, 3))
def test_splits_are_exact_over_all_labels_and_within_one_image_in_each(counts, weights, seed):
    columns = _labelled(counts)
    shares = np.array(weights) / sum(weights)
    named = dict(zip(("train", "val", "test"), shares.tolist(), strict=True))
    splits = assign_splits(columns, np.arange(len(columns)), named, seed, Dedup())
    again = assign_splits(columns, np.arange(len(columns)), named, seed, Dedup())
    found = _split_counts(columns, splits)
    assert splits.tolist() == again.tolist()
    assert (np.abs(found - np.outer(counts, shares)) < 1 + 1e-6).all()
    assert (np.abs(found.sum(axis=0) - sum(counts) * shares) < 1 - 1e-6).all()
    assert not found[:, shares == 0].any()


@pytest.mark.parametrize(("labels", "each"), [(1000, 5), (200, 4), (100, 15), (500, 1)])
def test_many_small_labels_get_the_splits_that_were_asked_for(labels, each):
    columns = _labelled([each] * labels)
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    splits = assign_splits(columns, np.arange(len(columns)), shares, 0, Dedup())
    count = labels * each
    assert np.bincount(splits).tolist() == [count * 8 // 10, count // 10, count // 10]


def test_shares_that_add_up_to_a_little_less_than_one_leave_no_image_to_an_unwanted_split():
    columns = _labelled([300_000])
    shares = {"train": 0.499999, "val": 0.0, "test": 0.499998}
    splits = assign_splits(columns, np.arange(len(columns)), shares, 0, Dedup())
    assert np.bincount(splits).tolist() == [150_000, 0, 150_000]


def test_another_seed_draws_other_splits():
    columns = columns_of([(0, 1, 1, number, 0) for number in range(100)])
    halves = {"train": 0.5, "test": 0.5}
    drawn = [assign_splits(columns, np.arange(100), halves, seed, Dedup()).tolist() for seed in (0, 1)]
    assert drawn[0] != drawn[1]


def test_one_more_image_moves_few_others():
    columns = columns_of([(0, 1, 1, number, 0) for number in range(201)])
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    without = assign_splits(columns, np.arange(200), shares, 0, Dedup())
    all_of_them = assign_splits(columns, np.arange(201), shares, 0, Dedup())
    assert np.count_nonzero(without != all_of_them[:200]) <= 3


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 20)), max_size=80), SHARES, st.integers(0, 3))
def test_near_duplicates_stay_in_one_split_and_shares_are_kept_as_far_as_they_allow(rows, shares, seed):
    groups = [group for _, group in rows]
    columns = columns_of([(label, 1, 1, number % 256, 0) for number, (label, _) in enumerate(rows)])
    columns.perceptual_hash = (np.array(groups, np.uint64) + np.uint64(1)) * np.uint64(0x0F0F_3355_00FF_1235)
    splits = assign_splits(columns, np.arange(len(rows)), shares, seed, Dedup(near_distance=None))
    by_group: dict[int, set[int]] = {}
    for group, split in zip(groups, splits.tolist(), strict=True):
        by_group.setdefault(group, set()).add(split)
    assert all(len(found) == 1 for found in by_group.values())
    largest = max((groups.count(group) for group in groups), default=0)
    for number, share in enumerate(shares.values()):
        assert abs(splits.tolist().count(number) - len(groups) * share) <= max(1, largest)


def test_labels_whose_images_are_one_group_each_are_divided_among_splits():
    columns = _labelled([3] * 100)
    columns.perceptual_hash = np.repeat(columns.perceptual_hash[::3], 3)
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    splits = assign_splits(columns, np.arange(300), shares, 0, Dedup(near_distance=None))
    assert np.bincount(splits).tolist() == [240, 30, 30]


def test_single_images_make_up_for_groups():
    hashes = [1] * 7 + [0xFFFF << (number % 48) for number in range(93)]
    columns = columns_of([(0, 1, 1, number, 0) for number in range(100)])
    columns.perceptual_hash = np.array(hashes, np.uint64)
    columns.perceptual_hash[7:] = np.random.default_rng(0).integers(2**62, 2**64, 93, dtype=np.uint64)
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    splits = assign_splits(columns, np.arange(100), shares, 0, Dedup(near_distance=None))
    assert np.bincount(splits).tolist() == [80, 10, 10]
    assert len(set(splits[:7].tolist())) == 1


def test_the_documented_example_of_splits_is_right():
    columns = _labelled([10, 5, 5])
    columns.perceptual_hash[1] = columns.perceptual_hash[0]
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    splits = assign_splits(columns, np.arange(20), shares, 0, Dedup(near_distance=None))
    cats, dogs, horses = _split_counts(columns, splits).tolist()
    assert cats == [8, 1, 1]
    assert sorted([dogs, horses]) == [[4, 0, 1], [4, 1, 0]]
    assert splits[:2].tolist() == [0, 0]


def test_the_documented_example_of_rounding_is_right():
    assert doctest.testmod(apportion) == (0, 2)
