"""Defines the boxes around faces, and counts the faces of boxes that overlap."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_SAME_FACE = 0.5
"""Two boxes are one face if they share this part of the smaller box or more."""


class Box(NamedTuple):
    """The edges of a box in pixels, from the left and upper edges of the picture. They may lie beyond the picture."""

    left: float
    top: float
    right: float
    bottom: float


def count_faces(boxes: Sequence[Box]) -> int:
    """Returns the number of faces that the boxes are around. A face may be found several times, in several sizes."""
    if not boxes:
        return 0
    edges = np.asarray(boxes, np.float64)
    areas = (edges[:, 2] - edges[:, 0]) * (edges[:, 3] - edges[:, 1])
    # the largest boxes first
    order = np.argsort(-areas, kind="stable")
    edges, areas = edges[order], areas[order]
    number, is_left = 0, np.ones(len(edges), np.bool_)
    for place in range(len(edges)):
        if not is_left[place]:
            continue
        number += 1
        corners = np.minimum(edges[:, 2:], edges[place, 2:]) - np.maximum(edges[:, :2], edges[place, :2])
        is_left &= np.maximum(corners, 0).prod(axis=1) < _SAME_FACE * areas
    return number


def scaled(boxes: Sequence[Box], across: float, down: float) -> tuple[Box, ...]:
    """Returns the boxes in a picture that is `across` times as wide and `down` times as high."""
    return tuple(
        Box(box.left * across, box.top * down, box.right * across, box.bottom * down) for box in boxes
    )
