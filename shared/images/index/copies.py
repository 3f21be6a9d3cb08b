"""Groups the copies that were left out of a dataset by the image that was preferred to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.images.index.rows import Index, Rows, crc32

# a chain of copies is short: an equal file names another copy only if that one looks like a third image
_MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class CopyRows:
    """Some copies of one image, and how many it has in all.

    `same_as` is the index of the image, and `named_by` is the row of a copy whose record names it. `image` is its row,
    or None if the dataset does not have it.
    """

    same_as: int
    named_by: Rows
    count: int
    image: Rows | None
    copies: Sequence[Rows]


@dataclass(frozen=True, slots=True)
class CopyRowsPage:
    """A page of copies, in groups. A group may go on in the next page, if there is one."""

    groups: Sequence[CopyRows]
    more: bool


def copies_of(index: Index, reason: str, start: int, size: int) -> CopyRowsPage:
    """Returns up to `size` copies from the position `start` on. An empty `reason` means all reasons.

    Images with the most copies come first, then those with the lowest index, and copies are in order of index. It takes
    one to two seconds for a million copies.
    """
    copies = index.copies
    last = _last_copies(copies)
    rows = np.flatnonzero(copies["reason"] == crc32(reason)) if reason else np.arange(len(copies))
    same_as, dataset = copies["same_as"][last], copies["dataset"][last]
    rows = rows[np.lexsort((copies["index"][rows], same_as[rows], dataset[rows]))]
    group = _runs(same_as[rows], dataset[rows])
    sizes = np.bincount(group)[group] if len(rows) else group
    order = np.argsort(-sizes, kind="stable")[start : start + size]
    images = _images(index, same_as[rows[order]])
    chosen: dict[int, list[int]] = {}
    for place in order.tolist():
        chosen.setdefault(int(group[place]), []).append(place)
    groups = list[CopyRows]()
    for places in chosen.values():
        first = rows[places[0]]
        image = None if dataset[first] else images.get(int(same_as[first]))
        members = [copies[rows[place]] for place in places]
        count = int(sizes[places[0]])
        groups.append(CopyRows(int(same_as[first]), copies[last[first]], count, image, members))
    return CopyRowsPage(groups, len(rows) > start + size)


def _last_copies(copies: Rows) -> NDArray[np.int64]:
    """Returns for each copy the position of the copy at which its chain ends: that one names an image, not a copy."""
    last = np.arange(len(copies))
    if not len(copies):
        return last
    order = np.argsort(copies["index"], kind="stable")
    indices = copies["index"][order]
    for _ in range(_MOST_STEPS):
        named = copies["same_as"][last]
        place = np.minimum(np.searchsorted(indices, named), len(indices) - 1)
        goes_on = (indices[place] == named) & (copies["dataset"][last] == 0)
        if not goes_on.any():
            break
        last = np.where(goes_on, order[place], last)
    return last


def _runs(*values: NDArray[Any]) -> NDArray[np.int64]:
    """Numbers the runs of equal values."""
    begins = np.zeros(len(values[0]), np.int64)
    for each in values:
        begins[1:] |= each[1:] != each[:-1]
    return np.cumsum(begins)


def _images(index: Index, wanted: NDArray[Any]) -> dict[int, Rows]:
    """Returns the rows of the images with these indices, by their index."""
    found = index.images[np.isin(index.images["index"], wanted)]
    return {int(row["index"]): row for row in found}
