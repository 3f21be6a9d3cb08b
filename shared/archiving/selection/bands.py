"""Divides the bits of hashes into bands, so that near hashes nearly agree in at least one band.

Two hashes are near if they differ in at most d bits. Divide their bits into m bands with radii r1 … rm, so that the sum
of all (r + 1) is d + 1. Then near hashes differ in at least one band by its radius or less. If they differed by more in
every band, they would differ in d + 1 bits.
Source: M. Norouzi, A. Punjani, D. Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012, proposition 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, log2

import numpy as np
from numpy.typing import NDArray

# a band of 22 bits has a table of four million entries, which still fits into a processor's cache
_MAX_WIDTH = 22
# measured times in nanoseconds: comparing two hashes where all are compared with all, comparing two candidates, looking
# up a key, beginning with another difference of keys, and making an entry of the table
_COMPARE, _CANDIDATE, _LOOKUP, _FLIP, _ENTRY = 1.0, 14.0, 6.0, 20_000.0, 3.0


@dataclass(frozen=True, slots=True)
class Band:
    """A band: the positions of its bits in the hash, and its radius, the number of bits that may differ."""

    bits: tuple[int, ...]
    radius: int

    @property
    def mask(self) -> np.uint64:
        """A hash in which exactly the bits of the band are set."""
        return np.uint64(sum(1 << bit for bit in self.bits))

    def keys(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Returns the key of each hash: the bits of the band as one number."""
        keys = np.zeros(len(hashes), np.int32)
        for place, bit in enumerate(self.bits):
            keys |= ((hashes >> np.uint64(bit)) & np.uint64(1)).astype(np.int32) << np.int32(place)
        return keys

    def flips(self) -> Iterator[tuple[int, list[int]]]:
        """Yields all differences between two keys in 1 to `radius` bits, grouped by the lowest bit that differs.

        Each group is the position of that bit in the key, and the differences (XOR) as numbers.
        """
        width = len(self.bits)
        for low in range(width):
            above = [1 << place for place in range(low + 1, width)]
            found = [
                (1 << low) + sum(others)
                for count in range(self.radius)
                for others in combinations(above, count)
            ]
            if found:
                yield low, found


def choose_bands(bits: Sequence[int], left: int, right: int, distance: int) -> tuple[Band, ...]:
    """Chooses the bands that find near pairs fastest, between `left` and `right` hashes that vary in these bits only.

    Returns no bands if comparing all hashes with all is faster.
    """
    best: tuple[Band, ...] = ()
    lowest = left * right * _COMPARE
    for count in range(1, min(distance + 1, len(bits)) + 1):
        bands = _deal(bits, count, right, distance)
        if any(len(band.bits) <= band.radius for band in bands):
            continue
        cost = sum(_cost(band, left, right) for band in bands)
        if cost < lowest:
            best, lowest = bands, cost
    return best


def _deal(bits: Sequence[int], count: int, right: int, distance: int) -> tuple[Band, ...]:
    """Divides the bits into bands. Neighbouring bits go to different bands, because they are correlated."""
    width = min(_MAX_WIDTH, int(log2(right)) + 2)
    rest = distance + 1 - count
    return tuple(
        Band(tuple(bits[number::count])[:width], rest // count + (number < rest % count))
        for number in range(count)
    )


def _cost(band: Band, left: int, right: int) -> float:
    """Estimates the time in nanoseconds of finding the pairs of one band."""
    entries = 1 << len(band.bits)
    flips = sum(comb(len(band.bits), flipped) for flipped in range(band.radius + 1))
    return flips * (_FLIP + left * (_LOOKUP + _CANDIDATE * right / entries)) + _ENTRY * entries
