"""Judges an image's bytes: which format they really are, whether they are whole, and what they look like.

JPEGs are decoded at a fraction of their size by the DCT-scaled decoder, which still reads every byte; all other
formats are decoded in full, after their header was found to be within the limit of pixels.
"""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from shared.crawling.judging.decoding.decoding_bytes import decoding_bytes, frame_bytes
from shared.crawling.judging.decoding.strict_decoders import FAX, check_avif, check_fax
from shared.crawling.judging.file_signatures import form_of
from shared.crawling.judging.header import Header, png_header, read_header
from shared.crawling.judging.jpeg.decode import decode_jpeg
from shared.crawling.judging.picture.fingerprint import THUMBNAIL, Look, look_at
from shared.crawling.judging.picture.flatten import flatten
from shared.crawling.judging.picture.pixels import Pixels
from shared.crawling.judging.png.open import with_whole_frames
from shared.crawling.judging.wholeness import check_whole
from shared.crawling.options import Filters, Format, Transform
from shared.records.records import Reason, Rejected

_SIDEWAYS = frozenset({5, 6, 7, 8})
_MAX_FRAMES = 2000
_PLANAR_TAG, _PLANES_APART = 0x011C, 2
_FRAMES_OF_MAX_PIXELS = 4
_ANIMATION_SHARE = 4
_STRIP_PIXELS = 2_000_000


@dataclass(frozen=True, slots=True)
class Inspected:
    """What an image is. `width` and `height` are pixels as stored, `upright_size` after its EXIF orientation.

    A TIFF's are upright, and its orientation is 1: every reader turns it. `pixels` are the (first) picture as stored,
    on white, perhaps smaller; `profile` is its ICC profile. `data` is the file, or the copy that was judged instead,
    without parts that some readers refuse although they harm no pixel; `mended` names these parts.
    """

    data: bytes
    format: str
    width: int
    height: int
    mode: str
    frames: int
    orientation: int
    look: Look
    pixels: Pixels
    profile: bytes | None = None
    mended: str = ""

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as a viewer shows it."""
        return (self.height, self.width) if self.orientation in _SIDEWAYS else (self.width, self.height)


@dataclass(frozen=True, slots=True)
class Opened:
    """An image that passed all checks that need no pixels. At least `side` pixels of its shorter side are wanted."""

    header: Header
    filters: Filters
    side: int

    def needed_bytes(self, wanted: Transform | None = None) -> int:
        """About how many bytes of memory it takes to decode and transform it."""
        return decoding_bytes(self.header, self.side, wanted)


class MoreBytes(Exception):
    """A later frame or page is larger than the first, and may take `needed_bytes` of memory."""

    def __init__(self, needed_bytes: int) -> None:
        super().__init__(needed_bytes)
        self.needed_bytes = needed_bytes


def inspect(data: bytes, filters: Filters, side: int | None = 1) -> Inspected | Rejected:
    """Judge an image. Takes milliseconds of processor time; call it off the event loop.

    The pixels that are given back have at least `side` on their shorter side, as far as the image has; None for all.
    """
    opened = open_image(data, filters, side)
    return opened if isinstance(opened, Rejected) else decode(opened)


def open_image(data: bytes, filters: Filters, side: int | None = 1) -> Opened | Rejected:
    """The first half of `inspect`: no pixels are decoded."""
    claimed = form_of(data)
    if claimed != "unknown" and claimed not in filters.formats:
        return Rejected(Reason.FORMAT_FILTERED, claimed)
    header = read_header(data)
    if isinstance(header, Rejected):
        return header
    header = _checked(header, filters)
    if isinstance(header, Rejected):
        return header
    return Opened(header, filters, max(side, THUMBNAIL) if side else max(header.width, header.height))


def decode(opened: Opened, granted_bytes: int | None = None) -> Inspected | Rejected:
    """The second half of `inspect`, within about `granted_bytes` of memory.

    Raises:
        MoreBytes: it needs more; then call again with as many.
    """
    header, filters = opened.header, opened.filters
    decoded = _decode(header, filters.max_pixels, opened.side, granted_bytes)
    if header.image is not None:
        header.image.close()
    if isinstance(decoded, Rejected):
        return decoded
    pixels, frames, judged = decoded
    look = look_at(pixels, header.orientation)
    if filters.sharpness_min is not None and look.sharpness < filters.sharpness_min:
        return Rejected(Reason.NOT_SHARP, f"{look.sharpness:.1f}")
    return Inspected(
        judged,
        header.form,
        header.width,
        header.height,
        header.mode,
        frames,
        header.orientation,
        look,
        pixels,
        header.profile,
        header.mended or ("segments" if judged is not header.data else ""),
    )


def _checked(header: Header, filters: Filters) -> Header | Rejected:
    """The header after all checks without pixels. A PNG animation with broken frames becomes its still picture."""
    refusal = _check(header, filters)
    if refusal is None and header.image is not None and header.animated_png:
        opened = with_whole_frames(header.data, _FRAMES_OF_MAX_PIXELS * filters.max_pixels)
        if opened is None:
            return header
        header.image.close()
        still = png_header(opened)
        return (
            still if isinstance(still, Rejected) or not header.mended else _also_mended(still, header.mended)
        )
    if refusal is not None and header.image is not None:
        header.image.close()
    return refusal or header


def _also_mended(header: Header, before: str) -> Header:
    return replace(header, mended=f"{header.mended}, {before}")


def _check(header: Header, filters: Filters) -> Rejected | None:
    if header.form not in filters.formats:
        return Rejected(Reason.FORMAT_FILTERED, header.form)
    if header.width * header.height > filters.max_pixels:
        return Rejected(Reason.TOO_MANY_PIXELS, f"{header.width}x{header.height}")
    one_scan = header.jpeg is not None and header.jpeg.one_scan
    return _check_shape(header, filters) or check_whole(header.data, header.form, one_scan=one_scan)


def _check_shape(header: Header, filters: Filters) -> Rejected | None:
    width, height = header.width, header.height
    if header.orientation in _SIDEWAYS:
        width, height = height, width
    if width < filters.min_width or height < filters.min_height:
        return Rejected(Reason.TOO_SMALL, f"{width}x{height}")
    if max(width, height) > filters.max_aspect_ratio * min(width, height):
        return Rejected(Reason.ASPECT_RATIO, f"{width}x{height}")
    return None


def _decode(
    header: Header, max_pixels: int, side: int, granted_bytes: int | None
) -> tuple[Pixels, int, bytes] | Rejected:
    """A picture of at least `side` pixels, the number of frames, and the bytes that were decoded, which are whole."""
    try:
        if header.jpeg is not None:
            pixels, judged = decode_jpeg(header.data, header.jpeg, side)
            return pixels, 1, judged
        if header.image is not None:
            decoded = _decode_by_pillow(header.image, header.form, max_pixels, side, granted_bytes)
            if isinstance(decoded, Rejected):
                return decoded
            pixels, frames, fax_pages = decoded
            return _check_strictly(header, frames, fax_pages) or (pixels, frames, header.data)
    except MoreBytes:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on hostile bytes
        return _broken(error)
    raise ValueError("a header without a picture")


def _check_strictly(header: Header, frames: int, fax_pages: tuple[int, ...]) -> Rejected | None:
    if header.form == "avif":
        return check_avif(header.data, header.width * header.height, frames)
    return check_fax(header.data, fax_pages)


def _decode_by_pillow(
    image: Image.Image, form: Format, max_pixels: int, side: int, granted_bytes: int | None
) -> tuple[Pixels, int, tuple[int, ...]] | Rejected:
    """The first picture, the number of frames, and which of them, from 0, are fax."""
    fax_pages: list[int] = []
    frames = pixels = 0
    first: Pixels | None = None
    limit = max_pixels
    # an earlier call may have stopped at a later frame, for want of memory
    if image.tell():
        image.seek(0)
    while True:
        size = image.size[0] * image.size[1]  # later frames and pages may be larger than the first
        pixels += size
        if size > limit or pixels > _FRAMES_OF_MAX_PIXELS * max_pixels or frames >= _MAX_FRAMES:
            return Rejected(Reason.TOO_MANY_PIXELS, f"in {frames + 1} frames")
        if _lacks_strips(image):
            return Rejected(Reason.TRUNCATED, "strips or tiles are missing")
        if granted_bytes is not None and first is not None:
            _check_granted(form, size, limit, granted_bytes)
        image.load()
        if first is None:
            first = _small_bgr(image, side)
        if form == "tiff" and image.info.get("compression") in FAX:
            fax_pages.append(frames)
        frames += 1
        try:
            image.seek(image.tell() + 1)
        except EOFError:
            return first, frames, tuple(fax_pages)
        if form != "tiff":  # what is put together frame by frame takes many bytes a pixel
            limit = max_pixels // _ANIMATION_SHARE


def _lacks_strips(image: Image.Image) -> bool:
    """Whether an uncompressed TIFF has too few strips or tiles for its size: Pillow leaves the rest black."""
    if not isinstance(image, TiffImageFile) or any(tile.codec_name != "raw" for tile in image.tile):
        return False
    planes = len(image.getbands()) if image.tag_v2.get(_PLANAR_TAG) == _PLANES_APART else 1
    named = sum((right - left) * (lower - upper) for left, upper, right, lower in _extents(image))
    return named < planes * image.size[0] * image.size[1]


def _extents(image: TiffImageFile) -> list[tuple[int, int, int, int]]:
    return [tile.extents for tile in image.tile if tile.extents is not None]


def _check_granted(form: Format, pixels: int, max_pixels: int, granted_bytes: int) -> None:
    """See that the memory suffices for this page.

    Raises:
        MoreBytes: it does not; asks for as much as any page may take, so that no later page asks again.
    """
    if frame_bytes(form, pixels, animated=form != "tiff") > granted_bytes:
        raise MoreBytes(frame_bytes(form, max_pixels, animated=form != "tiff"))


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
