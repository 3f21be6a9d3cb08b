"""What a file says of itself: read off where it is a JPEG, as the most are, opened by Pillow otherwise."""

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from shared.crawling.judging.exif import orientation_of
from shared.crawling.judging.file_signatures import Form, form_of, refusal_of
from shared.crawling.judging.gif_blocks import mended_gif
from shared.crawling.judging.jpeg.header import JpegHeader, read_jpeg_header
from shared.crawling.judging.png.open import OpenedPng, open_png
from shared.crawling.judging.variants import layout_of, variant_of
from shared.crawling.judging.webp_notes import mended_webp
from shared.crawling.judging.wholeness import check_whole
from shared.crawling.options import Format
from shared.records.records import Reason, Rejected

_OPENED = ("WEBP", "GIF", "BMP", "TIFF", "AVIF")
_FORMS: Mapping[str, Format] = {
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
_MENDED: Mapping[str, Callable[[bytes], tuple[bytes, str]]] = {"gif": mended_gif, "webp": mended_webp}
_BITS_TAG = 0x0102


# the largest number that a spec can ask for; the spec's own limit is checked by `inspect`
Image.MAX_IMAGE_PIXELS = 500_000_000
warnings.filterwarnings("ignore", module=r"PIL\.")  # odd metadata is no reason to refuse pixels


@dataclass(frozen=True, slots=True)
class Header:
    """`jpeg` is set for a JPEG; `image`, which has to be closed, for all other formats. A TIFF's `orientation` is 1.

    `data` is the file, or the copy that is judged and stored instead; `mended` names the parts that the copy lacks.
    """

    data: bytes
    form: Format
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
    """The header, or why there is none. The file need not be whole."""
    claimed = form_of(data)
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
    data, mended = _MENDED[claimed](data) if claimed in _MENDED else (data, "")
    image = (claimed != "unknown" and variant_of(data, claimed)) or _open(data, claimed)
    if isinstance(image, Rejected):
        return image
    form = _FORMS[str(image.format)]
    image_mode = _mode(image, form, data)
    if image_mode is None:
        image.close()
        return Rejected(Reason.UNSUPPORTED_FORMAT, f"{form} in {image.mode}")
    orientation = 1 if form == "tiff" else _orientation(image)  # a TIFF is opened upright
    return Header(
        data, form, *image.size, image_mode, orientation, _profile(image), image=image, mended=mended
    )


def png_header(opened: OpenedPng | Rejected) -> Header | Rejected:
    """The header of a PNG."""
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


def _open(data: bytes, claimed: Form) -> Image.Image | Rejected:
    try:
        return Image.open(io.BytesIO(data), formats=_OPENED)
    except Image.DecompressionBombError:
        return Rejected(Reason.TOO_MANY_PIXELS)
    except Exception:  # noqa: BLE001 - decoders raise what they like on hostile bytes
        if claimed == "unknown":
            return refusal_of(data)
        refusal = check_whole(data, claimed) or layout_of(data, claimed)
        return refusal or Rejected(Reason.CORRUPT, "the header cannot be read")


def _profile(image: Image.Image) -> bytes | None:
    return image.info.get("icc_profile") or None


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


def _orientation(header: Image.Image) -> int:
    """The orientation, in formats whose EXIF Pillow reads without the pixels: all but PNG."""
    try:
        return orientation_of(header.getexif())
    except Exception:  # noqa: BLE001 - broken EXIF says nothing about the pixels
        return 1
