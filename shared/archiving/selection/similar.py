"""Groups hashes that are near to each other: by leaders, and by chains.

Two hashes are near if they differ in at most `distance` bits.
"""

import numpy as np
from numpy.typing import NDArray

from shared.archiving.selection.near import Hashes, Pairs, Positions, near_between, near_pairs

_MOST_PAIRS = 1 << 22
"""The number of pairs that are in memory at a time: 64 MiB."""


def leaders(hashes: Hashes, distance: int) -> Positions:
    """Returns the position of the leader of each hash. The hashes differ, and are in order of preference.

    The hashes are decided from the first to the last. If a leader before it is near, the first such leader leads it.
    Otherwise the hash becomes a leader, and leads itself. So no two leaders are near, and every other hash is near to
    its leader itself, not by way of a chain of near hashes.
    """
    leader = np.arange(len(hashes))
    _lead(hashes, leader, leader.copy(), distance)
    return leader


def _lead(hashes: Hashes, leader: Positions, rows: Positions, distance: int) -> None:
    """Sets the leaders of these rows. If they have too many pairs, decides the first half before the second."""
    pairs = _pairs_unless_too_many(hashes[rows], distance)
    if pairs is not None:
        leader[rows] = rows[_leaders_one_by_one(len(rows), *pairs)]
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


def _pairs_unless_too_many(hashes: Hashes, distance: int) -> Pairs | None:
    """Returns all near pairs, or None if there are more than `_MOST_PAIRS`."""
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


def _leaders_one_by_one(count: int, i: Positions, j: Positions) -> Positions:
    """Returns the leader of each of `count` positions. All near pairs are `i` and `j`, with i < j."""
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
    """Returns for each hash the first position of its group: the hashes that chains of near hashes connect with it."""
    different, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    # hashes are numbered by first position, so the smallest number in a group is that of its first member
    order = np.argsort(first)
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
    """Returns the groups after joining the groups of each pair. A group is named by its smallest member."""
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
