"""Finds faces by a YuNet model, which runs in OpenCV.

Source: W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research, 2023.
"""

from collections.abc import Iterator
from threading import local
from typing import Any, Final

import cv2
import numpy as np

from shared.errors import Permanent
from shared.scoring.faces.boxes import Box, scaled
from shared.scoring.faces.model_check import check_model, reason_of

type BgrPicture = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
"""An upright picture: an array of shape (height, width, 3), blue first, uint8."""

MOST_PIXELS: Final = 1_638_400
"""The pixels of the largest input of the model. Larger pictures are scaled down to it."""

INPUT_BYTES: Final = 80
"""The memory that the model takes for each pixel of its input."""

_MOST_ENLARGED = 2
_SECOND_SCALE = 4
_LEAST_SIDE_SCALED = 640
_SCORE_THRESHOLD = 0.6
_NMS_THRESHOLD = 0.3
_MOST_BOXES = 5000
_ROW_WIDTH = 15


class FaceDetector:
    """A model that finds faces. Many threads may use it at the same time: each has an OpenCV detector of its own.

    Args:
        name: The model's name, for errors.
        model: The content of the ONNX file.

    Raises:
        Permanent: it is no YuNet model that OpenCV can run.
    """

    def __init__(self, name: str, model: bytes) -> None:
        check_model(name, model)
        self.name = name
        self._model = np.frombuffer(model, np.uint8)
        self._of_thread = local()

    def find(self, pixels: BgrPicture) -> tuple[Box, ...]:
        """Returns the boxes around the faces of a picture. There may be several boxes around one face.

        The picture is scaled to `MOST_PIXELS`, but at most to twice its size, so that small faces are found. Faces that
        fill such an input are too large for the model, so it sees the picture a second time, at a quarter of this size.

        Raises:
            Permanent: the model does not work.
        """
        found: list[Box] = []
        height, width = pixels.shape[:2]
        for picture in _inputs(pixels):
            rows = self._detect(picture)
            seen_height, seen_width = picture.shape[:2]
            boxes = [
                Box(left, top, left + wide, top + high)
                for left, top, wide, high in rows[:, :4].tolist()
                if wide > 0 and high > 0
            ]
            found.extend(scaled(boxes, width / seen_width, height / seen_height))
        return tuple(found)

    def _detect(self, picture: BgrPicture) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        height, width = picture.shape[:2]
        try:
            detector = self._detector()
            detector.setInputSize((width, height))
            _, rows = detector.detect(picture)
        except cv2.error as error:
            raise Permanent(f"The model '{self.name}' cannot find faces: {reason_of(error)}.") from error
        if rows is None:
            return np.empty((0, _ROW_WIDTH), np.float32)
        found = np.asarray(rows, np.float32)
        return found[np.isfinite(found).all(axis=1)]

    def _detector(self) -> Any:
        """Returns the thread's detector. OpenCV's detectors keep the last input, so threads must not share one."""
        found = getattr(self._of_thread, "detector", None)
        if found is None:
            found = cv2.FaceDetectorYN.create(
                "onnx",
                self._model,
                np.empty(0, np.uint8),
                (320, 320),
                _SCORE_THRESHOLD,
                _NMS_THRESHOLD,
                _MOST_BOXES,
            )
            self._of_thread.detector = found
        return found


def input_side(width: int, height: int) -> int:
    """Returns the shorter side in pixels that a picture of this size needs, so that the model sees all it can see."""
    side = min(width, height)
    return min(side, int(side * (MOST_PIXELS / (width * height)) ** 0.5) + 1)


def _inputs(pixels: BgrPicture) -> Iterator[BgrPicture]:
    height, width = pixels.shape[:2]
    ratio = min(_MOST_ENLARGED, (MOST_PIXELS / (width * height)) ** 0.5)
    first = _resized(pixels, ratio)
    yield first
    if max(width, height) * ratio >= _LEAST_SIDE_SCALED:
        yield _resized(first, 1 / _SECOND_SCALE)


def _resized(pixels: BgrPicture, ratio: float) -> BgrPicture:
    height, width = pixels.shape[:2]
    size = max(1, int(width * ratio)), max(1, int(height * ratio))
    method = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=method), np.uint8)
