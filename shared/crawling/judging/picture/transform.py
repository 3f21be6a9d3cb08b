"""Encodes a kept image anew as the spec asks: upright, resized, in sRGB, on white, without metadata."""

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
import simplejpeg

from shared.crawling.judging.inspect import Inspected
from shared.crawling.judging.picture.color import to_srgb
from shared.crawling.judging.picture.pixels import Pixels, make_upright, scale
from shared.crawling.options import Resize, Transform

_PNG_COMPRESSION = 6
_WHITE = (255, 255, 255)
_MAX_SIDE: Mapping[str, int] = {"jpeg": 65_500, "webp": 16_383}
"""The pixels that a side may have: libjpeg's own limit, and the 14 bits of WebP's format."""


def wanted_side(wanted: Transform | None) -> int | None:
    """Returns how many pixels the shorter side needs for the transform, or None if it needs all pixels."""
    if wanted is None:
        return 1
    return wanted.resize.size if wanted.resize is not None else None


class Encoded(NamedTuple):
    """A new file, and the size of its picture in pixels."""

    data: bytes
    width: int
    height: int


def transform(found: Inspected, wanted: Transform) -> Encoded:
    """Makes the new file. An animation becomes its first frame.

    `found` must have been inspected with the `wanted_side` of the transform. A picture that is too large for the format
    is scaled down to the format's limit.
    """
    pixels = found.pixels
    if wanted.resize is not None:
        pixels = _resize(pixels, (found.width, found.height), wanted.resize)
    if found.profile is not None:
        pixels = to_srgb(pixels, found.profile)
    pixels = make_upright(pixels, found.orientation)
    if wanted.resize is not None and wanted.resize.mode == "pad":
        pixels = _pad(pixels, wanted.resize.size)
    pixels = _limit_size(pixels, _MAX_SIDE.get(wanted.format))
    height, width = pixels.shape[:2]
    return Encoded(_encode(np.ascontiguousarray(pixels), wanted), width, height)


def _resize(pixels: Pixels, size: tuple[int, int], resize: Resize) -> Pixels:
    """Scales the picture to fit the square, or crops it to fill the square. `size` is its stored width and height."""
    if resize.mode == "fill":
        return scale(_crop_to_square(pixels), resize.size, resize.size)
    ratio = resize.size / max(size)
    if resize.mode == "fit":
        # "fit" never makes an image larger
        ratio = min(1.0, ratio)
    width, height = (max(1, round(length * ratio)) for length in size)
    return scale(pixels, width, height)


def _crop_to_square(pixels: Pixels) -> Pixels:
    """Returns the square in the middle. Cropping before scaling keeps a long picture from becoming a huge one."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    return pixels[top : top + side, left : left + side]


def _limit_size(pixels: Pixels, limit: int | None) -> Pixels:
    height, width = pixels.shape[:2]
    longest = max(width, height)
    if limit is None or longest <= limit:
        return pixels
    return scale(pixels, *(max(1, round(length * limit / longest)) for length in (width, height)))


def _pad(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    top, left = (side - height) // 2, (side - width) // 2
    bottom, right = side - height - top, side - width - left
    bordered = cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=_WHITE)
    return np.asarray(bordered, np.uint8)


def _encode(pixels: Pixels, wanted: Transform) -> bytes:
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
