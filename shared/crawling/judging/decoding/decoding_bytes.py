"""How much memory it takes to decode an image: estimates on the high side, for a budget that images share.

Measured: the peak of a process while it judges pictures of 16 million pixels, less what it held before.
"""

from collections.abc import Mapping

from shared.crawling.judging.header import Header
from shared.crawling.judging.jpeg.header import JpegHeader
from shared.crawling.options import Format, Transform

SMALL_BYTES = 32_000_000
"""An image that takes no more is not counted. Most photographs take less."""

_BYTES_A_PIXEL: Mapping[Format, int] = {"webp": 20, "avif": 24, "gif": 16, "png": 6, "bmp": 6, "tiff": 12}
"""Bytes that the decoder itself takes for a pixel."""

_ANIMATED_BYTES = 20
"""Bytes for a pixel where a picture is put together from several frames."""

_STRIP_PIXELS, _STRIP_BYTES = 2_000_000, 30
"""How many pixels are put on white at a time, and the bytes for each of them."""

_COEFFICIENT_BYTES = 2
_KEPT_BYTES, _INK_BYTES = 9, 24
"""Bytes for a pixel of the decoded picture while it is converted; for one of four inks."""

_TRANSFORMED_BYTES = 18
"""Bytes for a pixel that is resized, converted, turned and encoded."""


def decoding_bytes(header: Header, side: int, wanted: Transform | None = None) -> int:
    """The memory to decode the (first) picture down to `side` pixels on its shorter side, and to transform it."""
    if header.jpeg is not None:
        decoded, kept = _jpeg_bytes(header.jpeg, side)
    else:
        pixels = header.width * header.height
        kept = pixels // max(1, min(header.width, header.height) // (2 * side)) ** 2
        decoded = kept * _KEPT_BYTES + frame_bytes(header.form, pixels, animated=header.animated_png)
    if wanted is None:
        return decoded
    made = kept if wanted.resize is None else wanted.resize.size**2
    return max(decoded, kept * _KEPT_BYTES + made * _TRANSFORMED_BYTES)


def frame_bytes(form: Format, pixels: int, *, animated: bool) -> int:
    """The memory to decode a frame or page."""
    each = _ANIMATED_BYTES if animated else _BYTES_A_PIXEL.get(form, _ANIMATED_BYTES)
    return pixels * each + min(pixels, _STRIP_PIXELS) * _STRIP_BYTES


def _jpeg_bytes(header: JpegHeader, side: int) -> tuple[int, int]:
    """The memory, and the pixels of the decoded picture. The decoder scales by eighths, and holds all scans at once."""
    pixels = header.width * header.height
    eighths = min(8, -(-8 * side // min(header.width, header.height)))
    kept = pixels * eighths**2 // 64
    coefficients = 0 if header.one_scan else pixels * header.components * _COEFFICIENT_BYTES
    return coefficients + kept * (_INK_BYTES if header.components == 4 else _KEPT_BYTES), kept
