"""Judges an image's bytes: their real format, whether the file is complete and sound, and how the picture appears.

A JPEG is decoded at a fraction of its size, which still reads every byte. Other formats are decoded at full size. No
pixel is decoded before the header is known to be within the limit of pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from PIL import Image

from shared.crawling.judging.decoding.decode_frames import (
    ALL_FRAMES_FACTOR,
    MoreMemory,
    decode_frames,
)
from shared.crawling.judging.decoding.decoding_bytes import decoding_bytes
from shared.crawling.judging.decoding.strict_decoders import check_avif, check_fax
from shared.crawling.judging.file_signatures import detect_format
from shared.crawling.judging.header import Header, png_header, read_header
from shared.crawling.judging.jpeg.decode import decode_jpeg
from shared.crawling.judging.picture.fingerprint import THUMBNAIL, Look, measure_look
from shared.crawling.judging.picture.pixels import Pixels
from shared.crawling.judging.png.open import drop_broken_animation
from shared.crawling.judging.wholeness import check_whole
from shared.crawling.options import Filters, Transform
from shared.errors import Permanent
from shared.records.records import Reason, Rejected
from shared.records.scores import ScoreName, aspect_ratio_of, bytes_per_pixel_of, value_outside

SIDEWAYS: Final = frozenset({5, 6, 7, 8})
"""The EXIF orientations of pictures whose stored width is the height of the upright picture."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """An image that passed all checks. `width` and `height` are pixels as stored.

    A TIFF's size is upright and its `orientation` is 1, because every reader rotates it. `pixels` is the first frame as
    stored, on white, perhaps reduced. `profile` is its ICC profile. `data` is the file, or the copy that was judged in
    its place. The copy lacks parts that some readers refuse and that no pixel depends on; `mended` names these parts.
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
    def aspect_ratio(self) -> float:
        """The score of this name (see `ImageFacts`)."""
        return aspect_ratio_of(self.width, self.height)

    @property
    def bytes_per_pixel(self) -> float:
        """The score of this name (see `ImageFacts`)."""
        return bytes_per_pixel_of(len(self.data), self.width, self.height)


@dataclass(frozen=True, slots=True)
class Opened:
    """An image that passed all checks that need no pixels. `side` is the wanted shorter side in pixels."""

    header: Header
    filters: Filters
    side: int

    def needed_bytes(self, wanted: Transform | None = None) -> int:
        """Returns about how many bytes of memory it takes to decode and transform the image."""
        return decoding_bytes(self.header, self.side, wanted)

    def close(self) -> None:
        """Closes the file if Pillow has opened it. Call it if the pixels are not decoded."""
        if self.header.image is not None:
            self.header.image.close()


class _Decoded(NamedTuple):
    """`data` is the file that was decoded: the header's, or a JPEG's mended copy."""

    pixels: Pixels
    frames: int
    data: bytes


def inspect(data: bytes, filters: Filters, side: int | None = 1) -> Inspected | Rejected:
    """Judges an image. Takes milliseconds of processor time, so call it in a thread.

    The returned pixels have at least `side` pixels on the shorter side, or all pixels if the image is smaller or `side`
    is None.
    """
    opened = open_image(data, filters, side)
    return opened if isinstance(opened, Rejected) else decode(opened)


def open_image(data: bytes, filters: Filters, side: int | None = 1) -> Opened | Rejected:
    """Does all checks of `inspect` that need no pixels."""
    claimed = detect_format(data)
    if claimed != "unknown" and claimed not in filters.formats:
        return Rejected(Reason.FORMAT_FILTERED, claimed)
    header = read_header(data)
    if isinstance(header, Rejected):
        return header
    header = _accepted(header, filters)
    if isinstance(header, Rejected):
        return header
    return Opened(header, filters, max(side, THUMBNAIL) if side else max(header.width, header.height))


def decode(
    opened: Opened, granted_bytes: int | None = None, see_later_frame: Callable[[Pixels], None] | None = None
) -> Inspected | Rejected:
    """Does the rest of `inspect`, within about `granted_bytes` of memory.

    `see_later_frame` gets the frames after the first, as BGR on white. It may raise `Permanent`.

    Raises:
        MoreMemory: the image needs more memory. Call again with the bytes that the error names.
    """
    header, filters = opened.header, opened.filters
    decoded = _decode(opened, granted_bytes, see_later_frame)
    if header.image is not None:
        header.image.close()
    if isinstance(decoded, Rejected):
        return decoded
    look = measure_look(decoded.pixels, header.orientation)
    found = Inspected(
        decoded.data,
        header.format,
        header.width,
        header.height,
        header.mode,
        decoded.frames,
        header.orientation,
        look,
        decoded.pixels,
        header.profile,
        header.mended or ("segments" if decoded.data is not header.data else ""),
    )
    return score_refusal(found, filters) or found


def score_refusal(found: Inspected, filters: Filters) -> Rejected | None:
    """Returns the rejection of an image with a score that the filters refuse, or None."""
    outside = value_outside(filters.scores, _scores(found)) if filters.scores else None
    return None if outside is None else Rejected(Reason.SCORE_FILTERED, outside)


def _scores(found: Inspected) -> dict[ScoreName, float]:
    look = found.look
    return {
        "sharpness": look.sharpness,
        "brightness": look.brightness,
        "contrast": look.contrast,
        "entropy": look.entropy,
        "aspect_ratio": found.aspect_ratio,
        "bytes_per_pixel": found.bytes_per_pixel,
    }


def _accepted(header: Header, filters: Filters) -> Header | Rejected:
    """Returns the header if it passes all checks, or that of the still picture if its animation is broken."""
    refusal = _check(header, filters)
    if refusal is None and header.animated_png:
        return _without_broken_animation(header, filters)
    if refusal is not None and header.image is not None:
        header.image.close()
    return refusal or header


def _without_broken_animation(header: Header, filters: Filters) -> Header | Rejected:
    opened = drop_broken_animation(header.data, ALL_FRAMES_FACTOR * filters.max_pixels)
    if opened is None:
        return header
    if header.image is not None:
        header.image.close()
    still = png_header(opened)
    if isinstance(still, Rejected) or not header.mended:
        return still
    return replace(still, mended=f"{still.mended}, {header.mended}")


def _check(header: Header, filters: Filters) -> Rejected | None:
    if header.format not in filters.formats:
        return Rejected(Reason.FORMAT_FILTERED, header.format)
    if header.width * header.height > filters.max_pixels:
        return Rejected(Reason.TOO_MANY_PIXELS, f"{header.width}x{header.height}")
    one_scan = header.jpeg is not None and header.jpeg.one_scan
    return _check_shape(header, filters) or check_whole(header.data, header.format, one_scan=one_scan)


def _check_shape(header: Header, filters: Filters) -> Rejected | None:
    width, height = header.width, header.height
    if header.orientation in SIDEWAYS:
        width, height = height, width
    if width < filters.min_width or height < filters.min_height:
        return Rejected(Reason.TOO_SMALL, f"{width}x{height}")
    if max(width, height) > filters.max_aspect_ratio * min(width, height):
        return Rejected(Reason.ASPECT_RATIO, f"{width}x{height}")
    return None


def _decode(
    opened: Opened, granted_bytes: int | None, see_later_frame: Callable[[Pixels], None] | None
) -> _Decoded | Rejected:
    header = opened.header
    try:
        if header.jpeg is not None:
            pixels, data = decode_jpeg(header.data, header.jpeg, opened.side)
            return _Decoded(pixels, 1, data)
        if header.image is not None:
            return _decode_by_pillow(opened, header.image, granted_bytes, see_later_frame)
    except MoreMemory:
        raise
    except Permanent:
        opened.close()
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise any error on hostile bytes
        return _rejection_of(error)
    raise ValueError("a header needs 'jpeg' or 'image'")


def _decode_by_pillow(
    opened: Opened,
    image: Image.Image,
    granted_bytes: int | None,
    see_later_frame: Callable[[Pixels], None] | None,
) -> _Decoded | Rejected:
    header, most = opened.header, opened.filters.max_pixels
    frames = decode_frames(image, header.format, most, opened.side, granted_bytes, see_later_frame)
    if isinstance(frames, Rejected):
        return frames
    if header.format == "avif":
        refusal = check_avif(header.data, header.width * header.height, frames.number)
    else:
        refusal = check_fax(header.data, frames.fax_pages)
    return refusal or _Decoded(frames.pixels, frames.number, header.data)


def _rejection_of(error: Exception) -> Rejected:
    """Returns the rejection of a file whose decoder raised this error."""
    if isinstance(error, Image.DecompressionBombError):
        return Rejected(Reason.TOO_MANY_PIXELS)
    text = str(error).lower()
    if any(
        word in text for word in ("truncated", "premature end", "not enough image data", "unexpected end")
    ):
        return Rejected(Reason.TRUNCATED)
    return Rejected(Reason.CORRUPT, type(error).__name__)
