"""Decodes images that Pillow has opened: the first frame becomes pixels, and all later frames are checked.

A frame is a picture of an animation or a page of a TIFF.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from shared.crawling.judging.decoding.decoding_bytes import frame_bytes
from shared.crawling.judging.decoding.strict_decoders import FAX
from shared.crawling.judging.picture.flatten import flatten
from shared.crawling.judging.picture.pixels import Pixels
from shared.crawling.options import Format
from shared.records.records import Reason, Rejected

_MAX_FRAMES = 2000
# all frames together may have this many times the pixels that one frame may have
ALL_FRAMES_FACTOR = 4
# later frames of an animation take many bytes for each pixel, so they may have only one part in four of these pixels
_ANIMATION_SHARE = 4
_PLANAR_TAG, _SEPARATE_PLANES = 0x011C, 2
_STRIP_PIXELS = 2_000_000


class MoreMemory(Exception):
    """A later frame is larger than the first, and frames of this image may take `needed_bytes` of memory."""

    def __init__(self, needed_bytes: int) -> None:
        super().__init__(needed_bytes)
        self.needed_bytes = needed_bytes


class Frames(NamedTuple):
    """`pixels` is the first frame. `fax_pages` are the numbers, from 0, of the pages with fax compression."""

    pixels: Pixels
    number: int
    fax_pages: tuple[int, ...]


def decode_frames(
    image: Image.Image,
    image_format: Format,
    max_pixels: int,
    side: int,
    granted_bytes: int | None,
    see_later_frame: Callable[[Pixels], None] | None = None,
) -> Frames | Rejected:
    """Decodes all frames. `max_pixels` limits each frame, and four times as many limit all frames together.

    Later frames of an animation may have a quarter of `max_pixels`.

    The pixels have at least `side` pixels on their shorter side, or all that the frame has. Broken data raises any
    exception that Pillow raises. `see_later_frame` gets the pixels of each frame after the first, as many as of that.

    Raises:
        MoreMemory: a later frame needs more than `granted_bytes`. The image can be decoded again.
    """
    fax_pages: list[int] = []
    number = pixels = 0
    first: Pixels | None = None
    limit = max_pixels
    # an earlier call may have stopped at a later frame, because it needed more memory
    if image.tell():
        image.seek(0)
    while True:
        # later frames may be larger than the first
        size = image.size[0] * image.size[1]
        pixels += size
        if size > limit or pixels > ALL_FRAMES_FACTOR * max_pixels or number >= _MAX_FRAMES:
            return Rejected(Reason.TOO_MANY_PIXELS, f"in {number + 1} frames")
        if _lacks_strips(image):
            return Rejected(Reason.TRUNCATED, "strips or tiles are missing")
        if first is not None:
            _check_granted(image_format, size, limit, granted_bytes)
        image.load()
        if first is None:
            first = _small_bgr(image, side)
        elif see_later_frame is not None:
            see_later_frame(_small_bgr(image, side))
        if image_format == "tiff" and image.info.get("compression") in FAX:
            fax_pages.append(number)
        number += 1
        try:
            image.seek(image.tell() + 1)
        except EOFError:
            return Frames(first, number, tuple(fax_pages))
        limit = max_pixels if image_format == "tiff" else max_pixels // _ANIMATION_SHARE


def _lacks_strips(image: Image.Image) -> bool:
    """Returns whether an uncompressed TIFF has too few strips or tiles for its size. Pillow leaves the rest black."""
    if not isinstance(image, TiffImageFile) or any(tile.codec_name != "raw" for tile in image.tile):
        return False
    planes = len(image.getbands()) if image.tag_v2.get(_PLANAR_TAG) == _SEPARATE_PLANES else 1
    covered = sum((right - left) * (lower - upper) for left, upper, right, lower in _extents(image))
    return covered < planes * image.size[0] * image.size[1]


def _extents(image: TiffImageFile) -> list[tuple[int, int, int, int]]:
    return [tile.extents for tile in image.tile if tile.extents is not None]


def _check_granted(image_format: Format, pixels: int, max_pixels: int, granted_bytes: int | None) -> None:
    """Checks that the granted memory is enough for a frame. None grants all that is needed.

    Raises:
        MoreMemory: it is not. The error asks for the memory of the largest permitted frame, so it is raised only once.
    """
    animated = image_format != "tiff"
    if granted_bytes is not None and frame_bytes(image_format, pixels, animated=animated) > granted_bytes:
        raise MoreMemory(frame_bytes(image_format, max_pixels, animated=animated))


def _small_bgr(image: Image.Image, side: int) -> Pixels:
    """Returns the frame as BGR on white. A large frame is reduced by a whole factor, in strips to save memory."""
    width, height = image.size
    factor = max(1, min(width, height) // (2 * side))
    rows = max(1, _STRIP_PIXELS // (width * factor)) * factor
    strips = [
        np.asarray(
            _reduce_strip(image.crop((0, top, width, min(height, top + rows))), factor), dtype=np.uint8
        )
        for top in range(0, height, rows)
    ]
    return np.ascontiguousarray(np.concatenate(strips)[:, :, ::-1])


def _reduce_strip(strip: Image.Image, factor: int) -> Image.Image:
    flat = flatten(strip)
    return flat.reduce(factor) if factor > 1 else flat
