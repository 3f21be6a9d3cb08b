"""Decides which of the kept images go into the dataset.

Images that the operator was asked not to use are dropped first, whatever they are copies of.
Copies are dropped: images with the same bytes, and images that look nearly the same. The best copy stays: the one with
the most pixels, then the most bytes, then the lowest index. This holds across labels, so an image stays under the label
of its best copy. An image that an earlier dataset has is dropped, however good it is. Of the images that are no copies,
those are dropped whose scores are among the lowest or highest of their label. Then each label keeps its images with the
lowest indices, up to its limit. Images that were dropped as copies of one that is over its limit get another
chance if their own labels have room: the best of them is selected, unless it is near to a selected image. At last, the
dataset keeps its images with the lowest indices, up to its own limit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.archiving.options import Dedup
from shared.archiving.selection.columns import Columns
from shared.archiving.selection.earlier import NOTHING_EARLIER, Earlier
from shared.archiving.selection.near import FLAT, Hashes, Positions, near_between
from shared.archiving.selection.percentiles import ScoreBounds, score_bounds
from shared.archiving.selection.similar import leaders
from shared.records.records import Reason
from shared.records.scores import ScoreRanges

SELECTED = 0
# each round may fill labels, and so make another round necessary: contrived images need as many rounds as labels
_FURTHER_ROUNDS = 8
REASONS = (
    None,
    Reason.DUPLICATE,
    Reason.NEAR_DUPLICATE,
    Reason.PERCENTILE_FILTERED,
    Reason.OVER_LIMIT,
    Reason.OPTED_OUT,
)
"""The meaning of the numbers in `Selection.verdict`. None means that the image is selected."""


class _Drop(NamedTuple):
    """Rows that are dropped for one reason. `twin` and `known` are as in `Selection`."""

    reason: Reason
    rows: Positions
    twin: Positions | int = -1
    known: Positions | int = -1


@dataclass(frozen=True, slots=True)
class Selection:
    """The verdict on each row (a position in `REASONS`), and the image that the row is a copy of.

    `twin` is a row of the same job. `known` is a position in the images of the earlier datasets. At most one
    of them is set; -1 means that it is not. `bounds` are those by which scores were filtered.
    """

    verdict: NDArray[np.int8]
    twin: Positions
    known: Positions
    bounds: ScoreBounds = field(default_factory=ScoreBounds)

    @property
    def rows(self) -> Positions:
        """The selected rows, in order of index."""
        return np.flatnonzero(self.verdict == SELECTED)

    def among(self, rows: Positions) -> Positions:
        """Returns the selected ones among these rows, in the same order."""
        selected: Positions = rows[self.verdict[rows] == SELECTED]
        return selected

    def with_verdicts(self, rows: Positions, drops: Iterable[_Drop]) -> "Selection":
        """Returns a selection with new verdicts on these rows: those in `drops` are dropped, the others selected."""
        verdict, twin, known = self.verdict.copy(), self.twin.copy(), self.known.copy()
        verdict[rows], twin[rows], known[rows] = SELECTED, -1, -1
        for drop in drops:
            verdict[drop.rows] = REASONS.index(drop.reason)
            twin[drop.rows] = drop.twin
            known[drop.rows] = drop.known
        return replace(self, verdict=verdict, twin=twin, known=known)


@dataclass(frozen=True, slots=True)
class Limits:
    """The maximal numbers of images: of each label but the `whole_labels`, and of the whole dataset. None: no limit."""

    per_label: int | None = None
    whole_labels: Sequence[str] = ()
    whole: int | None = None


NO_LIMITS = Limits()
NO_RANGES: ScoreRanges = {}


def select(
    columns: Columns,
    dedup: Dedup,
    limits: Limits = NO_LIMITS,
    earlier: Earlier = NOTHING_EARLIER,
    scores: ScoreRanges = NO_RANGES,
) -> Selection:
    """Selects images. The function is pure. Only the percentiles of the `scores` count here."""
    count = len(columns)
    selection = Selection(np.zeros(count, np.int8), np.full(count, -1), np.full(count, -1))
    if count and dedup.exact and len(earlier):
        known = _known_bytes(columns, earlier)
        selection = selection.with_verdicts(known.rows, [known])
    if columns.opted_out is not None:
        opted_out = np.flatnonzero(columns.opted_out)
        selection = selection.with_verdicts(opted_out, [_Drop(Reason.OPTED_OUT, opted_out)])
    preference = np.lexsort((columns.index, -columns.size, -columns.pixels))
    most = _limits(columns, limits.per_label, frozenset(limits.whole_labels))
    rows, standing = selection.among(preference), np.empty(0, np.int64)
    for number in range(1 + _FURTHER_ROUNDS):
        if not len(rows):
            break
        selection = selection.with_verdicts(rows, _copies(columns, rows, standing, dedup, earlier))
        different = selection.among(rows)
        if not number:
            selection = replace(selection, bounds=score_bounds(columns, different, scores))
        outside = selection.bounds.outside(columns, different)
        selection = selection.with_verdicts(outside, [_Drop(Reason.PERCENTILE_FILTERED, outside)])
        over = _over_limit(columns, selection.among(rows), standing, most)
        selection = selection.with_verdicts(over.rows, [over])
        standing = selection.among(preference)
        rows = _copies_with_room(columns, preference, most, selection)
    too_many = selection.rows[count if limits.whole is None else limits.whole :]
    return selection.with_verdicts(too_many, [_Drop(Reason.OVER_LIMIT, too_many)])


def _limits(columns: Columns, limit: int | None, whole_labels: frozenset[str]) -> Positions:
    """Returns the maximal number of images of each label."""
    count = len(columns)
    limits = [count if limit is None or label in whole_labels else limit for label in columns.labels]
    return np.array(limits, np.int64)


def _known_bytes(columns: Columns, earlier: Earlier) -> _Drop:
    """Drops rows whose bytes an earlier dataset has."""
    both = np.concatenate([earlier.sha256, columns.sha256])
    _, first, inverse = np.unique(both, return_index=True, return_inverse=True)
    # the first image with the same bytes is an earlier one if any earlier dataset has them
    found = first[inverse[len(earlier) :]]
    rows = np.flatnonzero(found < len(earlier))
    return _Drop(Reason.DUPLICATE, rows, known=found[rows])


def _copies(
    columns: Columns, rows: Positions, standing: Positions, dedup: Dedup, earlier: Earlier
) -> Iterator[_Drop]:
    """Drops rows that are copies of better rows, of rows that are `standing` already, or of earlier images.

    The rows are in order of preference. Each row is compared with those that the rules before have not dropped.
    """
    if dedup.exact:
        best = _best_of_equal_bytes(columns, rows)
        yield _Drop(Reason.DUPLICATE, rows[best != rows], twin=best[best != rows])
        rows = rows[best == rows]
    distance = dedup.near_distance
    if distance is None:
        return
    hashes = columns.perceptual_hash
    rows = rows[hashes[rows] != FLAT]
    known = _first_near(earlier.perceptual_hash, hashes[rows], distance)
    yield _Drop(Reason.NEAR_DUPLICATE, rows[known >= 0], known=known[known >= 0])
    rows = rows[known < 0]
    stands = _first_near(hashes[standing], hashes[rows], distance)
    yield _Drop(Reason.NEAR_DUPLICATE, rows[stands >= 0], twin=standing[stands[stands >= 0]])
    rows = rows[stands < 0]
    best = _best_of_near(hashes, rows, distance)
    yield _Drop(Reason.NEAR_DUPLICATE, rows[best != rows], twin=best[best != rows])


def _best_of_equal_bytes(columns: Columns, rows: Positions) -> Positions:
    """Returns for each row the first row that has the same bytes. The rows are in order of preference."""
    words = columns.sha256.view("<u8").reshape(len(columns), -1)
    # sorted by words: np.unique would hold several copies of all hashes at once
    order = np.lexsort([words[rows, place] for place in range(words.shape[1])])
    ordered = rows[order]
    begins = np.zeros(len(rows), np.bool)
    begins[:1] = True
    for word in words.T:
        begins[1:] |= word[ordered[1:]] != word[ordered[:-1]]
    first = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
    best = np.empty_like(rows)
    best[order] = ordered[first]
    return best


def _best_of_near(hashes: Hashes, rows: Positions, distance: int) -> Positions:
    """Returns for each row the row that leads it (see `leaders`). The rows are in order of preference."""
    _, first, inverse = np.unique(hashes[rows], return_index=True, return_inverse=True)
    # the different hashes in order of preference
    order = np.argsort(first)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    best = rows[first[order]]
    leading: Positions = best[leaders(hashes[best], distance)[place[inverse]]]
    return leading


def _first_near(known: Hashes, hashes: Hashes, distance: int) -> Positions:
    """Returns for each hash the position of the first known hash that is near to it, or -1 if there is none.

    Known hashes that are `FLAT` are not near to any hash.
    """
    different, first = np.unique(known, return_index=True)
    different, first = different[different != FLAT], first[different != FLAT]
    if not len(different) or not len(hashes):
        return np.full(len(hashes), -1)
    wanted, inverse = np.unique(hashes, return_inverse=True)
    nearest = np.full(len(wanted), len(known))
    for i, j in near_between(different, wanted, distance):
        np.minimum.at(nearest, j, first[i])
    return np.where(nearest < len(known), nearest, -1)[inverse]


def _over_limit(columns: Columns, rows: Positions, standing: Positions, limits: Positions) -> _Drop:
    """Drops rows for which their label has no room beside the `standing` ones. Low indices come first."""
    rows = rows[np.lexsort((rows, columns.label[rows]))]
    labels = columns.label[rows]
    taken = np.bincount(columns.label[standing], minlength=len(columns.labels))
    place_in_label = np.arange(len(rows)) - np.searchsorted(labels, labels)
    return _Drop(Reason.OVER_LIMIT, rows[taken[labels] + place_in_label >= limits[labels]])


def _copies_with_room(
    columns: Columns, preference: Positions, limits: Positions, selection: Selection
) -> Positions:
    """Returns the copies of rows that are over their limit, if the copies' own labels have room, best first."""
    over = selection.verdict == REASONS.index(Reason.OVER_LIMIT)
    if not over.any():
        return np.empty(0, np.int64)
    # the end of each row's chain: the row itself, its twin, the twin's twin and so on
    original = np.where(selection.twin < 0, np.arange(len(columns)), selection.twin)
    while not np.array_equal(further := original[original], original):
        original = further
    taken = np.bincount(columns.label[selection.rows], minlength=len(columns.labels))
    again = over[original] & ~over & (taken < limits)[columns.label]
    rows: Positions = preference[again[preference]]
    return rows
