"""The selection has the best of all copies of an image, within the limits of labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.archiving.options import Dedup
from shared.archiving.selection.earlier import Earlier
from shared.archiving.selection.select import REASONS, Limits, select
from tests.unit.archiving.selection.rows import ROW, columns_of


def _distance(columns, left, right):
    return (int(columns.perceptual_hash[left]) ^ int(columns.perceptual_hash[right])).bit_count()


@given(st.lists(ROW, max_size=40), st.integers(0, 3), st.none() | st.integers(1, 5))
def test_no_two_selected_images_are_copies_and_every_dropped_image_has_a_reason(rows, distance, limit):
    columns = columns_of(rows)
    selection = select(columns, Dedup(exact=True, near_distance=distance), Limits(limit))
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
            better = (columns.pixels[twin], columns.size[twin]) >= (columns.pixels[row], columns.size[row])
            assert better or (limit is not None and REASONS[selection.verdict[twin]] is None)
    if limit is not None and chosen:
        assert np.bincount(columns.label[selection.rows]).max() <= limit


@given(st.lists(ROW, max_size=40), st.none() | st.integers(0, 3), st.integers(1, 5))
def test_no_image_is_missing_from_a_label_with_room_for_a_copy_that_is_not_in_the_dataset(
    rows, distance, limit
):
    columns = columns_of(rows)
    selection = select(columns, Dedup(exact=True, near_distance=distance), Limits(limit))
    counts = np.bincount(columns.label[selection.rows], minlength=3)
    for row in range(len(rows)):
        stays = row
        while selection.twin[stays] >= 0:
            stays = int(selection.twin[stays])
        in_it = REASONS[selection.verdict[stays]] is None
        assert in_it or counts[columns.label[row]] == limit


@pytest.mark.parametrize(
    ("rows", "verdicts"),
    [
        ([(1, 1, 1, 2, 0x0F0F)], [None]),
        ([(1, 1, 1, 2, 0x0F0F), (2, 5, 5, 3, 0x0F0E)], ["near_duplicate", None]),  # the better copy comes in
        ([(1, 1, 1, 2, 0x0F0F), (1, 5, 5, 3, 0xF0F0_F0F0)], ["duplicate", None]),  # there is no room
    ],
)
def test_a_copy_of_an_image_that_is_over_its_limit_fills_another_label(rows, verdicts):
    full = [(0, 1, 1, 1, 0xFFFF_0000_0000), (0, 9, 9, 2, 0x0F0F)]
    selection = select(columns_of([*full, *rows]), Dedup(), Limits(1))
    found = [REASONS[verdict] for verdict in selection.verdict.tolist()]
    assert found == [None, "over_limit", *verdicts]


def _earlier(rows):
    shas = b"".join(bytes([row[0]]) * 32 for row in rows)
    return Earlier(
        ("d1",),
        np.zeros(len(rows), np.int32),
        np.arange(len(rows), dtype=np.int64),
        np.array([row[1] for row in rows], np.uint64) | np.uint64(1 << 63),
        np.frombuffer(shas, "V32"),
    )


@given(
    st.lists(ROW, max_size=30),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 255)), max_size=10),
    st.none() | st.integers(0, 2),
    st.booleans(),
)
def test_images_of_an_earlier_dataset_are_left_out(rows, known, distance, exact):
    columns, earlier = columns_of(rows), _earlier(known)
    selection = select(columns, Dedup(exact=exact, near_distance=distance), earlier=earlier)
    for row in range(len(rows)):
        same = exact and any(sha == rows[row][3] for sha, _ in known)
        close = distance is not None and any((h ^ rows[row][4]).bit_count() <= distance for _, h in known)
        at, reason = int(selection.known[row]), REASONS[int(selection.verdict[row])]
        if same:
            assert reason == "duplicate"
            assert known[at][0] == rows[row][3]
        elif at >= 0:
            assert reason == "near_duplicate"
            assert (known[at][1] ^ rows[row][4]).bit_count() <= distance
        elif close:  # it is a copy of another one of the job
            assert reason == "duplicate"
            assert rows[int(selection.twin[row])][3] == rows[row][3]
        if reason is None:
            assert not same
            assert not close


@given(st.lists(ROW, max_size=40), st.integers(1, 5))
def test_the_limit_does_not_apply_to_whole_labels(rows, limit):
    columns = columns_of(rows)
    nothing = Dedup(exact=False, near_distance=None)
    whole = select(columns, nothing, Limits(limit, ("b",))).rows
    without, limited = select(columns, nothing).rows, select(columns, nothing, Limits(limit)).rows
    is_b = columns.label == columns.labels.index("b")
    assert set(whole) == {*without[is_b[without]], *limited[~is_b[limited]]}


@given(st.lists(ROW, max_size=40), st.none() | st.integers(1, 5), st.integers(0, 10))
def test_the_limit_of_the_whole_dataset_keeps_the_first_images_and_names_its_reason(rows, limit, most):
    columns = columns_of(rows)
    dedup = Dedup(near_distance=0)
    without = select(columns, dedup, Limits(limit))
    whole = select(columns, dedup, Limits(limit, whole=most))
    assert whole.rows.tolist() == without.rows[:most].tolist()
    over = without.rows[most:]
    assert {REASONS[verdict] for verdict in whole.verdict[over]} <= {"over_limit"}
    others = np.setdiff1d(np.arange(len(columns)), over)
    assert whole.verdict[others].tolist() == without.verdict[others].tolist()
