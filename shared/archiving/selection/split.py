"""Divides the selected images over the splits: by label, in the shares that were asked for, the same each time."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray

from shared.archiving.options import Dedup
from shared.archiving.selection.columns import Columns
from shared.archiving.selection.near import FLAT
from shared.archiving.selection.similar import connected

GROUP_DISTANCE = 4
"""Images whose perceptual hashes are at most so many bits apart stay in one split: no test picture is trained on."""

_ROUNDING = 1e-6  # an image more or less is more than this, and arithmetic errs by less

type _Numbers = NDArray[np.int64]
type _Shares = NDArray[np.float64]


def assign_splits(
    columns: Columns, rows: _Numbers, shares: Mapping[str, float], seed: int, dedup: Dedup
) -> NDArray[np.int8]:
    """The split of each of the rows, as a position in `shares`.

    Over all labels, the numbers of images are the shares by largest remainder, and in each label they are within one
    image of its shares, as far as groups of near-duplicates, which are never torn apart and count for the label of
    their first image, allow it. A split whose share is 0 gets nothing. The single images of a label, in an order that
    is drawn by the seed and by their bytes, fill the splits up one after the other, so that one more image moves few
    others.
    """
    used = np.array([at for at, share in enumerate(shares.values()) if share > 0], np.int8)
    if len(used) < 2 or not len(rows):
        return np.full(len(rows), used[0], np.int8)
    weights = np.array([share for share in shares.values() if share > 0])
    group = _groups(columns, rows, dedup)
    lot = draw(columns, rows, f"split {seed}")[group]
    size = np.bincount(group, minlength=len(rows))[group]
    numbers = columns.label[rows[group]].astype(np.uint64)
    label = np.unique(_mixed(numbers, f"labels {seed}"), return_inverse=True)[
        1
    ]  # labels in an order drawn by lot
    order = np.lexsort((group, lot, -size, label))
    single = order[size[order] == 1]
    first = order[(size[order] > 1) & (group[order] == order)]  # of each group of more
    exact = np.outer(np.bincount(label), weights / weights.sum())
    singles = np.bincount(label[single], minlength=len(exact))
    splits = np.zeros(len(rows), np.int64)
    splits[first] = _deal(label[first], size[first], exact, singles)
    dealt = np.zeros(exact.shape, np.int64)
    np.add.at(dealt, (label[first], splits[first]), size[first])
    given = dealt + _round(_shared(exact - dealt, singles), singles)
    _exchange(given, dealt, exact)
    splits = splits[group]
    splits[single] = np.repeat(np.tile(np.arange(len(used)), len(exact)), (given - dealt).ravel())
    return used[splits]


def _deal(label: _Numbers, size: _Numbers, exact: _Shares, singles: _Numbers) -> list[int]:
    """The splits of groups that come label by label, the largest of a label ahead.

    Each goes to one of the splits that its label lacks; to the one that lacks most, where it counts too what the labels
    before it lack and their single images cannot make up for.
    """
    splits: list[int] = []
    owed = [0.0] * exact.shape[1]
    for start, end in pairwise(np.flatnonzero(np.diff(label, prepend=-1, append=-1)).tolist()):
        lacks = exact[label[start]].tolist()
        for number in size[start:end].tolist():
            wants = [lack + debt if lack > 0 else -np.inf for lack, debt in zip(lacks, owed, strict=True)]
            splits.append(wants.index(max(wants)))
            lacks[splits[-1]] -= number
        part = int(singles[label[start]]) / max(
            1.0, sum(lack for lack in lacks if lack > 0)
        )  # as `_shared` does it
        owed = [debt + lack - max(0.0, lack) * part for lack, debt in zip(lacks, owed, strict=True)]
    return splits


def _shared(lacks: _Shares, singles: _Numbers) -> _Shares:
    """The single images of labels, divided in the proportions of what the splits lack."""
    lacks = np.maximum(lacks, 0)
    return lacks * (singles / np.maximum(lacks.sum(axis=-1), 1))[..., np.newaxis]


def _round(exact: _Shares, totals: _Numbers) -> _Numbers:
    """Whole numbers that add up to the totals, row by row: the largest remainders are rounded up, first ones first."""
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(whole - exact, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1)
    return whole + (rank < (totals - whole.sum(axis=-1))[..., np.newaxis])


def _exchange(given: _Numbers, dealt: _Numbers, exact: _Shares) -> None:
    """Move single images, within their labels, from splits that have too many in all to those that lack some.

    A label takes from a split that has its share of the label and gives to one that has no more than that, so it stays
    within one image of its shares. Where no label can do so between two splits, two labels can by way of a third. That
    ends with the right totals wherever there are no groups: matrices of which each row's sum is whole can be rounded
    so (M. Bacharach, "Matrix Rounding Problems", 1966), and from any rounding to that one such exchanges lead.
    """
    splits = given.shape[1]
    targets = _round(exact.sum(axis=0), np.array(given.sum()))
    ways = [way for length in (2, 3) for way in permutations(range(splits), length)]
    while any(_move(given, dealt, exact, targets, way) for way in ways):
        pass


def _move(given: _Numbers, dealt: _Numbers, exact: _Shares, targets: _Numbers, way: Sequence[int]) -> bool:
    """Exchange what is wanted and possible along a way of splits, where it does least harm; whether it was any."""
    lacking = targets - given.sum(axis=0)
    wanted = min(-lacking[way[0]], lacking[way[-1]])
    if wanted <= 0:
        return False
    surplus = given - exact
    steps: list[tuple[int, int, _Numbers]] = []
    for source, target in pairwise(way):
        able = (surplus[:, source] > -_ROUNDING) & (surplus[:, target] < _ROUNDING)
        labels = np.flatnonzero(able & (given[:, source] > dealt[:, source]))
        gain = np.round(surplus[labels, source] - surplus[labels, target], 6)
        steps.append((source, target, labels[np.argsort(-gain, kind="stable")]))
    number = min(wanted, *(len(labels) for _, _, labels in steps))
    for source, target, labels in steps:
        given[labels[:number], source] -= 1
        given[labels[:number], target] += 1
    return bool(number)


def draw(columns: Columns, rows: NDArray[np.int64], seed: str) -> NDArray[np.uint64]:
    """A number for each image, drawn by the seed and by the image's bytes."""
    return _mixed(columns.sha256[rows].view("<u8").reshape(-1, 4)[:, 0], seed)


def _mixed(numbers: NDArray[np.uint64], seed: str) -> NDArray[np.uint64]:
    """Other numbers for these, drawn by the seed; different ones for different ones.

    Source: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
    """
    salt = np.uint64(int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=8).digest()))
    drawn = numbers ^ salt
    drawn = (drawn ^ (drawn >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    drawn = (drawn ^ (drawn >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return drawn ^ (drawn >> np.uint64(31))


def _groups(columns: Columns, rows: NDArray[np.int64], dedup: Dedup) -> NDArray[np.int64]:
    """For each position, the first position of its group of near-duplicates."""
    if dedup.near_distance is not None and dedup.near_distance >= GROUP_DISTANCE:
        return np.arange(len(rows))  # the selection has left no two that are so near
    hashes = columns.perceptual_hash[rows]
    group, comparable = np.arange(len(rows)), np.flatnonzero(hashes != FLAT)
    group[comparable] = comparable[connected(hashes[comparable], GROUP_DISTANCE)]
    return group
