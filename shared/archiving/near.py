"""Finds pairs of 64-bit hashes that differ in few bits: exactly, without comparing all with all."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_BITS = 64
_CHUNK = 1 << 20


def near_pairs(hashes: NDArray[np.uint64], distance: int) -> NDArray[np.int64]:
    """All pairs (i, j), i < j, whose hashes differ in at most `distance` bits; shape (n, 2), sorted.

    By the pigeonhole principle, hashes that differ in at most d bits agree in at least one of d + 1 bands of bits. For
    each band, hashes that agree in it are compared.
    """
    found = [
        pairs for shift, width in _bands(distance) for pairs in _band_pairs(hashes, shift, width, distance)
    ]
    if not found:
        return np.empty((0, 2), np.int64)
    return np.unique(np.concatenate(found), axis=0)


def _bands(distance: int) -> Iterator[tuple[int, int]]:
    count = distance + 1
    edges = [_BITS * number // count for number in range(count + 1)]
    for low, high in pairwise(edges):
        yield low, high - low


def _band_pairs(
    hashes: NDArray[np.uint64], shift: int, width: int, distance: int
) -> Iterator[NDArray[np.int64]]:
    mask = np.uint64((1 << width) - 1) if width < _BITS else np.uint64(0xFFFFFFFFFFFFFFFF)
    keys = (hashes >> np.uint64(shift)) & mask
    order = np.argsort(keys, kind="stable").astype(np.int64)
    ordered = keys[order]
    # ends[i] is where the run of equal keys that holds position i ends
    ends = np.searchsorted(ordered, ordered, side="right")
    for step in range(1, _longest_run(ordered) + 1):
        left = np.flatnonzero(np.arange(len(ordered)) + step < ends)
        if not len(left):
            return
        for start in range(0, len(left), _CHUNK):
            part = left[start : start + _CHUNK]
            a, b = order[part], order[part + step]
            close = np.bitwise_count(hashes[a] ^ hashes[b]) <= distance
            a, b = a[close], b[close]
            yield np.stack([np.minimum(a, b), np.maximum(a, b)], axis=1)


def _longest_run(ordered: NDArray[np.uint64]) -> int:
    if not len(ordered):
        return 0
    edges = np.flatnonzero(np.diff(ordered)) + 1
    return int(np.diff(np.concatenate(([0], edges, [len(ordered)]))).max())
