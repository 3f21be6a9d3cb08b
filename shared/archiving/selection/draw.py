"""Random numbers that depend on a seed and on the images alone, so that each run draws the same ones."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from shared.archiving.selection.columns import Columns


def draw(columns: Columns, rows: NDArray[np.int64], seed: str) -> NDArray[np.uint64]:
    """Returns a random number for each image. It depends on the seed and on the image's bytes only."""
    return mix(columns.sha256[rows].view("<u8").reshape(-1, 4)[:, 0], seed)


def mix(numbers: NDArray[np.uint64], seed: str) -> NDArray[np.uint64]:
    """Returns a random number for each number. It depends on the seed, too. Different numbers stay different.

    Source: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
    """
    salt = np.uint64(int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=8).digest()))
    drawn = numbers ^ salt
    drawn = (drawn ^ (drawn >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    drawn = (drawn ^ (drawn >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return drawn ^ (drawn >> np.uint64(31))
