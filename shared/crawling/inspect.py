"""Judges an image's bytes: which format they really are, whether they are whole, and what they look like.

JPEGs are decoded at a fraction of their size by the DCT-scaled decoder, which still reads every byte; all other
formats are decoded in full, after their header was found to be within the limit of pixels.
"""

import io
import warnings
from dataclasses import dataclass

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from shared.crawling.fingerprint import THUMBNAIL, Look, look_at
from shared.crawling.options import Filters
from shared.crawling.pixels import Pixels
from shared.records import Reason, Rejected

_FORMATS = {
    "JPEG": "jpeg",
    "MPO": "jpeg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tiff",
    "AVIF": "avif",
}
_OPENED = [name for name in _FORMATS if name != "MPO"]  # which is opened as the JPEG that it begins with
_MODES = {
    "1": "grey",
    "L": "grey",
    "LA": "grey",
    "P": "palette",
    "PA": "palette",
    "CMYK": "cmyk",
    "RGBA": "rgba",
}
_ORIENTATION_TAG = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})
_MAX_FRAMES = 2000
_SCALED = frozenset({"YCbCr", "Gray"})

Image.MAX_IMAGE_PIXELS = None  # the spec's own limit is checked instead, before anything is decoded


@dataclass(frozen=True, slots=True)
class Inspected:
    """What an image is. `width` and `height` are pixels as stored, `upright_*` after its EXIF orientation.

    `pixels` are the (first) picture as stored, on white, perhaps smaller; `profile` is its ICC profile.
    """

    format: str
    width: int
    height: int
    mode: str
    frames: int
    orientation: int
    look: Look
    pixels: Pixels
    profile: bytes | None = None

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as a viewer shows it."""
        return (self.height, self.width) if self.orientation in _SIDEWAYS else (self.width, self.height)


def inspect(data: bytes, filters: Filters, side: int | None = 1) -> Inspected | Rejected:
    """Judge an image. Takes milliseconds of processor time; call it off the event loop.

    The pixels that are given back have at least `side` on their shorter side, as far as the image has; None for all.
    """
    header = _open(data)
    if isinstance(header, Rejected):
        return header
    with header:
        form = _FORMATS[str(header.format)]
        if form not in filters.formats:
            return Rejected(Reason.FORMAT_FILTERED, form)
        width, height = header.size
        if width * height > filters.max_pixels:
            return Rejected(Reason.TOO_MANY_PIXELS, f"{width}x{height}")
        orientation = _orientation(header)
        refusal = _check_shape(width, height, orientation, filters)
        if refusal is not None:
            return refusal
        mode = _mode(header.mode)
        profile = header.info.get("icc_profile")
        decoded = _decode(
            data, header, form, filters.max_pixels, max(side, THUMBNAIL) if side else max(header.size)
        )
    if isinstance(decoded, Rejected):
        return decoded
    pixels, frames = decoded
    look = look_at(pixels)
    if filters.sharpness_min is not None and look.sharpness < filters.sharpness_min:
        return Rejected(Reason.NOT_SHARP, f"{look.sharpness:.1f}")
    return Inspected(form, width, height, mode, frames, orientation, look, pixels, profile or None)


def _open(data: bytes) -> Image.Image | Rejected:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is no reason to refuse pixels
            return Image.open(io.BytesIO(data), formats=_OPENED)
    except UnidentifiedImageError:
        return _not_an_image(data)
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on hostile bytes
        return Rejected(Reason.CORRUPT, type(error).__name__)


def _not_an_image(data: bytes) -> Rejected:
    """Tell what was sent in place of an image, from how it begins."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return Rejected(Reason.UNSUPPORTED_FORMAT, "SVG")
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<")):
        return Rejected(Reason.NOT_AN_IMAGE, "HTML or XML")
    if start.startswith((b"{", b"[")):
        return Rejected(Reason.NOT_AN_IMAGE, "JSON")
    if data[:4] in {b"%PDF", b"8BPS"} or data[4:8] == b"ftyp":
        return Rejected(Reason.UNSUPPORTED_FORMAT)
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")) or data[8:12] == b"WEBP":
        return Rejected(Reason.CORRUPT, "the header cannot be read")
    return Rejected(Reason.NOT_AN_IMAGE)


def _check_shape(width: int, height: int, orientation: int, filters: Filters) -> Rejected | None:
    if orientation in _SIDEWAYS:
        width, height = height, width
    if width < filters.min_width or height < filters.min_height:
        return Rejected(Reason.TOO_SMALL, f"{width}x{height}")
    if max(width, height) > filters.max_aspect_ratio * min(width, height):
        return Rejected(Reason.ASPECT_RATIO, f"{width}x{height}")
    return None


def _orientation(header: Image.Image) -> int:
    try:
        value = header.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - broken EXIF says nothing about the pixels
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _mode(mode: str) -> str:
    return _MODES.get(mode) or ("grey16" if mode.startswith(("I", "F")) else "rgb")


def _decode(
    data: bytes, header: Image.Image, form: str, max_pixels: int, side: int
) -> tuple[Pixels, int] | Rejected:
    """A picture of at least thumbnail size, and the number of frames; proof that the file is whole."""
    try:
        if form == "jpeg" and header.mode in {"L", "RGB"}:
            return _decode_jpeg(data, side), 1
        return _decode_by_pillow(header, max_pixels, side)
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on hostile bytes
        return _broken(error)


def _decode_jpeg(data: bytes, side: int) -> Pixels:
    quick = side == THUMBNAIL  # the less exact transform is good enough for a look
    pixels = simplejpeg.decode_jpeg(data, "BGR", quick, quick, side, side, 1)
    return np.asarray(pixels, dtype=np.uint8)


def _decode_by_pillow(image: Image.Image, max_pixels: int, side: int) -> tuple[Pixels, int] | Rejected:
    frames = 0
    first: Pixels | None = None
    while True:
        image.load()
        if first is None:
            first = _small_bgr(image, side)
        frames += 1
        if frames * image.size[0] * image.size[1] > 8 * max_pixels or frames >= _MAX_FRAMES:
            return Rejected(Reason.TOO_MANY_PIXELS, f"more than {frames} frames")
        try:
            image.seek(image.tell() + 1)
        except EOFError:
            return first, frames


def _small_bgr(image: Image.Image, side: int) -> Pixels:
    """The frame as BGR on white, reduced by a whole factor where it is large."""
    factor = max(1, min(image.size) // (2 * side))
    if image.mode.startswith(("I", "F")):
        image = (
            image.point(lambda value: value / 256).convert("L") if image.mode != "F" else image.convert("L")
        )
    if image.mode in {"P", "PA", "LA", "RGBA"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, "white")
        image = Image.alpha_composite(ground, rgba)
    rgb = image.convert("RGB")
    if factor > 1:
        rgb = rgb.reduce(factor)
    return np.ascontiguousarray(np.asarray(rgb, dtype=np.uint8)[:, :, ::-1])


def _broken(error: Exception) -> Rejected:
    text = str(error).lower()
    if any(
        word in text for word in ("truncated", "premature end", "not enough image data", "unexpected end")
    ):
        return Rejected(Reason.TRUNCATED)
    return Rejected(Reason.CORRUPT, type(error).__name__)
