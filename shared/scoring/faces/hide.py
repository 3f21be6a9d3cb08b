"""Makes faces in a picture unrecognizable."""

from collections.abc import Iterable

import cv2
import numpy as np

from shared.scoring.faces.boxes import Box
from shared.scoring.faces.detector import BgrPicture

_MARGIN = 0.3
"""What is hidden around a box, as a part of its longer side. Boxes end at the hairline, the chin and the cheeks."""

_CELLS = 4
"""The colours that remain of a hidden part, in each direction. They do not depend on the picture's resolution."""


def hide_faces(pixels: BgrPicture, boxes: Iterable[Box]) -> BgrPicture:
    """Returns a copy of the picture without the faces in the boxes.

    A box and a margin around it are replaced by the mean colours of four by four cells, and by soft transitions between
    them. Everything else that the part showed is gone, so the faces cannot be restored from the copy.
    """
    hidden = pixels.copy()
    height, width = hidden.shape[:2]
    for box in boxes:
        margin = _MARGIN * max(box.right - box.left, box.bottom - box.top)
        left, top = max(0, int(box.left - margin)), max(0, int(box.top - margin))
        right, bottom = min(width, int(box.right + margin) + 1), min(height, int(box.bottom + margin) + 1)
        if left < right and top < bottom:
            hidden[top:bottom, left:right] = _without_details(hidden[top:bottom, left:right])
    return hidden


def _without_details(part: BgrPicture) -> BgrPicture:
    height, width = part.shape[:2]
    cells = cv2.resize(part, (min(_CELLS, width), min(_CELLS, height)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
