"""Finds all pairs of 64-bit hashes that differ in few bits, without comparing all hashes with all.

For each band (see `bands`), a table lists the hashes by key. Each hash is compared with the hashes of every key that
differs from its own in few bits. If very many hashes have the same key, comparing them would take too long. Then they
are searched as a set of their own, by bands of the bits that vary among them. Pairs are returned in parts, so memory
is bounded by the number of hashes, not by the number of pairs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.archiving.selection.bands import Band, choose_bands

type Hashes = NDArray[np.uint64]
type Positions = NDArray[np.int64]
type Pairs = tuple[Positions, Positions]

FLAT = 0
"""Replaces the hash of a picture that has none. It is not near to any hash: callers must leave it out."""

# pairs that are compared at a time
_PART = 1 << 20
# the same where all are compared with all, so that they fit into the processor's cache
_BLOCK = 1 << 18
# more hashes than this with one key are searched as a set of their own
_CROWD = 1 << 10


def near_pairs(hashes: Hashes, distance: int) -> Iterator[Pairs]:
    """Yields all positions i < j whose hashes differ in at most `distance` bits. Each pair comes once, in no order."""
    for left, right in _search(hashes, None, distance):
        yield np.minimum(left, right), np.maximum(left, right)


def near_between(left: Hashes, right: Hashes, distance: int) -> Iterator[Pairs]:
    """Yields all positions i in `left` and j in `right` whose hashes differ in at most `distance` bits.

    Each pair comes once, in no order.
    """
    return _search(left, right, distance)


def _search(left: Hashes, right: Hashes | None, distance: int) -> Iterator[Pairs]:
    """Yields near pairs between `left` and `right`, or within `left` if `right` is None."""
    other = left if right is None else right
    if not len(left) or not len(other):
        return
    varying = int(np.bitwise_or.reduce(left ^ left[0]) | np.bitwise_or.reduce(other ^ left[0]))
    bits = [bit for bit in range(64) if varying >> bit & 1]
    bands = choose_bands(bits, len(left), len(other), distance)
    if not bands:
        yield from _all_with_all(left, right, distance)
    for number in range(len(bands)):
        yield from _BandSearch(left, right, distance, bands[: number + 1]).pairs()


def _all_with_all(left: Hashes, right: Hashes | None, distance: int) -> Iterator[Pairs]:
    step = max(1, _BLOCK // len(left if right is None else right))
    for start in range(0, len(left), step):
        rows = left[start : start + step, None]
        columns = left[start:] if right is None else right
        i, j = np.nonzero(np.bitwise_count(rows ^ columns) <= distance)
        if right is None:
            above = i < j
            i, j = i[above] + start, j[above] + start
        else:
            i = i + start
        if len(i):
            yield i, j


@dataclass(frozen=True, slots=True)
class _KeyTable:
    """A table of hashes in order of their keys in one band.

    `order` has the position of each hash before sorting. The hashes of a key begin at `starts[key]`.
    """

    hashes: Hashes
    keys: NDArray[np.int32]
    order: Positions
    starts: NDArray[np.int32]

    @classmethod
    def of(cls, hashes: Hashes, band: Band) -> "_KeyTable":
        keys = band.keys(hashes)
        order = np.argsort(keys, kind="stable")
        starts = np.zeros((1 << len(band.bits)) + 1, np.int32)
        np.cumsum(np.bincount(keys, minlength=len(starts) - 1), out=starts[1:])
        return cls(hashes[order], keys[order], order, starts)

    def slice(self, key: int) -> slice:
        """The positions of the hashes with this key."""
        return slice(int(self.starts[key]), int(self.starts[key + 1]))


class _BandSearch:
    """Finds the near pairs that agree nearly in the last of some bands, but in none of the bands before it."""

    def __init__(self, left: Hashes, right: Hashes | None, distance: int, bands: Sequence[Band]) -> None:
        *self._earlier, self._band = bands
        self._within = right is None
        self._distance = distance
        self._left = _KeyTable.of(left, self._band)
        self._right = self._left if right is None else _KeyTable.of(right, self._band)

    def pairs(self) -> Iterator[Pairs]:
        all_rows = np.arange(len(self._left.keys))
        yield from self._compare_keys(all_rows, 0)
        for low, flips in self._band.flips():
            # within one set, only the hash whose key lacks the lowest differing bit looks for the other
            rows = np.flatnonzero(self._left.keys & (1 << low) == 0) if self._within else all_rows
            for flip in flips:
                yield from self._compare_keys(rows, flip)

    def _compare_keys(self, rows: Positions, flip: int) -> Iterator[Pairs]:
        """Compares the hashes in these rows with those whose keys differ from theirs by `flip`."""
        keys = self._left.keys[rows] ^ np.int32(flip)
        first = self._right.starts[keys]
        counts = self._right.starts[keys + 1] - first
        some = np.flatnonzero(counts)
        rows, first, counts = rows[some], first[some], counts[some]
        crowded = counts > _CROWD
        if crowded.any():
            for key in np.unique(self._left.keys[rows[crowded]]).tolist():
                yield from self._search_crowd(key, flip)
            rows, first, counts = rows[~crowded], first[~crowded], counts[~crowded]
        if self._within and not flip:
            # each hash is compared with those after it only
            counts = first + counts - rows - 1
            first = rows + 1
        yield from self._compare(rows, first, counts)

    def _compare(self, rows: Positions, first: Positions, counts: Positions) -> Iterator[Pairs]:
        """Compares the hash in each row with `counts` hashes of the other table, from position `first` on."""
        ends = np.cumsum(counts, dtype=np.int64)
        done = 0
        while done < len(rows):
            before = int(ends[done - 1]) if done else 0
            until = max(done + 1, int(np.searchsorted(ends, before + _PART, side="right")))
            part = slice(done, until)
            left = np.repeat(rows[part], counts[part])
            shift = first[part] - (ends[part] - counts[part] - before)
            right = np.arange(len(left)) + np.repeat(shift, counts[part])
            difference = self._left.hashes[left] ^ self._right.hashes[right]
            near = np.flatnonzero(np.bitwise_count(difference) <= self._distance)
            yield from self._only_new(left[near], right[near], difference[near])
            done = until

    def _search_crowd(self, key: int, flip: int) -> Iterator[Pairs]:
        """Searches the hashes of one key, and those of the key that differs from it by `flip`, as sets of their own."""
        here, there = self._left.slice(key), self._right.slice(key ^ flip)
        same = self._within and not flip
        right = None if same else self._right.hashes[there]
        for i, j in _search(self._left.hashes[here], right, self._distance):
            left, other = i + here.start, j + there.start
            yield from self._only_new(left, other, self._left.hashes[left] ^ self._right.hashes[other])

    def _only_new(self, left: Positions, right: Positions, difference: Hashes) -> Iterator[Pairs]:
        """Yields the pairs that no earlier band finds, as positions in the unsorted hashes."""
        for band in self._earlier:
            new = np.bitwise_count(difference & band.mask) > band.radius
            left, right, difference = left[new], right[new], difference[new]
        if len(left):
            yield self._left.order[left], self._right.order[right]
