"""Judges an image's bytes: which format they really are, whether they are whole, and what they look like.

JPEGs are decoded at a fraction of their size by the DCT-scaled decoder, which still reads every byte; all other
formats are decoded in full, after their header was found to be within the limit of pixels.
"""

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import simplejpeg
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from shared.crawling.fingerprint import THUMBNAIL, Look, look_at
from shared.crawling.flatten import flatten
from shared.crawling.options import Filters, Format
from shared.crawling.pixels import Pixels
from shared.crawling.signatures import form_of, refusal_of
from shared.crawling.wholeness import check_whole
from shared.records import Reason, Rejected

_OPENED = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_FORMS: Mapping[str, Format] = {
    "JPEG": "jpeg",
    "MPO": "jpeg",  # opened as the JPEG that it begins with
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "DIB": "bmp",
    "TIFF": "tiff",
    "AVIF": "avif",
}
_MODES = {
    "1": "grey",
    "L": "grey",
    "LA": "grey",
    "La": "grey",
    "I;16": "grey16",
    "I;16B": "grey16",
    "P": "palette",
    "PA": "palette",
    "CMYK": "cmyk",
    "RGB": "rgb",
    "RGBX": "rgb",
    "YCbCr": "rgb",
    "RGBA": "rgba",
    "RGBa": "rgba",
}
_ORIENTATION_TAG, _BITS_TAG = 0x0112, 0x0102
_SIDEWAYS = frozenset({5, 6, 7, 8})
_MAX_FRAMES = 2000
_FRAMES_OF_MAX_PIXELS = 4
_ANIMATION_SHARE = 4
_STRIP_PIXELS = 2_000_000

Image.MAX_IMAGE_PIXELS = (
    500_000_000  # the largest that a spec can ask for; the spec's own limit is checked here
)
warnings.filterwarnings("ignore", module=r"PIL\.")  # odd metadata is no reason to refuse pixels


@dataclass(frozen=True, slots=True)
class Inspected:
    """What an image is. `width` and `height` are pixels as stored, `upright_size` after its EXIF orientation.

    A TIFF's are upright, and its orientation is 1: every reader turns it. `pixels` are the (first) picture as stored,
    on white, perhaps smaller; `profile` is its ICC profile.
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
    claimed = form_of(data)
    if claimed != "unknown" and claimed not in filters.formats:
        return Rejected(Reason.FORMAT_FILTERED, claimed)
    header = _open(data)
    if isinstance(header, Rejected):
        return header
    with header:
        form = _FORMS[str(header.format)]
        if form not in filters.formats:
            return Rejected(Reason.FORMAT_FILTERED, form)
        width, height = header.size
        if width * height > filters.max_pixels:
            return Rejected(Reason.TOO_MANY_PIXELS, f"{width}x{height}")
        mode = _mode(header, form, data)
        if mode is None:
            return Rejected(Reason.UNSUPPORTED_FORMAT, f"{form} in {header.mode}")
        orientation = 1 if form == "tiff" else _orientation(header)  # a TIFF is opened upright
        refusal = _check_shape(width, height, orientation, filters) or check_whole(data, form)
        if refusal is not None:
            return refusal
        profile = header.info.get("icc_profile") or None
        wanted = max(side, THUMBNAIL) if side else max(header.size)
        decoded = _decode(data, header, form, filters.max_pixels, wanted)
    if isinstance(decoded, Rejected):
        return decoded
    pixels, frames = decoded
    look = look_at(pixels)
    if filters.sharpness_min is not None and look.sharpness < filters.sharpness_min:
        return Rejected(Reason.NOT_SHARP, f"{look.sharpness:.1f}")
    return Inspected(form, width, height, mode, frames, orientation, look, pixels, profile)


def _open(data: bytes) -> Image.Image | Rejected:
    try:
        return Image.open(io.BytesIO(data), formats=_OPENED)
    except Image.DecompressionBombError:
        return Rejected(Reason.TOO_MANY_PIXELS)
    except Exception:  # noqa: BLE001 - decoders raise what they like on hostile bytes
        form = form_of(data)
        if form == "unknown":
            return refusal_of(data)
        return check_whole(data, form) or Rejected(Reason.CORRUPT, "the header cannot be read")


def _mode(header: Image.Image, form: Format, data: bytes) -> str | None:
    """The colour model as stored, with a 16 where a channel has as many bits, which Pillow mostly hides."""
    mode = _MODES.get(header.mode)
    if mode is None or mode.endswith("16"):
        return mode
    return f"{mode}16" if _is_deep(header, form, data) else mode


def _is_deep(header: Image.Image, form: Format, data: bytes) -> bool:
    if form == "png":
        return data[24:25] == b"\x10"  # of IHDR
    if isinstance(header, TiffImageFile):
        return 16 in np.atleast_1d(header.tag_v2.get(_BITS_TAG, 8))
    return False


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


def _decode(
    data: bytes, header: Image.Image, form: Format, max_pixels: int, side: int
) -> tuple[Pixels, int] | Rejected:
    """A picture of at least thumbnail size, and the number of frames; proof that the file is whole."""
    try:
        if form == "jpeg":
            return _decode_jpeg(data, header, side), 1
        return _decode_by_pillow(header, form, max_pixels, side)
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on hostile bytes
        return _broken(error)


def _decode_jpeg(data: bytes, header: Image.Image, side: int) -> Pixels:
    """Reads all of the entropy-coded data, and minds what libjpeg merely warns of."""
    space = "CMYK" if header.mode == "CMYK" else "BGR"
    quick = side == THUMBNAIL  # the less exact transform is good enough for a look
    decoded = simplejpeg.decode_jpeg(data, space, quick, quick, side, side, 1)
    pixels = np.asarray(decoded, dtype=np.uint8)
    if space == "BGR":
        return pixels
    inks = pixels if "adobe" in header.info else 255 - pixels  # Adobe's are stored the other way round
    light = inks[:, :, 2::-1].astype(np.uint16) * inks[:, :, 3:] // 255
    return np.ascontiguousarray(light, dtype=np.uint8)


def _decode_by_pillow(
    image: Image.Image, form: Format, max_pixels: int, side: int
) -> tuple[Pixels, int] | Rejected:
    frames = pixels = 0
    first: Pixels | None = None
    limit = max_pixels
    while True:
        size = image.size[0] * image.size[1]  # later frames and pages may be larger than the first
        pixels += size
        if size > limit or pixels > _FRAMES_OF_MAX_PIXELS * max_pixels or frames >= _MAX_FRAMES:
            return Rejected(Reason.TOO_MANY_PIXELS, f"in {frames + 1} frames")
        image.load()
        if first is None:
            first = _small_bgr(image, side)
        frames += 1
        try:
            image.seek(image.tell() + 1)
        except EOFError:
            return first, frames
        if form != "tiff":  # what is put together frame by frame takes many bytes a pixel
            limit = max_pixels // _ANIMATION_SHARE


def _small_bgr(image: Image.Image, side: int) -> Pixels:
    """The frame as BGR on white, reduced by a whole factor where it is large; strip by strip, to save memory."""
    width, height = image.size
    factor = max(1, min(width, height) // (2 * side))
    rows = max(1, _STRIP_PIXELS // (width * factor)) * factor
    strips = [
        np.asarray(_reduced(image.crop((0, top, width, min(height, top + rows))), factor), dtype=np.uint8)
        for top in range(0, height, rows)
    ]
    return np.ascontiguousarray(np.concatenate(strips)[:, :, ::-1])


def _reduced(strip: Image.Image, factor: int) -> Image.Image:
    flat = flatten(strip)
    return flat.reduce(factor) if factor > 1 else flat


def _broken(error: Exception) -> Rejected:
    if isinstance(error, Image.DecompressionBombError):
        return Rejected(Reason.TOO_MANY_PIXELS)
    text = str(error).lower()
    if any(
        word in text for word in ("truncated", "premature end", "not enough image data", "unexpected end")
    ):
        return Rejected(Reason.TRUNCATED)
    return Rejected(Reason.CORRUPT, type(error).__name__)
