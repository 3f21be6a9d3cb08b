"""Reads what a file declares about its image. JPEG headers are read here, because most files are JPEGs.

Pillow opens files of other formats.
"""

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from shared.crawling.judging.decoding.avif_frames import reject_frames
from shared.crawling.judging.decoding.avif_items import reject_items
from shared.crawling.judging.decoding.tag_numbers import MAX_TIFF_NUMBERS, has_too_many_numbers
from shared.crawling.judging.exif import is_exif_small, read_orientation
from shared.crawling.judging.file_signatures import DetectedFormat, detect_format, reject_unsupported
from shared.crawling.judging.gif_blocks import mend_gif
from shared.crawling.judging.jpeg.header import JpegHeader, read_jpeg_header
from shared.crawling.judging.png.open import OpenedPng, open_png
from shared.crawling.judging.variants import reject_layout, reject_variant
from shared.crawling.judging.webp_notes import mend_webp
from shared.crawling.judging.wholeness import check_whole
from shared.crawling.options import Format
from shared.records.records import Reason, Rejected

_OPENED = ("WEBP", "GIF", "BMP", "TIFF", "AVIF")
_FORMATS: Mapping[str, Format] = {
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
_JPEG_MODES = {1: "grey", 3: "rgb", 4: "cmyk"}
_MENDERS: Mapping[str, Callable[[bytes], tuple[bytes, str]]] = {"gif": mend_gif, "webp": mend_webp}
_BITS_TAG = 0x0102

# the largest number that a spec can ask for; the spec's own limit is checked by `inspect`
Image.MAX_IMAGE_PIXELS = 500_000_000
# Pillow warns of odd metadata, which is no reason to refuse pixels
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Header:
    """`width` and `height` are pixels as stored, and `orientation` is the EXIF orientation, 1 to 8.

    Pillow opens a TIFF upright, so a TIFF's size is upright and its `orientation` is 1. A JPEG has `jpeg`. A file of
    any other format has `image`, which the caller must close. `data` is the file, or the copy that is judged and stored
    in its place. `mended` names the parts that were removed from the copy.
    """

    data: bytes
    format: Format
    width: int
    height: int
    mode: str
    orientation: int
    profile: bytes | None
    jpeg: JpegHeader | None = None
    image: Image.Image | None = None
    mended: str = ""
    animated_png: bool = False


def read_header(data: bytes) -> Header | Rejected:
    """Returns the header, or a rejection. It does not check that the file is complete."""
    claimed = detect_format(data)
    if claimed == "jpeg":
        jpeg = read_jpeg_header(data)
        if jpeg is None:
            return check_whole(data, claimed) or Rejected(Reason.CORRUPT, "the header cannot be read")
        if isinstance(jpeg, Rejected):
            return jpeg
        mode = _JPEG_MODES[jpeg.components]
        return Header(data, "jpeg", jpeg.width, jpeg.height, mode, jpeg.orientation, jpeg.profile, jpeg=jpeg)
    if claimed == "png":
        return png_header(open_png(data))
    return _pillow_header(data, claimed)


def png_header(opened: OpenedPng | Rejected) -> Header | Rejected:
    """Returns the header of a PNG that is open, or passes its rejection on."""
    if isinstance(opened, Rejected):
        return opened
    image, data = opened.image, opened.data
    mode = _mode(image, "png", data)
    if mode is None:
        image.close()
        return Rejected(Reason.UNSUPPORTED_FORMAT, f"png in {image.mode}")
    profile = _profile(image)
    return Header(
        data,
        "png",
        *image.size,
        mode,
        opened.orientation,
        profile,
        image=image,
        mended=opened.mended,
        animated_png=opened.frames > 1,
    )


def _pillow_header(data: bytes, claimed: DetectedFormat) -> Header | Rejected:
    data, mended = _MENDERS[claimed](data) if claimed in _MENDERS else (data, "")
    if claimed == "tiff" and has_too_many_numbers(data, MAX_TIFF_NUMBERS):
        return Rejected(Reason.CORRUPT, "too many numbers in its tags")
    refusal = claimed != "unknown" and reject_variant(data, claimed)
    refusal = refusal or reject_items(data) or reject_frames(data)
    image = refusal or _open(data, claimed)
    if isinstance(image, Rejected):
        return image
    found = _FORMATS[str(image.format)]
    mode = _mode(image, found, data)
    if mode is None:
        image.close()
        return Rejected(Reason.UNSUPPORTED_FORMAT, f"{found} in {image.mode}")
    orientation = 1 if found == "tiff" else _orientation(image)
    return Header(data, found, *image.size, mode, orientation, _profile(image), image=image, mended=mended)


def _open(data: bytes, claimed: DetectedFormat) -> Image.Image | Rejected:
    try:
        return Image.open(io.BytesIO(data), formats=_OPENED)
    except Image.DecompressionBombError:
        return Rejected(Reason.TOO_MANY_PIXELS)
    except Exception:  # noqa: BLE001 - decoders raise what they like on hostile bytes
        if claimed == "unknown":
            return reject_unsupported(data)
        refusal = check_whole(data, claimed) or reject_layout(data, claimed)
        return refusal or Rejected(Reason.CORRUPT, "the header cannot be read")


def _profile(image: Image.Image) -> bytes | None:
    return image.info.get("icc_profile") or None


def _mode(image: Image.Image, image_format: Format, data: bytes) -> str | None:
    """Returns the colour model as stored, or None if it is not supported. It ends with 16 if channels have 16 bits.

    For most files, Pillow's own mode does not show the 16 bits.
    """
    mode = _MODES.get(image.mode)
    if mode is None or mode.endswith("16"):
        return mode
    return f"{mode}16" if _is_deep(image, image_format, data) else mode


def _is_deep(image: Image.Image, image_format: Format, data: bytes) -> bool:
    if image_format == "png":
        # the bit depth in IHDR
        return data[24:25] == b"\x10"
    if isinstance(image, TiffImageFile):
        return 16 in np.atleast_1d(image.tag_v2.get(_BITS_TAG, 8))
    return False


def _orientation(image: Image.Image) -> int:
    """Returns the orientation. Not for PNGs, because Pillow would decode their pixels to read EXIF."""
    if not is_exif_small(image.info.get("exif") or b""):
        return 1
    try:
        return read_orientation(image.getexif())
    except Exception:  # noqa: BLE001 - broken EXIF says nothing about the pixels
        return 1
