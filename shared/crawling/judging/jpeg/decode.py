"""Decodes JPEGs at a fraction of their size, which still reads every byte. A decoder's warning counts as an error.

The scaled decoder assumes that it can scale the file. It would write a lossless picture at full size into the smaller
buffer of a scaled one. So there are four precautions. `read_jpeg_header` accepts only processes that the decoder
scales. A header that decoders may read differently is rebuilt first. The decoder must find the size that we found. The
buffer has room for the picture at full size.
"""

import numpy as np
import simplejpeg

from shared.crawling.judging.jpeg.decode_sampled import decode_sampled
from shared.crawling.judging.jpeg.header import JpegHeader
from shared.crawling.judging.picture.fingerprint import THUMBNAIL
from shared.crawling.judging.picture.pixels import Pixels
from shared.crawling.judging.repair import mend_jpeg, tidy_jpeg

_MENDINGS = 2
_UNKNOWN_SAMPLING = "Could not determine subsampling"


def decode_jpeg(data: bytes, header: JpegHeader, side: int) -> tuple[Pixels, bytes]:
    """Returns the picture as BGR, and the bytes that were decoded.

    The picture has at least `side` pixels on its shorter side, or all that the file has. The bytes are the file, or a
    mended copy without parts that libjpeg warns of although no pixel depends on them.

    Raises:
        ValueError: the file is damaged.
    """
    pixels, judged = _decode_strictly(data if header.tidy else tidy_jpeg(data, header), header, side)
    if header.components != 4:
        return pixels, judged
    # Adobe stores inks inverted
    inks = pixels if header.adobe else 255 - pixels
    light = inks[:, :, 2::-1].astype(np.uint16) * inks[:, :, 3:] // 255
    return np.ascontiguousarray(light, dtype=np.uint8), judged


def _decode_strictly(data: bytes, header: JpegHeader, side: int) -> tuple[Pixels, bytes]:
    """Decodes all of the data, and returns it with the pixels. If libjpeg warns, a mended copy must decode instead."""
    for mendings in range(_MENDINGS + 1):
        try:
            return _decode(data, header, side), data
        except ValueError as error:
            mended = mend_jpeg(data, header, str(error)) if mendings < _MENDINGS else None
            if mended is None:
                raise
            data = mended
    raise AssertionError


def _decode(data: bytes, header: JpegHeader, side: int) -> Pixels:
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    except (ValueError, KeyError) as error:
        # simplejpeg knows only the usual sampling factors
        if isinstance(error, KeyError) or _UNKNOWN_SAMPLING in str(error):
            return decode_sampled(data, header, side)
        raise
    if (width, height) != (header.width, header.height):
        raise ValueError("its size can be read in two ways")
    space, channels = ("CMYK", 4) if header.components == 4 else ("BGR", 3)
    # pages of memory that are never written take no memory
    buffer = np.empty(width * height * channels, np.uint8)
    # the faster, less exact transform is good enough for a thumbnail
    fast = side == THUMBNAIL
    decoded = simplejpeg.decode_jpeg(data, space, fast, fast, side, side, 1, buffer)
    return np.asarray(decoded, dtype=np.uint8)
