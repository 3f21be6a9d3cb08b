"""Defines the boxes around faces, and counts the faces of boxes that overlap."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_SAME_FACE = 0.5
"""Two boxes are one face if they share this part of the smaller box or more."""


class Box(NamedTuple):
    """The edges of a box in pixels, from the left and upper edges of the picture. They may lie beyond the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """The area in square pixels."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def overlap(self, other: "Box") -> float:
        """Returns the area that both boxes share, in square pixels."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)


def count_faces(boxes: Iterable[Box]) -> int:
    """Returns the number of faces that the boxes are around. A face may be found several times, in several sizes."""
    faces: list[Box] = []
    for box in sorted(boxes, key=lambda box: box.area, reverse=True):
        if not any(box.overlap(face) >= _SAME_FACE * box.area for face in faces):
            faces.append(box)
    return len(faces)


def scaled(boxes: Sequence[Box], across: float, down: float) -> tuple[Box, ...]:
    """Returns the boxes in a picture that is `across` times as wide and `down` times as high."""
    return tuple(
        Box(box.left * across, box.top * down, box.right * across, box.bottom * down) for box in boxes
    )
