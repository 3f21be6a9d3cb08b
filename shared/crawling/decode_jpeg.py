"""Decodes JPEGs at a fraction of their size, which still reads every byte, and minds what decoders merely warn of.

The scaled decoder trusts that a file can be scaled: into the buffer of a scaled picture it writes a lossless one whole.
So `read_jpeg_header` lets no process through but those that it scales; what there might be two ways to read is rebuilt
first; the decoder's own reading of the size has to be ours; and its buffer has room for the picture without scaling.
"""

import numpy as np
import simplejpeg

from shared.crawling.decode_sampled import decode_sampled
from shared.crawling.fingerprint import THUMBNAIL
from shared.crawling.jpeg_header import JpegHeader
from shared.crawling.mend import mended_jpeg, tidied_jpeg
from shared.crawling.pixels import Pixels

_MENDINGS = 2
_UNKNOWN_SAMPLING = "Could not determine subsampling"


def decode_jpeg(data: bytes, header: JpegHeader, side: int) -> tuple[Pixels, bytes]:
    """The picture as BGR, its shorter side no less than `side` pixels, as far as it has so many.

    The bytes are those that were decoded: the file, or a copy without what libjpeg warns of though it harms no pixel.

    Raises what the decoder does where the file is damaged.
    """
    pixels, judged = _decode_strictly(data if header.tidy else tidied_jpeg(data, header), header, side)
    if header.components != 4:
        return pixels, judged
    inks = pixels if header.adobe else 255 - pixels  # Adobe's are stored the other way round
    light = inks[:, :, 2::-1].astype(np.uint16) * inks[:, :, 3:] // 255
    return np.ascontiguousarray(light, dtype=np.uint8), judged


def _decode_strictly(data: bytes, header: JpegHeader, side: int) -> tuple[Pixels, bytes]:
    """Reads all of the entropy-coded data, and minds what libjpeg merely warns of, but for what harms no pixel."""
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
    except (ValueError, KeyError) as error:  # it names no sampling factors but the usual ones
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
