"""Divides the selected images over the splits: by label, in the shares that were asked for, the same each time."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from shared.archiving.options import Dedup
from shared.archiving.similar import connected
from shared.archiving.table import Columns

GROUP_DISTANCE = 4
"""Images whose perceptual hashes are at most so many bits apart stay in one split: no test picture is trained on."""


def assign_splits(
    columns: Columns, rows: NDArray[np.int64], shares: Mapping[str, float], seed: int, dedup: Dedup
) -> NDArray[np.int8]:
    """The split of each of the rows, as a position in `shares`.

    Within each label, the numbers of images are the shares by largest remainder, as far as groups of near-duplicates,
    which are never torn apart and count for the label of their first image, allow it. Groups go first, the largest
    ahead, each to the split that lacks most; the single images, in an order that is drawn by the seed and by their
    bytes, fill the splits up one after the other, so that one more image moves few others.
    """
    assigned = np.full(
        len(rows), next((at for at, share in enumerate(shares.values()) if share > 0), 0), np.int8
    )
    if sum(share > 0 for share in shares.values()) < 2 or not len(rows):
        return assigned
    group = _groups(columns, rows, dedup)
    lot = draw(columns, rows, f"split {seed}")[group]
    size = np.bincount(group, minlength=len(rows))[group]
    label = columns.label[rows[group]]
    order = np.lexsort((group, lot, -size, label))  # members of one group stand behind each other
    bounds = np.flatnonzero(np.diff(label[order], prepend=-1, append=-1))
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        members = order[start:end]
        assigned[members] = _deal(size[members], list(shares.values()))
    return assigned


def _deal(sizes: NDArray[np.int64], shares: Sequence[float]) -> NDArray[np.int8]:
    """The splits of a label's images, given the size of each one's group; the members of a group are neighbours."""
    wanted = _quotas(len(sizes), shares)
    splits = np.empty(len(sizes), np.int8)
    at = 0
    while at < len(sizes) and sizes[at] > 1:
        most = max(range(len(shares)), key=lambda split: wanted[split])
        size = int(sizes[at])
        splits[at : at + size] = most
        wanted[most] -= size
        at += size
    for split, number in enumerate(_without_debts(wanted)):
        splits[at : at + number] = split
        at += number
    return splits


def _quotas(total: int, shares: Sequence[float]) -> list[int]:
    """`total` divided by the shares, largest remainders first."""
    exact = [total * share for share in shares]
    quotas = [int(number) for number in exact]
    by_remainder = sorted(range(len(shares)), key=lambda number: (quotas[number] - exact[number], number))
    for number in by_remainder[: total - sum(quotas)]:
        quotas[number] += 1
    return quotas


def _without_debts(wanted: Sequence[int]) -> list[int]:
    """What the splits still lack, where groups have overfilled some: the others get so much less, last ones first."""
    left = [max(0, number) for number in wanted]
    debt = -sum(number for number in wanted if number < 0)
    for split in reversed(range(len(left))):
        less = min(debt, left[split])
        left[split] -= less
        debt -= less
    return left


def draw(columns: Columns, rows: NDArray[np.int64], seed: str) -> NDArray[np.uint64]:
    """A number for each image, drawn by the seed and by the image's bytes.

    Source of the mixing: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
    """
    salt = np.uint64(int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=8).digest()))
    drawn = columns.sha256[rows].view("<u8").reshape(-1, 4)[:, 0] ^ salt
    drawn = (drawn ^ (drawn >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    drawn = (drawn ^ (drawn >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return drawn ^ (drawn >> np.uint64(31))


def _groups(columns: Columns, rows: NDArray[np.int64], dedup: Dedup) -> NDArray[np.int64]:
    """For each position, the first position of its group of near-duplicates."""
    if dedup.near_distance is not None and dedup.near_distance >= GROUP_DISTANCE:
        return np.arange(len(rows))  # the selection has left no two that are so near
    return connected(columns.perceptual_hash[rows], GROUP_DISTANCE)
