"""Finds damage in AVIF and in fax-compressed TIFF, which have no checksums, by decoders stricter than Pillow's.

Pillow decodes these with dav1d and libtiff. libaom and libtiff's warnings report half of the damage that they ignore.
"""

from typing import Final

import cv2
import numpy as np

from shared.crawling.judging.decoding.libvips import libvips
from shared.records.records import Reason, Rejected

FAX: Final = frozenset({"tiff_ccitt", "group3", "group4"})
"""Pillow's names of the fax compressions (ITU-T T.4, T.6). Pillow shows damaged rows as blank or shifted rows."""

_MAX_PAGES = 64
"""libvips searches for each page from the first one, so checking all pages would take quadratic time."""

_FRAMES_PIXELS = 8_000_000
"""The pixels of an animation that are decoded again, but at least two frames. OpenCV holds them all in memory."""


def check_fax(data: bytes, pages: tuple[int, ...]) -> Rejected | None:
    """Returns a rejection if a page has invalid codes. Checks the first 64 of the pages, which are numbered from 0."""
    try:
        for page in pages[:_MAX_PAGES]:
            with libvips() as vips:
                vips.Image.tiffload_buffer(data, page=page, access="sequential", fail_on="warning").avg()
    except ValueError:
        return Rejected(Reason.CORRUPT, "fax codes that lead nowhere")
    return None


def check_avif(data: bytes, pixels: int, frames: int) -> Rejected | None:
    """Returns a rejection if the picture or one of its first frames is damaged.

    `pixels` is the number of pixels that the header declares.
    """
    # libvips does not open a file that declares itself a sequence
    still = b"".join((data[:8], b"avif", data[12:]))
    try:
        with libvips() as vips:
            image = vips.Image.heifload_buffer(still, access="sequential", fail_on="warning")
            two_ways = image.width * image.height > pixels
            if not two_ways:
                # the average reads all pixels
                image.avg()
    except ValueError:
        return Rejected(Reason.CORRUPT, "damaged AV1 data")
    if two_ways:
        return Rejected(Reason.CORRUPT, "its size can be read in two ways")
    return _check_frames(data, pixels) if frames > 1 else None


def _check_frames(data: bytes, pixels: int) -> Rejected | None:
    """Decodes the first frames with OpenCV, which raises an error for a damaged frame."""
    try:
        cv2.imdecodeanimation(np.frombuffer(data, np.uint8), 0, max(2, _FRAMES_PIXELS // pixels))
    except cv2.error:
        return Rejected(Reason.CORRUPT, "damaged AV1 data in a further frame")
    return None
