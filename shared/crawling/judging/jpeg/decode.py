"""Decodes JPEGs at a fraction of their size, which still reads every byte. A decoder's warning counts as an error.

The scaled decoder trusts that a file can be scaled: it would write a lossless picture at full size into the buffer of
a scaled one. So `read_jpeg_header` admits only processes that it scales; a header that could be read in two ways is
rebuilt first; the decoder must find the same size as we did; and its buffer has room for the picture at full size.
"""

import numpy as np
import simplejpeg

from shared.crawling.judging.jpeg.decode_sampled import decode_sampled
from shared.crawling.judging.jpeg.header import JpegHeader
from shared.crawling.judging.picture.fingerprint import THUMBNAIL
from shared.crawling.judging.picture.pixels import Pixels
from shared.crawling.judging.repair import mended_jpeg, tidied_jpeg

_MENDINGS = 2
_UNKNOWN_SAMPLING = "Could not determine subsampling"


def decode_jpeg(data: bytes, header: JpegHeader, side: int) -> tuple[Pixels, bytes]:
    """The picture as BGR with at least `side` pixels on its shorter side (or all that it has), and the decoded bytes.

    These are the file, or a copy without parts that libjpeg warns of although they harm no pixel.

    Raises:
        ValueError: the file is damaged.
    """
    pixels, judged = _decode_strictly(data if header.tidy else tidied_jpeg(data, header), header, side)
    if header.components != 4:
        return pixels, judged
    # Adobe stores inks inverted
    inks = pixels if header.adobe else 255 - pixels
    light = inks[:, :, 2::-1].astype(np.uint16) * inks[:, :, 3:] // 255
    return np.ascontiguousarray(light, dtype=np.uint8), judged


def _decode_strictly(data: bytes, header: JpegHeader, side: int) -> tuple[Pixels, bytes]:
    """Read all of the entropy-coded data; a warning of libjpeg is an error unless a copy without its cause has none."""
    for mendings in range(_MENDINGS + 1):
        try:
            return _decode(data, header, side), data
        except ValueError as error:
            mended = mended_jpeg(data, header, str(error)) if mendings < _MENDINGS else None
            if mended is None:
                raise
            data = mended
    raise AssertionError


def _decode(data: bytes, header: JpegHeader, side: int) -> Pixels:
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    except (ValueError, KeyError) as error:
        # the library knows the usual sampling factors only
        if isinstance(error, KeyError) or _UNKNOWN_SAMPLING in str(error):
            return decode_sampled(data, header, side)
        raise
    if (width, height) != (header.width, header.height):
        raise ValueError("its size can be read in two ways")
    space, channels = ("CMYK", 4) if header.components == 4 else ("BGR", 3)
    room = np.empty(width * height * channels, np.uint8)  # what is not written to takes no memory
    quick = side == THUMBNAIL  # the less exact transform is good enough for a look
    decoded = simplejpeg.decode_jpeg(data, space, quick, quick, side, side, 1, room)
    return np.asarray(decoded, dtype=np.uint8)
