"""Pictures as arrays: BGR, of shape (height, width, 3), uint8."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

type Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

_TURNS: Mapping[int, Callable[[Pixels], Pixels]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels[::-1].transpose(1, 0, 2),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: pixels[:, ::-1].transpose(1, 0, 2),
}


def scaled(pixels: Pixels, width: int, height: int) -> Pixels:
    """The picture in another size: averaged where it gets much smaller, interpolated otherwise."""
    now_height, now_width = pixels.shape[:2]
    if (now_width, now_height) == (width, height):
        return pixels
    if 2 * width <= now_width or 2 * height <= now_height:
        method = cv2.INTER_AREA
    else:
        method = cv2.INTER_LINEAR if width < now_width else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)


def reduced(pixels: Pixels, side: int) -> Pixels:
    """The picture made smaller by a whole factor, its shorter side from `side` to less than twice that.

    Whole factors are averaged many times faster than others; up to factor - 1 pixels of two edges are lost.
    """
    height, width = pixels.shape[:2]
    factor = min(height, width) // side
    if factor <= 1:
        return pixels
    height, width = height // factor, width // factor
    whole = pixels[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """The picture as a viewer shows it, by its EXIF orientation, 1 to 8 (Exif 2.32, section 4.6.4.A)."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))
