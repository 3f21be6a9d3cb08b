"""Groups of hashes that are near to each other: who leads, and who hangs together."""

import numpy as np
from numpy.typing import NDArray

from shared.archiving.selection.near import Hashes, Pairs, Positions, near_between, near_pairs

_MOST_PAIRS = 1 << 22
"""So many pairs are held at a time: 64 MiB."""


def leaders(hashes: Hashes, distance: int) -> Positions:
    """For each of these different hashes, in order of preference, the position of its leader.

    From the first to the last, a hash leads itself unless a leader before it is near; then the first such leads it. No
    two leaders are near, every other hash is near to its leader, and no chain drags in strangers.
    """
    found = np.arange(len(hashes))
    _lead(hashes, found, found.copy(), distance)
    return found


def _lead(hashes: Hashes, leader: Positions, rows: Positions, distance: int) -> None:
    """Decide who of the rows leads whom; where they have too many pairs, the first half of them goes first."""
    pairs = _collect(hashes[rows], distance)
    if pairs is not None:
        leader[rows] = rows[_one_by_one(len(rows), *pairs)]
        return
    first, second = np.array_split(rows, 2)
    _lead(hashes, leader, first, distance)
    first = first[leader[first] == first]
    nearest = np.full(len(second), len(first))
    for i, j in near_between(hashes[first], hashes[second], distance):
        np.minimum.at(nearest, j, i)
    led = nearest < len(first)
    leader[second[led]] = first[nearest[led]]
    _lead(hashes, leader, second[~led], distance)


def _collect(hashes: Hashes, distance: int) -> Pairs | None:
    parts: list[Pairs] = []
    count = 0
    for pairs in near_pairs(hashes, distance):
        parts.append(pairs)
        count += len(pairs[0])
        if count > _MOST_PAIRS:
            return None
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate([i for i, _ in parts]), np.concatenate([j for _, j in parts])


def _one_by_one(count: int, i: Positions, j: Positions) -> Positions:
    leader = np.arange(count)
    order = np.argsort(i, kind="stable")
    i, j = i[order], j[order]
    candidates, starts = np.unique(i, return_index=True)
    bounds = [*starts.tolist(), len(i)]
    for number, candidate in enumerate(candidates.tolist()):
        if leader[candidate] == candidate:
            near = j[bounds[number] : bounds[number + 1]]
            free = near[leader[near] == near]
            leader[free] = candidate
    return leader


def connected(hashes: Hashes, distance: int) -> Positions:
    """For each hash, the first position of all that hang together with it by chains of near hashes."""
    different, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(first)  # so that the smallest number in a group is that of its first member
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    group = np.arange(len(different))
    waiting: list[Pairs] = []
    count = 0
    for pairs in near_pairs(different[order], distance):
        waiting.append(pairs)
        count += len(pairs[0])
        if count > _MOST_PAIRS:
            group = _joined(group, waiting)
            waiting, count = [], 0
    group = _joined(group, waiting)
    return first[order][group[number[inverse]]]


def _joined(group: NDArray[np.int64], pairs: list[Pairs]) -> NDArray[np.int64]:
    """Groups with these pairs joined; each is named by its smallest member, and so it stays."""
    if not pairs:
        return group
    i = group[np.concatenate([left for left, _ in pairs])]
    j = group[np.concatenate([right for _, right in pairs])]
    while True:
        apart = i != j
        if not apart.any():
            return group
        i, j = i[apart], j[apart]
        np.minimum.at(group, np.maximum(i, j), np.minimum(i, j))
        while not np.array_equal(shorter := group[group], group):
            group = shorter
        i, j = group[i], group[j]
