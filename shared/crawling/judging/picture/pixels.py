"""Scales and rotates pictures that are arrays: BGR, of shape (height, width, 3), or grey, (height, width); uint8."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

type Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

_ROTATIONS: Mapping[int, Callable[[Pixels], Pixels]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels[::-1].transpose(1, 0, 2),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: pixels[:, ::-1].transpose(1, 0, 2),
}


def scale(pixels: Pixels, width: int, height: int) -> Pixels:
    """Scales the picture to a size in pixels. Pixels are averaged if it becomes much smaller, or else interpolated."""
    now_height, now_width = pixels.shape[:2]
    if (now_width, now_height) == (width, height):
        return pixels
    if 2 * width <= now_width or 2 * height <= now_height:
        method = cv2.INTER_AREA
    else:
        method = cv2.INTER_LINEAR if width < now_width else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)


def reduce(pixels: Pixels, side: int) -> Pixels:
    """Reduces the picture by a whole factor. The shorter side then has from `side` to less than twice `side` pixels.

    A smaller picture is returned unchanged. Whole factors are many times faster than others, but up to factor - 1
    pixels at the right and lower edges are lost.
    """
    height, width = pixels.shape[:2]
    factor = min(height, width) // side
    if factor <= 1:
        return pixels
    height, width = height // factor, width // factor
    whole = pixels[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def make_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Rotates and mirrors the picture as a viewer shows it with its EXIF orientation (Exif 2.32, section 4.6.4.A)."""
    rotate = _ROTATIONS.get(orientation)
    return pixels if rotate is None else np.ascontiguousarray(rotate(pixels))
