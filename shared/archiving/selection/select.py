"""Decides which of the kept images go into the dataset: duplicates out, labels within their limit.

Of images that are the same, the best copy stays: most pixels, then most bytes, then first found. That holds across
labels too: a picture stays under the label of its best copy. What an earlier dataset has stays there, however good the
copy. The limit of a label keeps what was found first. Copies of an image that it leaves out get another chance where
their labels have room: the best of them comes in, unless it is near to one that is in already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.archiving.options import Dedup
from shared.archiving.selection.columns import Columns
from shared.archiving.selection.earlier import NOTHING_EARLIER, Earlier
from shared.archiving.selection.near import FLAT, Hashes, Positions, near_between
from shared.archiving.selection.similar import leaders
from shared.records.records import Reason

SELECTED = 0
_CHANCES = 8  # each can fill labels and so call for another: a contrived chain goes on for as long as there are labels
REASONS = (None, Reason.DUPLICATE, Reason.NEAR_DUPLICATE, Reason.OVER_LIMIT)
"""What the numbers in `Selection.verdict` mean."""


@dataclass(frozen=True, slots=True)
class Selection:
    """For each row its verdict (a position in `REASONS`) and what it is a duplicate of.

    `twin` is a row of the same job, `known` an image of the earlier datasets; -1 where there is none.
    """

    verdict: NDArray[np.int8]
    twin: Positions
    known: Positions

    @property
    def rows(self) -> Positions:
        """The selected rows, in order of index."""
        return np.flatnonzero(self.verdict == SELECTED)


def select(
    columns: Columns,
    dedup: Dedup,
    max_images_per_label: int | None,
    earlier: Earlier = NOTHING_EARLIER,
    whole_labels: Sequence[str] = (),
) -> Selection:
    """The selection; a pure function of its arguments. The limit is not for the `whole_labels`."""
    count = len(columns)
    selection = Selection(np.zeros(count, np.int8), np.full(count, -1), np.full(count, -1))
    preference = np.lexsort((columns.index, -columns.size, -columns.pixels))
    if count and dedup.exact:
        _drop_known(columns, earlier, selection)
    limits = _limits(columns, max_images_per_label, frozenset(whole_labels))
    rows, standing = _selected(preference, selection), np.empty(0, np.int64)
    for _ in range(1 + _CHANCES):
        if not len(rows):
            break
        _drop_copies(columns, rows, standing, dedup, earlier, selection)
        _drop_beyond(columns, rows, standing, limits, selection)
        standing = _selected(preference, selection)
        rows = _dropped_in_vain(columns, preference, limits, selection)
    return selection


def _limits(columns: Columns, limit: int | None, whole: frozenset[str]) -> Positions:
    """How many images each label may have."""
    count = len(columns)
    least = [count if limit is None or label in whole else limit for label in columns.labels]
    return np.array(least, np.int64)


def _selected(rows: Positions, selection: Selection) -> Positions:
    """Those of the rows that are not dropped, in their order."""
    still_in: Positions = rows[selection.verdict[rows] == SELECTED]
    return still_in


def _drop_known(columns: Columns, earlier: Earlier, selection: Selection) -> None:
    if not len(earlier):
        return
    both = np.concatenate([earlier.sha256, columns.sha256])
    _, first, inverse = np.unique(both, return_index=True, return_inverse=True)
    found = first[
        inverse[len(earlier) :]
    ]  # the first of all that are equal: an earlier one, where there is one
    rows = np.flatnonzero(found < len(earlier))
    selection.verdict[rows] = REASONS.index(Reason.DUPLICATE)
    selection.known[rows] = found[rows]


def _drop_copies(
    columns: Columns,
    rows: Positions,
    standing: Positions,
    dedup: Dedup,
    earlier: Earlier,
    selection: Selection,
) -> None:
    """Of rows in order of preference, drop those that are the same as others of them, as earlier or standing ones."""
    selection.verdict[rows] = SELECTED
    selection.twin[rows] = -1
    if dedup.exact:
        _drop_exact(columns, rows, selection)
    if dedup.near_distance is None:
        return
    rows = _selected(rows, selection)
    rows = rows[columns.perceptual_hash[rows] != FLAT]
    near = REASONS.index(Reason.NEAR_DUPLICATE)
    found = _nearest(earlier.perceptual_hash, columns.perceptual_hash[rows], dedup.near_distance)
    selection.verdict[rows[found >= 0]] = near
    selection.known[rows] = found
    rows = rows[found < 0]
    found = _nearest(columns.perceptual_hash[standing], columns.perceptual_hash[rows], dedup.near_distance)
    selection.verdict[rows[found >= 0]] = near
    selection.twin[rows[found >= 0]] = standing[found[found >= 0]]
    _drop_near(columns, rows[found < 0], dedup.near_distance, selection)


def _nearest(known: Hashes, hashes: Hashes, distance: int) -> Positions:
    """For each hash the first of the known ones that is near to it; -1 where none is. `known` may hold `FLAT`."""
    different, first = np.unique(known, return_index=True)
    different, first = different[different != FLAT], first[different != FLAT]
    if not len(different) or not len(hashes):
        return np.full(len(hashes), -1)
    wanted, inverse = np.unique(hashes, return_inverse=True)
    nearest = np.full(len(wanted), len(known))
    for i, j in near_between(different, wanted, distance):
        np.minimum.at(nearest, j, first[i])
    return np.where(nearest < len(known), nearest, -1)[inverse]


def _drop_exact(columns: Columns, rows: Positions, selection: Selection) -> None:
    words = columns.sha256.view("<u8").reshape(len(columns), -1)
    # sorted by words: np.unique would hold several copies of all hashes at once
    rows = rows[np.lexsort([words[rows, place] for place in range(words.shape[1])])]
    begins = np.zeros(len(rows), np.bool)
    begins[:1] = True
    for word in words.T:
        begins[1:] |= word[rows[1:]] != word[rows[:-1]]
    first = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
    _follow(rows, rows[first], Reason.DUPLICATE, selection)


def _drop_near(columns: Columns, rows: Positions, distance: int, selection: Selection) -> None:
    _, first, inverse = np.unique(columns.perceptual_hash[rows], return_index=True, return_inverse=True)
    order = np.argsort(first)  # the different hashes by preference
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    best = rows[first[order]]
    leader = leaders(columns.perceptual_hash[best], distance)
    _follow(rows, best[leader[place[inverse]]], Reason.NEAR_DUPLICATE, selection)


def _follow(rows: Positions, stays: Positions, reason: Reason, selection: Selection) -> None:
    """Of each row and the one that stays in its place, drop the row where they are two."""
    dropped = stays != rows
    selection.verdict[rows[dropped]] = REASONS.index(reason)
    selection.twin[rows[dropped]] = stays[dropped]


def _drop_beyond(
    columns: Columns,
    rows: Positions,
    standing: Positions,
    limits: Positions,
    selection: Selection,
) -> None:
    """Drop what is over the limit of each label, where some stand already."""
    rows = _selected(rows, selection)
    rows = rows[np.lexsort((rows, columns.label[rows]))]
    labels = columns.label[rows]
    taken = np.bincount(columns.label[standing], minlength=len(columns.labels))
    place = np.arange(len(rows)) - np.searchsorted(labels, labels) + taken[labels]
    selection.verdict[rows[place >= limits[labels]]] = REASONS.index(Reason.OVER_LIMIT)


def _dropped_in_vain(
    columns: Columns, preference: Positions, limits: Positions, selection: Selection
) -> Positions:
    """The copies of what is over a limit, by preference, as far as their own labels have room."""
    over = selection.verdict == REASONS.index(Reason.OVER_LIMIT)
    if not over.any():
        return np.empty(0, np.int64)
    stays = np.where(selection.twin < 0, np.arange(len(columns)), selection.twin)
    while not np.array_equal(further := stays[stays], stays):
        stays = further
    taken = np.bincount(columns.label[selection.rows], minlength=len(columns.labels))
    again = over[stays] & ~over & (taken < limits)[columns.label]
    rows: Positions = preference[again[preference]]
    return rows
