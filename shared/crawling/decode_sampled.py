"""Decodes JPEGs of unusual sampling factors, which the scaled decoder cannot name, by libvips: no less strictly."""

import logging
import re
from functools import cache
from threading import Lock

import numpy as np

from shared.crawling.jpeg_header import JpegHeader
from shared.crawling.jpeg_segments import SOS, segments
from shared.crawling.pixels import Pixels

_ONE_AT_A_TIME = Lock()
"""The process has one list of what libvips has to say."""

_SHRINKS = (8, 4, 2)
_PREMATURE_END = "premature end"
_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Of entropy-coded data: no stuffed byte, no restart, no filling."""


def decode_sampled(data: bytes, header: JpegHeader, side: int) -> Pixels:
    """The picture as BGR, or its inks as stored where it has four, at least `side` pixels on its shorter side.

    `data` is tidy.

    Raises:
        ValueError: it is damaged, or libjpeg warned of it.
    """
    pixels = _decode(data, header, side)
    if header.one_scan:
        _check_spent(data, header)
    if header.components == 1:
        return np.repeat(pixels, 3, axis=2)
    if header.components == 3:
        return np.ascontiguousarray(pixels[:, :, ::-1])
    return 255 - pixels  # libvips turns inks round


def _decode(data: bytes, header: JpegHeader, side: int) -> Pixels:
    import pyvips

    _set_up()
    shorter = min(header.width, header.height)
    shrink = next((shrink for shrink in _SHRINKS if shorter // shrink >= side), 1)
    shape = header.height // shrink, header.width // shrink, header.components  # cut down to whole pixels
    try:
        with _ONE_AT_A_TIME:
            pyvips.Error("")  # takes what others have left
            image = pyvips.Image.jpegload_buffer(data, shrink=shrink, fail_on="warning", access="sequential")
            if (image.height, image.width, image.bands) != shape:
                raise ValueError("its size can be read in two ways")
            pixels = image.write_to_memory()
            warning = pyvips.Error("").detail  # of the last rows, which nothing has failed for
    except pyvips.Error as error:
        raise ValueError(str(error)) from error
    if warning:
        raise ValueError(warning)
    return np.frombuffer(pixels, np.uint8).reshape(shape)


def _check_spent(data: bytes, header: JpegHeader) -> None:
    """That the one scan needs its last byte: libvips is done with the last pixel, and lost codes leave a rest."""
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


@cache
def _set_up() -> None:
    """Each file is decoded once; and what libvips remembers, it tells apart by its place in memory."""
    import pyvips

    pyvips.cache_set_max(0)
    logging.getLogger("pyvips").setLevel(logging.ERROR)  # it warns of damage, of which a record tells
