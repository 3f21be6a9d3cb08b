"""Divides the selected images over the splits: by label, in the shares that were asked for, the same each time."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from shared.archiving.near import near_pairs
from shared.archiving.table import Columns

GROUP_DISTANCE = 4
"""Images whose perceptual hashes are at most so many bits apart stay in one split: no test picture is trained on."""


def assign_splits(
    columns: Columns, rows: NDArray[np.int64], shares: Mapping[str, float], seed: int
) -> list[str]:
    """The split of each of the rows.

    Within each label, the numbers of images are the shares by largest remainder, as far as groups of near-duplicates,
    which are never torn apart, allow it. The order is a hash of the seed and the image, so that one more image moves
    few others.
    """
    names = [name for name, share in shares.items() if share > 0]
    if len(names) == 1:
        return [names[0]] * len(rows)
    groups = _groups(columns, rows)
    by_label: dict[int, dict[int, list[int]]] = {}
    for position in range(len(rows)):
        group = groups[position]
        label = int(columns.label[rows[group]])  # a group belongs to the label of its first image
        by_label.setdefault(label, {}).setdefault(group, []).append(position)
    assigned = [""] * len(rows)
    for members in by_label.values():
        ordered = sorted(members, key=lambda group: _lot(columns, int(rows[group]), seed))
        total = sum(len(positions) for positions in members.values())
        wanted = _quotas(total, [shares[name] for name in names])
        for group in ordered:
            split = max(range(len(names)), key=lambda number: wanted[number])
            for position in members[group]:
                assigned[position] = names[split]
            wanted[split] -= len(members[group])
    return assigned


def _quotas(total: int, shares: Sequence[float]) -> list[int]:
    """`total` divided by the shares, largest remainders first."""
    exact = [total * share for share in shares]
    quotas = [int(number) for number in exact]
    by_remainder = sorted(range(len(shares)), key=lambda number: (quotas[number] - exact[number], number))
    for number in by_remainder[: total - sum(quotas)]:
        quotas[number] += 1
    return quotas


def _lot(columns: Columns, row: int, seed: int) -> bytes:
    return hashlib.blake2b(bytes(columns.sha256[row]), key=str(seed).encode()[:64], digest_size=8).digest()


def _groups(columns: Columns, rows: NDArray[np.int64]) -> list[int]:
    """For each position, the first position of its group of near-duplicates (by union-find)."""
    parent = list(range(len(rows)))

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    for left, right in near_pairs(columns.perceptual_hash[rows], GROUP_DISTANCE).tolist():
        first, second = sorted((root(left), root(right)))
        parent[second] = first
    return [root(position) for position in range(len(rows))]
