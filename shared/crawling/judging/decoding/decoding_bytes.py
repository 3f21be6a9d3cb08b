"""Estimates how much memory it takes to decode an image, for a budget that all images share.

The estimates are rather too high. They come from the peak memory of a process that judged pictures of 16 million
pixels, minus its memory before.
"""

from collections.abc import Mapping

from shared.crawling.judging.header import Header
from shared.crawling.judging.jpeg.header import JpegHeader
from shared.crawling.options import Format, Transform

SMALL_BYTES = 32_000_000
"""Images that take at most this much do not count towards the budget. Most photographs take less."""

_BYTES_A_PIXEL: Mapping[Format, int] = {"webp": 20, "avif": 24, "gif": 16, "png": 6, "bmp": 6, "tiff": 12}
"""The decoder's own memory, in bytes for each pixel."""

_ANIMATED_BYTES = 20
"""The same for a picture that is composed of several frames."""

_STRIP_PIXELS, _STRIP_BYTES = 2_000_000, 30
"""The pixels that are put on white at a time, and the bytes for each of them."""

_COEFFICIENT_BYTES = 2
_KEPT_BYTES, _INK_BYTES = 9, 24
"""Bytes for each pixel of the decoded picture while it is converted. `_INK_BYTES` is for CMYK."""

_TRANSFORMED_BYTES = 18
"""Bytes for each pixel that is resized, converted, rotated and encoded."""


def decoding_bytes(header: Header, side: int, wanted: Transform | None = None) -> int:
    """Returns the bytes to decode the first frame and to transform it. `side` is the wanted shorter side in pixels."""
    if header.jpeg is not None:
        decoded, kept = _jpeg_bytes(header.jpeg, side)
    else:
        pixels = header.width * header.height
        kept = pixels // max(1, min(header.width, header.height) // (2 * side)) ** 2
        decoded = kept * _KEPT_BYTES + frame_bytes(header.format, pixels, animated=header.animated_png)
    if wanted is None:
        return decoded
    made = kept if wanted.resize is None else wanted.resize.size**2
    return max(decoded, kept * _KEPT_BYTES + made * _TRANSFORMED_BYTES)


def frame_bytes(image_format: Format, pixels: int, *, animated: bool) -> int:
    """Returns the bytes to decode one frame or page."""
    each = _ANIMATED_BYTES if animated else _BYTES_A_PIXEL.get(image_format, _ANIMATED_BYTES)
    return pixels * each + min(pixels, _STRIP_PIXELS) * _STRIP_BYTES


def _jpeg_bytes(header: JpegHeader, side: int) -> tuple[int, int]:
    """Returns the bytes to decode the picture, and its pixels once it is decoded.

    The decoder scales by eighths. If there are several scans, it holds the coefficients of all pixels.
    """
    pixels = header.width * header.height
    eighths = min(8, -(-8 * side // min(header.width, header.height)))
    kept = pixels * eighths**2 // 64
    coefficients = 0 if header.one_scan else pixels * header.components * _COEFFICIENT_BYTES
    return coefficients + kept * (_INK_BYTES if header.components == 4 else _KEPT_BYTES), kept
