"""Divides the images of a dataset into shards of similar size."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_MAX_SHARDS = 1000


def cut_shards(
    split: NDArray[np.int8], sizes: NDArray[np.int64], shard_size: int
) -> Mapping[int, Sequence[int]]:
    """Returns the bounds of the shards of each split that has images: positions of images, from the first to the last.

    The images are sorted by `split`, and `sizes` says how many bytes each takes. A shard exceeds `shard_size` by one
    image at most, or is larger if there would be more than 1,000 shards.
    """
    ends = np.cumsum(sizes, dtype=np.int64)
    used = np.unique(split).tolist()
    target = max(shard_size, -(-int(ends[-1]) // (_MAX_SHARDS - len(used))))
    shards: dict[int, Sequence[int]] = {}
    for number in used:
        begin, end = (int(np.searchsorted(split, number, side=side)) for side in ("left", "right"))
        shards[number] = _even_bounds(ends, begin, end, target)
    return shards


def _even_bounds(ends: NDArray[np.int64], begin: int, end: int, target: int) -> list[int]:
    """Returns bounds from `begin` to `end`. Each part has an image, and exceeds `target` by one image at most."""
    before = int(ends[begin - 1]) if begin else 0
    size = int(ends[end - 1]) - before
    count = max(1, -(-size // target))
    inner = np.searchsorted(ends, before + size * np.arange(1, count) // count)
    return sorted({begin, end, *np.clip(inner, begin + 1, end).tolist()})
