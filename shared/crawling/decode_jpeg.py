"""Decodes JPEGs at a fraction of their size, which still reads every byte."""

import numpy as np
import simplejpeg

from shared.crawling.fingerprint import THUMBNAIL
from shared.crawling.jpeg_header import JpegHeader
from shared.crawling.mend import mended_jpeg
from shared.crawling.pixels import Pixels

_MENDINGS = 2


def decode_jpeg(data: bytes, header: JpegHeader, side: int) -> tuple[Pixels, bytes]:
    """The picture as BGR, its shorter side no less than `side` pixels, as far as it has so many.

    The bytes are those that were decoded: the file, or a copy without what libjpeg warns of though it harms no pixel.

    Raises what the decoder does where the file is damaged.
    """
    space = "CMYK" if header.components == 4 else "BGR"
    pixels, judged = _decode_strictly(data, header, space, side)
    if space == "BGR":
        return pixels, judged
    inks = pixels if header.adobe else 255 - pixels  # Adobe's are stored the other way round
    light = inks[:, :, 2::-1].astype(np.uint16) * inks[:, :, 3:] // 255
    return np.ascontiguousarray(light, dtype=np.uint8), judged


def _decode_strictly(data: bytes, header: JpegHeader, space: str, side: int) -> tuple[Pixels, bytes]:
    """Reads all of the entropy-coded data, and minds what libjpeg merely warns of, but for what harms no pixel."""
    quick = side == THUMBNAIL  # the less exact transform is good enough for a look
    for mendings in range(_MENDINGS + 1):
        try:
            decoded = simplejpeg.decode_jpeg(data, space, quick, quick, side, side, 1)
            return np.asarray(decoded, dtype=np.uint8), data
        except ValueError as error:
            mended = mended_jpeg(data, header, str(error)) if mendings < _MENDINGS else None
            if mended is None:
                raise
            data = mended
    raise AssertionError
