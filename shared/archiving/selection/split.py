"""Divides the selected images among the splits: by label, in the wanted shares, and the same way in each run.

An example. A job wants 80 % train, 10 % val and 10 % test. It has ten images of cats, of which two are near-duplicates
of each other, five images of dogs, and five of horses.

1. The exact shares are 8, 1 and 1 images of cats, and 4, ½ and ½ of dogs and of horses.
2. The two near-duplicates go to train, the split that lacks most cats. Then train lacks 6 cats, val 1 and test 1, and
   the eight other images of cats are shared out that way.
3. The shares of dogs and of horses are rounded to 4, 1 and 0.
4. Over all labels, train, val and test now have 16, 3 and 1 images, but their exact shares are 16, 2 and 2. So either
   dogs or horses, whichever comes first in a random order, give an image to test in place of val.
5. Another random order decides which images of a label go where: the first six single cats to train, the next one to
   val, and the last one to test. Both orders depend on the seed, and the second on the images' bytes, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from shared.archiving.options import Dedup
from shared.archiving.selection.apportion import Counts, Exact, apportion
from shared.archiving.selection.columns import Columns
from shared.archiving.selection.draw import draw, mix
from shared.archiving.selection.near import FLAT, Positions
from shared.archiving.selection.similar import connected

GROUP_DISTANCE = 4
"""Images whose perceptual hashes differ in at most this many bits stay in one split: no test image was trained on."""


@dataclass(frozen=True, slots=True)
class _Images:
    """The images to divide. The arrays have an entry for each image; `order` is the order in which they are placed.

    `group` is the position of the first image of each image's group of near-duplicates, and `size` the size of that
    group. `label` is a number for the label of the group's first image. Images are placed label by label; within a
    label, those of large groups come first.
    """

    group: Positions
    size: Counts
    label: Positions
    order: Positions

    @property
    def singles(self) -> Positions:
        """The images that have no near-duplicate, in the order in which they are placed."""
        singles: Positions = self.order[self.size[self.order] == 1]
        return singles

    @property
    def group_heads(self) -> Positions:
        """The first image of each group of several, in the order in which they are placed."""
        heads: Positions = self.order[(self.size[self.order] > 1) & (self.group[self.order] == self.order)]
        return heads


def assign_splits(
    columns: Columns, rows: Positions, shares: Mapping[str, float], seed: int, dedup: Dedup
) -> NDArray[np.int8]:
    """The split of each of the rows, as a position in `shares`.

    Over all labels, the number of images in each split is its share by largest remainder. In each label, it is less
    than one image away from its share. Groups of near-duplicates can make both less exact: a group is never divided,
    and counts for the label of its first image. A split with a share of 0 gets nothing. In a random order, the single
    images of a label fill one split after the other, so one more image moves few others to another split.

    Images that a refresh takes over stay in their splits, with their near-duplicates. The others fill up the shares.
    """
    names = list(shares)
    used = np.array([at for at, share in enumerate(shares.values()) if share > 0], np.int8)
    if len(used) < 2 or not len(rows):
        return np.full(len(rows), used[0], np.int8)
    weights = np.array([share for share in shares.values() if share > 0])
    images = _in_random_order(columns, rows, seed, dedup)
    heads, singles, label, size = images.group_heads, images.singles, images.label, images.size
    exact = np.outer(np.bincount(label), weights / weights.sum())

    split = np.zeros(len(rows), np.int64)
    fixed = _known_splits(columns, rows, images.group, [names[at] for at in used])
    known = np.concatenate([heads, singles])
    known = known[fixed[known] >= 0]
    split[known] = fixed[known]
    in_groups = np.zeros(exact.shape, np.int64)
    np.add.at(in_groups, (label[known], split[known]), size[known])
    heads, singles = heads[fixed[heads] < 0], singles[fixed[singles] < 0]
    single_counts = np.bincount(label[singles], minlength=len(exact))
    split[heads] = _splits_of_groups(label[heads], size[heads], exact - in_groups, single_counts)
    np.add.at(in_groups, (label[heads], split[heads]), size[heads])
    split = split[images.group]

    counts = apportion(exact, in_groups, single_counts)
    split[singles] = np.repeat(np.tile(np.arange(len(used)), len(exact)), (counts - in_groups).ravel())
    return used[split]


def _known_splits(columns: Columns, rows: Positions, group: Positions, splits: Sequence[str]) -> Positions:
    """Returns the position in `splits` where each image's group has to stay, or -1 if the group is free.

    If a group has images of several splits, the first one decides.
    """
    fixed = np.full(len(rows), -1, np.int64)
    if columns.known_split is None or not columns.known_splits:
        return fixed
    places = np.array([splits.index(name) if name in splits else -1 for name in columns.known_splits] + [-1])
    # -1, no known split, is the last place
    own = places[columns.known_split[rows]]
    known = np.flatnonzero(own >= 0)
    # the last write counts, so the first image of a group is written last
    fixed[group[known[::-1]]] = own[known[::-1]]
    return fixed[group]


def _in_random_order(columns: Columns, rows: Positions, seed: int, dedup: Dedup) -> _Images:
    group = _groups(columns, rows, dedup)
    drawn = draw(columns, rows, f"split {seed}")[group]
    size = np.bincount(group, minlength=len(rows))[group]
    label_numbers = columns.label[rows[group]].astype(np.uint64)
    # the labels are numbered in a random order, too
    _, label = np.unique(mix(label_numbers, f"labels {seed}"), return_inverse=True)
    return _Images(group, size, label, np.lexsort((group, drawn, -size, label)))


def _groups(columns: Columns, rows: Positions, dedup: Dedup) -> Positions:
    """Returns for each image the position of the first image of its group of near-duplicates."""
    if dedup.near_distance is not None and dedup.near_distance >= GROUP_DISTANCE:
        # the selection has left no two images that are so near
        return np.arange(len(rows))
    hashes = columns.perceptual_hash[rows]
    group, comparable = np.arange(len(rows)), np.flatnonzero(hashes != FLAT)
    group[comparable] = comparable[connected(hashes[comparable], GROUP_DISTANCE)]
    return group


def _splits_of_groups(label: Positions, size: Counts, exact: Exact, singles: Counts) -> list[int]:
    """Chooses the splits of groups, which come label by label, the largest of a label first.

    Only splits that lack images of the group's label are chosen from. The group goes to the split that lacks most. What
    a split lacks is counted over this label and all labels before it, without what their single images make up for.
    """
    splits: list[int] = []
    lacks_before = [0.0] * exact.shape[1]
    for start, end in pairwise(np.flatnonzero(np.diff(label, prepend=-1, append=-1)).tolist()):
        lacks = exact[label[start]].tolist()
        for group_size in size[start:end].tolist():
            wants = [
                lack + before if lack > 0 else -np.inf
                for lack, before in zip(lacks, lacks_before, strict=True)
            ]
            splits.append(wants.index(max(wants)))
            lacks[splits[-1]] -= group_size
        # single images are shared out as `apportion` does it
        made_up = int(singles[label[start]]) / max(1.0, sum(lack for lack in lacks if lack > 0))
        lacks_before = [
            before + lack - max(0.0, lack) * made_up for lack, before in zip(lacks, lacks_before, strict=True)
        ]
    return splits
