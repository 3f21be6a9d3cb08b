"""Re-encodes a kept image as the spec asks: upright, resized, in sRGB, on white, without metadata."""

from collections.abc import Mapping

import cv2
import numpy as np
import simplejpeg

from shared.crawling.judging.inspect import Inspected
from shared.crawling.judging.picture.color import to_srgb
from shared.crawling.judging.picture.pixels import Pixels, scaled, upright
from shared.crawling.options import Resize, Transform

_PNG_COMPRESSION = 6
_WHITE = (255, 255, 255)
_MAX_SIDE: Mapping[str, int] = {"jpeg": 65_500, "webp": 16_383}
"""Pixels that the encoder can take on a side: libjpeg's own limit, and the format's 14 bits."""


def wanted_side(wanted: Transform | None) -> int | None:
    """How many pixels of its shorter side a picture must keep for the transform; None for all of them."""
    if wanted is None:
        return 1
    return wanted.resize.size if wanted.resize is not None else None


def transform(found: Inspected, wanted: Transform) -> tuple[bytes, int, int]:
    """The new bytes, their width and height in pixels; of an animation, its first frame.

    `found` must have been inspected with the `wanted_side` of the transform. What is larger than the format can be is
    scaled down to its limit.
    """
    pixels = found.pixels
    if wanted.resize is not None:
        pixels = _resized(pixels, (found.width, found.height), wanted.resize)
    if found.profile is not None:
        pixels = to_srgb(pixels, found.profile)
    pixels = upright(pixels, found.orientation)
    if wanted.resize is not None and wanted.resize.mode == "pad":
        pixels = _padded(pixels, wanted.resize.size)
    pixels = _within(pixels, _MAX_SIDE.get(wanted.format))
    height, width = pixels.shape[:2]
    return _encoded(np.ascontiguousarray(pixels), wanted), width, height


def _resized(pixels: Pixels, size: tuple[int, int], resize: Resize) -> Pixels:
    """Fit within the box, or fill it and lose what is outside. `size` is the picture's own, width and height."""
    if resize.mode == "fill":
        return scaled(_square(pixels), resize.size, resize.size)
    ratio = resize.size / max(size)
    if resize.mode == "fit":
        ratio = min(1.0, ratio)  # fit makes images smaller, never larger
    width, height = (max(1, round(length * ratio)) for length in size)
    return scaled(pixels, width, height)


def _square(pixels: Pixels) -> Pixels:
    """The square in the middle: cut before it is scaled, so that a long picture never becomes a huge one."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    return pixels[top : top + side, left : left + side]


def _within(pixels: Pixels, limit: int | None) -> Pixels:
    height, width = pixels.shape[:2]
    longest = max(width, height)
    if limit is None or longest <= limit:
        return pixels
    return scaled(pixels, *(max(1, round(length * limit / longest)) for length in (width, height)))


def _padded(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    top, left = (side - height) // 2, (side - width) // 2
    bottom, right = side - height - top, side - width - left
    bordered = cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=_WHITE)
    return np.asarray(bordered, np.uint8)


def _encoded(pixels: Pixels, wanted: Transform) -> bytes:
    if wanted.format == "jpeg":
        return bytes(simplejpeg.encode_jpeg(pixels, wanted.quality, "BGR", "420", fastdct=False))
    if wanted.format == "png":
        options = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_COMPRESSION]
    else:
        options = [cv2.IMWRITE_WEBP_QUALITY, wanted.quality]
    done, data = cv2.imencode(f".{wanted.format}", pixels, options)
    if not done:
        raise ValueError(f"the {wanted.format} encoder failed")
    return data.tobytes()
