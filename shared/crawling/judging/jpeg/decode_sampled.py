"""Decodes JPEGs with unusual sampling factors by libvips, as strictly as the scaled decoder, which refuses them."""

import re

import numpy as np

from shared.crawling.judging.decoding.libvips import libvips
from shared.crawling.judging.jpeg.header import JpegHeader
from shared.crawling.judging.jpeg.segments import SOS, segments
from shared.crawling.judging.picture.pixels import Pixels

_SHRINKS = (8, 4, 2)
_PREMATURE_END = "premature end"
_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The marker that ends entropy-coded data: no stuffed byte, no restart marker, no fill byte."""


def decode_sampled(data: bytes, header: JpegHeader, side: int) -> Pixels:
    """Returns the picture as BGR, or as CMYK with the inks as stored. `data` must be tidy (`JpegHeader.tidy`).

    The picture has at least `side` pixels on its shorter side, or all that the file has.

    Raises:
        ValueError: the file is damaged, or libjpeg warned.
    """
    pixels = _decode(data, header, side)
    if header.one_scan:
        _check_spent(data, header)
    if header.components == 1:
        return np.repeat(pixels, 3, axis=2)
    if header.components == 3:
        return np.ascontiguousarray(pixels[:, :, ::-1])
    # libvips inverts inks
    return 255 - pixels


def _decode(data: bytes, header: JpegHeader, side: int) -> Pixels:
    shorter = min(header.width, header.height)
    shrink = next((shrink for shrink in _SHRINKS if shorter // shrink >= side), 1)
    # libvips rounds the size down
    shape = header.height // shrink, header.width // shrink, header.components
    with libvips() as vips:
        image = vips.Image.jpegload_buffer(data, shrink=shrink, fail_on="warning", access="sequential")
        if (image.height, image.width, image.bands) != shape:
            raise ValueError("its size can be read in two ways")
        pixels = image.write_to_memory()
        # a warning about the last rows raises no error
        warning = vips.Error("").detail
    if warning:
        raise ValueError(warning)
    return np.frombuffer(pixels, np.uint8).reshape(shape)


def _check_spent(data: bytes, header: JpegHeader) -> None:
    """Checks that decoding uses the last byte of the only scan.

    If codes are damaged, bytes may be left over, which libvips does not report. So the scan is decoded without its last
    byte, and must end too early.

    Raises:
        ValueError: bytes are left over, or the scan is damaged.
    """
    scan = next(end for code, _, end in segments(data) if code == SOS)
    found = _END.search(data, scan)
    end = found.start() if found else len(data)
    last = 2 if data[end - 2 : end] == b"\xff\0" else 1
    try:
        _decode(data[: end - last] + b"\xff\xd9", header, 1)
    except ValueError as error:
        if _PREMATURE_END in str(error):
            return
        raise
    raise ValueError("Corrupt JPEG data: extraneous bytes before marker 0xd9")
