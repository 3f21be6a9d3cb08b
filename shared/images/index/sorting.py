"""Filters and sorts the rows of an index."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from shared.images.image import TEXTS, ImageFilter
from shared.images.index.rows import Rows, crc32

type Sort = Literal["largest", "smallest", "sharpest", "blurriest", "brightest", "darkest"]

_KEYS: Final[Mapping[Sort, tuple[str, bool]]] = {
    "largest": ("pixels", True),
    "smallest": ("pixels", False),
    "sharpest": ("sharpness", True),
    "blurriest": ("sharpness", False),
    "brightest": ("brightness", True),
    "darkest": ("brightness", False),
}


def values_of(rows: Rows, name: str) -> NDArray[Any]:
    """Returns a number of each image: `pixels`, or a field of its row."""
    return rows["width"].astype(np.int64) * rows["height"] if name == "pixels" else rows[name]


def sorted_rows(rows: Rows, wanted: ImageFilter, sort: Sort, start: int, size: int) -> tuple[Rows, bool]:
    """Returns up to `size` rows from the position `start` on, and whether more follow.

    They match as far as rows can say it. Images with the same value stay in the order of the records. It takes about a
    tenth of a second for a million rows.
    """
    chosen = np.ones(len(rows), np.bool_)
    for name in TEXTS:
        text = getattr(wanted, name)
        if text:
            chosen &= rows[name] == crc32(text)
    for limits in wanted.ranges:
        values = values_of(rows, limits.name)
        # rounding to single precision keeps the order, so no image is missing
        if limits.least is not None:
            chosen &= values >= limits.least
        if limits.most is not None:
            chosen &= values <= limits.most
    found = np.flatnonzero(chosen)
    key, descending = _KEYS[sort]
    values = values_of(rows, key)[found]
    order = np.argsort(-values if descending else values, kind="stable")
    return rows[found[order[start : start + size]]], len(found) > start + size
