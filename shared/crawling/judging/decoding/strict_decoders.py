"""Proves pictures whose formats have no checksums by decoders that mind more than Pillow's: AVIF and fax in TIFF.

Half of the damage that dav1d and libtiff pass over is told of by libaom, and by libtiff's warnings.
"""

from typing import Final

import cv2
import numpy as np

from shared.crawling.judging.decoding.libvips import libvips
from shared.records.records import Reason, Rejected

FAX: Final = frozenset({"tiff_ccitt", "group3", "group4"})
"""Pillow's names of what puts blank or shifted rows in the place of damaged ones (ITU-T T.4, T.6)."""

_MAX_PAGES = 64
"""libvips looks for each page from the first one on."""

_FRAMES_PIXELS = 8_000_000
"""How much of an animation is decoded once more, if not its first two frames: all is held at a time."""


def check_fax(data: bytes, pages: tuple[int, ...]) -> Rejected | None:
    """A rejection where one of the first of these pages, numbers from 0, has codes that lead nowhere."""
    try:
        for page in pages[:_MAX_PAGES]:
            with libvips() as vips:
                vips.Image.tiffload_buffer(data, page=page, access="sequential", fail_on="warning").avg()
    except ValueError:
        return Rejected(Reason.CORRUPT, "fax codes that lead nowhere")
    return None


def check_avif(data: bytes, pixels: int, frames: int) -> Rejected | None:
    """A rejection where the picture, of so many pixels, or one of its first frames is damaged."""
    still = b"".join((data[:8], b"avif", data[12:]))  # libvips opens none that calls itself a sequence
    try:
        with libvips() as vips:
            image = vips.Image.heifload_buffer(still, access="sequential", fail_on="warning")
            two_ways = image.width * image.height > pixels
            if not two_ways:
                image.avg()  # which takes all pixels
    except ValueError:
        return Rejected(Reason.CORRUPT, "damaged AV1 data")
    if two_ways:
        return Rejected(Reason.CORRUPT, "its size can be read in two ways")
    return _check_frames(data, pixels) if frames > 1 else None


def _check_frames(data: bytes, pixels: int) -> Rejected | None:
    """By OpenCV, as far as it opens such a file: it raises where a frame is damaged."""
    try:
        cv2.imdecodeanimation(np.frombuffer(data, np.uint8), 0, max(2, _FRAMES_PIXELS // pixels))
    except cv2.error:
        return Rejected(Reason.CORRUPT, "damaged AV1 data in a further frame")
    return None
