"""Percentiles drop the images of each label with the lowest or highest scores, and never more than their share."""

import gzip
import json
import tracemalloc
from dataclasses import replace
from fractions import Fraction
from typing import cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.archiving.options import Dedup
from shared.archiving.selection.percentiles import score_bounds
from shared.archiving.selection.select import NO_LIMITS, REASONS, Limits, select
from shared.records.records import Kept, Reason, decode_records, encode_records
from shared.records.scores import SCORES, ScoreRange, ScoreRanges
from tests.unit.archiving.selection.rows import columns_of

NO_DEDUP = Dedup(exact=False, near_distance=None)
SHARPNESS = SCORES.index("sharpness")
ENTROPY = SCORES.index("entropy")
RELEVANCE = SCORES.index("relevance")


def columns_with(labels, scores, number=SHARPNESS):
    columns = columns_of([(label, 1, 1, 0, row % 16) for row, label in enumerate(labels)])
    columns.scores[:, number] = scores
    return columns


def kept(columns, dedup=NO_DEDUP, limits=NO_LIMITS, **ranges: ScoreRange):
    selection = select(columns, dedup, limits, scores=cast("ScoreRanges", ranges))
    for row in np.flatnonzero(selection.verdict == REASONS.index(Reason.PERCENTILE_FILTERED)):
        assert selection.bounds.explain(columns, int(row))
    return selection.rows.tolist()


def test_each_label_loses_its_own_lowest_and_highest():
    labels = [0] * 100 + [1] * 100
    scores = [*range(100), *range(1000, 1100)]
    found = kept(columns_with(labels, scores), sharpness=ScoreRange(min_percentile=5, max_percentile=98))
    assert found == [*range(5, 98), *range(105, 198)]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=60),
    st.integers(0, 399).map(lambda quarters: quarters / 4),
)
def test_a_percentile_drops_at_most_its_share_and_never_divides_equal_scores(rows, percent):
    labels, scores = [label for label, _ in rows], [score for _, score in rows]
    found = set(kept(columns_with(labels, scores), sharpness=ScoreRange(min_percentile=percent)))
    turned = columns_with(labels, [-score for score in scores])
    assert found == set(kept(turned, sharpness=ScoreRange(max_percentile=100 - percent)))
    for label in set(labels):
        mine = [row for row, of_row in enumerate(labels) if of_row == label]
        dropped = sorted({scores[row] for row in mine if row not in found})
        allowed = int(Fraction(repr(percent)) * len(mine) / 100)
        assert len([row for row in mine if row not in found]) <= allowed
        stay = sorted(scores[row] for row in mine if row in found)
        assert stay
        assert not dropped or dropped[-1] < stay[0]
        # the next score would be too many
        assert len([row for row in mine if scores[row] <= stay[0]]) > allowed


def test_a_label_with_few_images_loses_none():
    for count, dropped in ((1, 0), (19, 0), (20, 1), (39, 1), (40, 2)):
        found = kept(columns_with([0] * count, range(count)), sharpness=ScoreRange(min_percentile=5))
        assert count - len(found) == dropped


def test_scores_are_compared_on_their_own_over_all_images():
    columns = columns_with([0] * 10, range(10))
    columns.scores[:, ENTROPY] = range(10)
    found = kept(columns, sharpness=ScoreRange(min_percentile=20), entropy=ScoreRange(min_percentile=20))
    assert found == list(range(2, 10))


def test_copies_do_not_count_and_limits_come_afterwards():
    columns = columns_of([(0, 1, 1, row // 10 if row < 40 else row, 0) for row in range(50)])
    columns.scores[:, SHARPNESS] = range(50)
    # four images with ten copies each, and ten others: 14 images, of which 7 are dropped
    dedup, limits = Dedup(near_distance=None), Limits(per_label=4)
    found = kept(columns, dedup, limits, sharpness=ScoreRange(min_percentile=50))
    assert found == [43, 44, 45, 46]


def test_values_alone_change_nothing():
    columns = columns_with([0] * 10, range(10))
    assert kept(columns, sharpness=ScoreRange(min=5, max=6)) == list(range(10))


def test_a_label_whose_images_are_all_copies_is_bounded_by_nothing():
    # all images of the second label are copies of those of the first one, which is full
    rows = [(0, 2, 1, row, row) for row in range(8)] + [(1, 1, 1, row, row) for row in range(8)]
    columns = columns_of(rows)
    columns.scores[:, SHARPNESS] = [*range(8), *range(8)]
    limits = Limits(per_label=4)
    dedup = Dedup(near_distance=None)
    without = kept(columns, dedup, limits)
    assert without == [0, 1, 2, 3, 12, 13, 14, 15]
    assert kept(columns, dedup, limits, sharpness=ScoreRange(max_percentile=95)) == without


def test_a_million_images_take_flat_memory():
    count = 1_000_000
    columns = columns_of(np.zeros((0, 5), np.int64))
    rng = np.random.default_rng(0)
    columns = replace(
        columns,
        label=rng.integers(0, 3, count, dtype=np.int32),
        scores=rng.random((count, len(SCORES)), np.float32),
    )
    tracemalloc.start()
    try:
        bounds = score_bounds(columns, np.arange(count), {"entropy": ScoreRange(min_percentile=5)})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50_000_000
    assert np.allclose(bounds.lowest["entropy"], 0.05, atol=0.01)


async def test_the_records_say_which_score_was_too_low(studio):
    order = await studio.crawl(30, scores={"sharpness": ScoreRange(min_percentile=20)})
    for name in order.record_blobs:
        records = list(decode_records(await studio.blobs.get(name)))
        changed = [
            replace(
                one, outcome=replace(one.outcome, facts=replace(one.outcome.facts, sharpness=one.index + 0.5))
            )
            if isinstance(one.outcome, Kept)
            else one
            for one in records
        ]
        await studio.blobs.put(name, encode_records(changed))
    archived = await studio.archive(order)
    lines = gzip.decompress(await studio.blobs.get(archived.records_blob)).splitlines()
    found = [json.loads(line) for line in lines]
    dropped = {one["index"]: one["detail"] for one in found if one.get("reason") == "percentile_filtered"}
    assert dropped[0] == "sharpness 0.5 is below 3.5, percentile 20 of the label"
    assert sorted(dropped) == [0, 1, 2]
    assert archived.image_count == 24
    assert sum(counts.get("percentile_filtered", 0) for counts in archived.counts.values()) == 3


@given(st.lists(st.tuples(st.integers(0, 2), st.one_of(st.none(), st.floats(-1, 1, width=32))), max_size=80))
def test_images_without_a_score_are_neither_counted_nor_dropped(rows):
    measured = [row for row, (_, value) in enumerate(rows) if value is not None]
    columns = columns_with(
        [label for label, _ in rows], np.array([value for _, value in rows], float), RELEVANCE
    )
    alone = columns_with([rows[row][0] for row in measured], [rows[row][1] for row in measured], RELEVANCE)
    same = kept(alone, relevance=ScoreRange(min_percentile=20))
    unmeasured = set(range(len(rows))) - set(measured)
    found = kept(columns, relevance=ScoreRange(min_percentile=20))
    assert found == sorted({measured[row] for row in same} | unmeasured)
