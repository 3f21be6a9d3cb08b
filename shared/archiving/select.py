"""Decides which of the kept images go into the dataset: duplicates out, labels within their limit.

Of images that are the same, the best copy stays: most pixels, then most bytes, then first found. That holds across
labels too: a picture stays under the label of its best copy. The limit of a label keeps what was found first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.archiving.near import near_pairs
from shared.archiving.options import Dedup
from shared.archiving.table import Columns
from shared.records import Reason

SELECTED = 0
REASONS = (None, Reason.DUPLICATE, Reason.NEAR_DUPLICATE, Reason.OVER_LIMIT)
"""What the numbers in `Selection.verdict` mean."""


@dataclass(frozen=True, slots=True)
class Selection:
    """For each row: its verdict (a position in `REASONS`), and the row that it is a duplicate of, or -1."""

    verdict: NDArray[np.int8]
    twin: NDArray[np.int64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """The selected rows, in order of index."""
        return np.flatnonzero(self.verdict == SELECTED)


def select(columns: Columns, dedup: Dedup, max_images_per_label: int | None) -> Selection:
    """The selection; a pure function of its arguments."""
    count = len(columns)
    verdict = np.zeros(count, np.int8)
    twin = np.full(count, -1, np.int64)
    rank = _ranks(columns)
    if dedup.exact and count:
        _drop_exact(columns, rank, verdict, twin)
    if dedup.near_distance is not None and count:
        _drop_near(columns, rank, dedup.near_distance, verdict, twin)
    if max_images_per_label is not None:
        _drop_beyond(columns, max_images_per_label, verdict)
    return Selection(verdict, twin)


def _ranks(columns: Columns) -> NDArray[np.int64]:
    """Each row's place in the order of preference, 0 for the best."""
    order = np.lexsort((columns.index, -columns.size, -columns.pixels))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _drop_exact(
    columns: Columns, rank: NDArray[np.int64], verdict: NDArray[np.int8], twin: NDArray[np.int64]
) -> None:
    _, group = np.unique(columns.sha256, return_inverse=True)
    best = np.full(int(group.max()) + 1, len(rank), np.int64)
    np.minimum.at(best, group, rank)
    row_of_rank = np.argsort(rank)
    keeper = row_of_rank[best[group]]
    dropped = np.flatnonzero(keeper != np.arange(len(rank)))
    verdict[dropped] = REASONS.index(Reason.DUPLICATE)
    twin[dropped] = keeper[dropped]


def _drop_near(
    columns: Columns,
    rank: NDArray[np.int64],
    distance: int,
    verdict: NDArray[np.int8],
    twin: NDArray[np.int64],
) -> None:
    """From the best to the worst, keep what is not near to something kept: no chain drags in strangers."""
    rows = np.flatnonzero(verdict == SELECTED)
    rows = rows[np.argsort(rank[rows])]
    hashes, first, same = np.unique(columns.perceptual_hash[rows], return_index=True, return_inverse=True)
    best = rows[first]  # for each hash, its best row: `rows` is in order of preference
    near: dict[int, list[int]] = {}
    for left, right in near_pairs(hashes, distance).tolist():
        near.setdefault(left, []).append(right)
        near.setdefault(right, []).append(left)
    keeper = np.arange(len(hashes))
    for number in sorted(near, key=lambda number: int(rank[best[number]])):
        if keeper[number] != number:
            continue
        for other in near[number]:
            if keeper[other] == other and rank[best[other]] > rank[best[number]]:
                keeper[other] = number
    stays = best[keeper[same]]
    dropped = stays != rows
    verdict[rows[dropped]] = REASONS.index(Reason.NEAR_DUPLICATE)
    twin[rows[dropped]] = stays[dropped]


def _drop_beyond(columns: Columns, limit: int, verdict: NDArray[np.int8]) -> None:
    for label in range(len(columns.labels)):
        rows = np.flatnonzero((columns.label == label) & (verdict == SELECTED))
        verdict[rows[limit:]] = REASONS.index(Reason.OVER_LIMIT)
