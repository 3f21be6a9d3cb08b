"""Marks the images that differ much from the others of their label: by colour, by entropy and by perceptual hash.

No model is needed. For each label and measure, each image has a distance from the middle of the label, and those whose
distance is far from the median distance are marked. The cost grows with the number of images only. All steps are exact
or single roundings of IEEE 754, so that every machine marks the same images.

Source of the modified z-score and its limit: B. Iglewicz, D. Hoaglin, "How to Detect and Handle Outliers", 1993.
"""

from collections.abc import Callable, Mapping, Sequence
from math import fsum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.archiving.selection.columns import Columns
from shared.archiving.selection.near import FLAT, Hashes, Positions
from shared.records.scores import SCORES

type Distances = NDArray[np.float64]

LEAST_IMAGES: Final = 10
"""How many images a label has at least if some of them are marked."""

LIMIT: Final = 3.5
"""The modified z-score from which on an image is marked."""

# a normal distribution has this median absolute deviation, and this mean absolute deviation, for a deviation of 1
_MEDIAN_DEVIATION, _MEAN_DEVIATION = 0.6745, 0.7979
_ENTROPY = SCORES.index("entropy")
_HASH_BITS = 64


def find_outliers(columns: Columns, rows: Positions) -> NDArray[np.float32]:
    """Returns the modified z-scores of these images.

    There is a row for each row of the columns, and a column for each of `MEASURES`. A score below `LIMIT` is 0, and so
    is that of an image that is not among the rows.
    """
    found = np.zeros((len(columns), len(MEASURES)), np.float32)
    ordered = rows[np.argsort(columns.label[rows], kind="stable")]
    counts = np.bincount(columns.label[rows], minlength=len(columns.labels))
    ends = np.cumsum(counts)
    for label in np.flatnonzero(counts >= LEAST_IMAGES).tolist():
        mine = ordered[ends[label] - counts[label] : ends[label]]
        for place, distances_of in enumerate(_DISTANCES.values()):
            scores = _modified_z_scores(distances_of(columns, mine))
            found[mine, place] = np.where(scores >= LIMIT, scores, 0)
    return found


def names_of(scores: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns for each row of scores the position of its mark in `MARKS`."""
    marked = (scores > 0).astype(np.uint8)
    marks: NDArray[np.uint8] = (marked << np.arange(len(MEASURES), dtype=np.uint8)).sum(
        axis=1, dtype=np.uint8
    )
    return marks


def _modified_z_scores(distances: Distances) -> Distances:
    """Returns how far each distance is above the median, in robust standard deviations; 0 if all are equal."""
    above = distances - np.median(distances)
    spread = float(np.median(np.abs(above))) / _MEDIAN_DEVIATION
    if not spread:
        # more than half of the distances are equal
        spread = fsum(np.abs(above).tolist()) / len(above) / _MEAN_DEVIATION
    return above / spread if spread else np.zeros(len(above))


def _color_distances(columns: Columns, rows: Positions) -> Distances:
    """Returns how far each dominant colour is from the median colour.

    Source: T. Riemersma, "Colour metric", compuphase.com/cmetric.htm.
    """
    colors = columns.color[rows]
    channels = [((colors >> np.uint32(shift)) & np.uint32(0xFF)).astype(np.float32) for shift in (16, 8, 0)]
    middle = [np.float32(np.median(channel)) for channel in channels]
    red, green, blue = (channel - center for channel, center in zip(channels, middle, strict=True))
    mean_red = (channels[0] + middle[0]) / 2
    red_weight, blue_weight = 2 + mean_red / 256, 2 + (255 - mean_red) / 256
    found: NDArray[np.float32] = np.sqrt(
        red_weight * red * red + 4 * green * green + blue_weight * blue * blue
    )
    return found.astype(np.float64)


def _entropy_distances(columns: Columns, rows: Positions) -> Distances:
    entropy = columns.scores[rows, _ENTROPY].astype(np.float64)
    found: Distances = np.abs(entropy - np.median(entropy))
    return found


def _hash_distances(columns: Columns, rows: Positions) -> Distances:
    """Returns in how many bits each hash differs from the label's median hash, whose bits most hashes have.

    A flat picture has no hash, and the median distance.
    """
    hashes: Hashes = columns.perceptual_hash[rows]
    has_hash = hashes != FLAT
    hashes = hashes[has_hash]
    distances = np.zeros(len(rows))
    if len(hashes):
        middle = np.uint64(0)
        for bit in map(np.uint64, range(_HASH_BITS)):
            if 2 * int(((hashes >> bit) & np.uint64(1)).sum()) > len(hashes):
                middle |= np.uint64(1) << bit
        found = np.bitwise_count(hashes ^ middle).astype(np.float64)
        distances[has_hash] = found
        distances[~has_hash] = np.median(found)
    return distances


_DISTANCES: Mapping[str, Callable[[Columns, Positions], NDArray[Any]]] = {
    "color": _color_distances,
    "entropy": _entropy_distances,
    "hash": _hash_distances,
}

MEASURES: Final[Sequence[str]] = tuple(_DISTANCES)
"""The measures by which images are marked."""

MARKS: Final[Sequence[str]] = tuple(
    " ".join(name for place, name in enumerate(MEASURES) if mark >> place & 1)
    for mark in range(1 << len(MEASURES))
)
"""All marks: the names of the measures that mark an image, with spaces between them."""
