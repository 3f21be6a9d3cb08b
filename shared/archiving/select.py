"""Decides which of the kept images go into the dataset: duplicates out, labels within their limit.

Of images that are the same, the best copy stays: most pixels, then most bytes, then first found. That holds across
labels too: a picture stays under the label of its best copy. What an earlier dataset has stays there, however good the
copy. The limit of a label keeps what was found first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.archiving.earlier import NOTHING_EARLIER, Earlier
from shared.archiving.near import near_between
from shared.archiving.options import Dedup
from shared.archiving.similar import leaders
from shared.archiving.table import Columns
from shared.records import Reason

SELECTED = 0
REASONS = (None, Reason.DUPLICATE, Reason.NEAR_DUPLICATE, Reason.OVER_LIMIT)
"""What the numbers in `Selection.verdict` mean."""


@dataclass(frozen=True, slots=True)
class Selection:
    """For each row its verdict (a position in `REASONS`) and what it is a duplicate of.

    `twin` is a row of the same job, `known` an image of the earlier datasets; -1 where there is none.
    """

    verdict: NDArray[np.int8]
    twin: NDArray[np.int64]
    known: NDArray[np.int64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """The selected rows, in order of index."""
        return np.flatnonzero(self.verdict == SELECTED)


def select(
    columns: Columns, dedup: Dedup, max_images_per_label: int | None, earlier: Earlier = NOTHING_EARLIER
) -> Selection:
    """The selection; a pure function of its arguments."""
    count = len(columns)
    selection = Selection(np.zeros(count, np.int8), np.full(count, -1), np.full(count, -1))
    preference = np.lexsort((columns.index, -columns.size, -columns.pixels))
    if count and dedup.exact:
        _drop_known(columns, earlier, selection)
        _drop_exact(columns, preference, selection)
    if count and dedup.near_distance is not None:
        _drop_near_known(columns, earlier, dedup.near_distance, selection)
        _drop_near(columns, preference, dedup.near_distance, selection)
    if max_images_per_label is not None:
        _drop_beyond(columns, max_images_per_label, selection)
    return selection


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


def _drop_near_known(columns: Columns, earlier: Earlier, distance: int, selection: Selection) -> None:
    rows = np.flatnonzero(selection.verdict == SELECTED)
    if not len(earlier) or not len(rows):
        return
    known, first = np.unique(earlier.perceptual_hash, return_index=True)
    hashes, inverse = np.unique(columns.perceptual_hash[rows], return_inverse=True)
    nearest = np.full(len(hashes), len(earlier))
    for i, j in near_between(known, hashes, distance):
        np.minimum.at(nearest, j, first[i])
    found = nearest[inverse]
    near = found < len(earlier)
    selection.verdict[rows[near]] = REASONS.index(Reason.NEAR_DUPLICATE)
    selection.known[rows[near]] = found[near]


def _drop_exact(columns: Columns, preference: NDArray[np.int64], selection: Selection) -> None:
    rows = preference[selection.verdict[preference] == SELECTED]
    words = columns.sha256.view("<u8").reshape(len(columns), -1)
    # sorted by words: np.unique would hold several copies of all hashes at once
    rows = rows[np.lexsort([words[rows, place] for place in range(words.shape[1])])]
    begins = np.zeros(len(rows), np.bool)
    begins[:1] = True
    for word in words.T:
        begins[1:] |= word[rows[1:]] != word[rows[:-1]]
    first = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
    _follow(rows, rows[first], Reason.DUPLICATE, selection)


def _drop_near(columns: Columns, preference: NDArray[np.int64], distance: int, selection: Selection) -> None:
    rows = preference[selection.verdict[preference] == SELECTED]
    _, first, inverse = np.unique(columns.perceptual_hash[rows], return_index=True, return_inverse=True)
    order = np.argsort(first)  # the different hashes by preference
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    best = rows[first[order]]
    leader = leaders(columns.perceptual_hash[best], distance)
    _follow(rows, best[leader[place[inverse]]], Reason.NEAR_DUPLICATE, selection)


def _follow(rows: NDArray[np.int64], stays: NDArray[np.int64], reason: Reason, selection: Selection) -> None:
    """Of each row and the one that stays in its place, drop the row where they are two."""
    dropped = stays != rows
    selection.verdict[rows[dropped]] = REASONS.index(reason)
    selection.twin[rows[dropped]] = stays[dropped]


def _drop_beyond(columns: Columns, limit: int, selection: Selection) -> None:
    rows = selection.rows
    rows = rows[np.argsort(columns.label[rows], kind="stable")]
    labels = columns.label[rows]
    place = np.arange(len(rows)) - np.searchsorted(labels, labels)
    selection.verdict[rows[place >= limit]] = REASONS.index(Reason.OVER_LIMIT)
