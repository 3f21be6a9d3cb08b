"""Bands of bits: which parts of two 64-bit hashes nearly agree, where the hashes differ in few bits.

If two hashes differ in at most d bits, and their bits are dealt into m bands with radii r1 … rm so that the sum of all
(r + 1) is d + 1, then in at least one band they differ in at most its r bits; otherwise they differed in d + 1 bits.
Source: M. Norouzi, A. Punjani, D. Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012, proposition 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, log2

import numpy as np
from numpy.typing import NDArray

_MAX_WIDTH = 22  # a table of four million places is as large as a processor's cache bears
# what things cost, in nanoseconds
_COMPARE, _CANDIDATE, _PROBE, _MASK, _PLACE = 1.0, 14.0, 6.0, 20_000.0, 3.0


@dataclass(frozen=True, slots=True)
class Band:
    """The bits of a band, as positions in the hash, and in how many of them near hashes may differ."""

    bits: tuple[int, ...]
    radius: int

    @property
    def mask(self) -> np.uint64:
        """The band's bits in the hash."""
        return np.uint64(sum(1 << bit for bit in self.bits))

    def keys(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The band's bits of each hash, moved together."""
        keys = np.zeros(len(hashes), np.int32)
        for place, bit in enumerate(self.bits):
            keys |= ((hashes >> np.uint64(bit)) & np.uint64(1)).astype(np.int32) << np.int32(place)
        return keys

    def flips(self) -> Iterator[tuple[int, list[int]]]:
        """All differences of keys within the radius but 0, by their lowest bit."""
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
    """The cheapest bands to find near pairs of `left` by `right` hashes that vary in these bits only.

    None at all where comparing all with all is cheaper.
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
    """Neighbouring bits go to different bands, for what they say is alike."""
    width = min(_MAX_WIDTH, int(log2(right)) + 2)
    rest = distance + 1 - count
    return tuple(
        Band(tuple(bits[number::count])[:width], rest // count + (number < rest % count))
        for number in range(count)
    )


def _cost(band: Band, left: int, right: int) -> float:
    places = 1 << len(band.bits)
    probes = sum(comb(len(band.bits), flipped) for flipped in range(band.radius + 1))
    return probes * (_MASK + left * (_PROBE + _CANDIDATE * right / places)) + _PLACE * places
