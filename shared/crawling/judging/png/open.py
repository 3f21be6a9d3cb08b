"""Opens PNGs without decoding them. A file that readers refuse for parts other than the pixels is mended first."""

import io
from dataclasses import dataclass

from PIL import Image

from shared.crawling.judging.exif import read_orientation
from shared.crawling.judging.png.check import are_frames_whole
from shared.crawling.judging.png.chunks import read_png
from shared.crawling.judging.png.notes import (
    Mended,
    drop_ancillary,
    drop_animation,
    drop_refused,
    put_notes_first,
)
from shared.records.records import Reason, Rejected


@dataclass(frozen=True, slots=True)
class OpenedPng:
    """`data` is the file, or the copy that is judged and stored in its place.

    `mended` names the parts that were removed from the copy. The caller must close `image`.
    """

    data: bytes
    mended: str
    image: Image.Image
    orientation: int
    frames: int


def open_png(data: bytes) -> OpenedPng | Rejected:
    """Opens the file if all readers open it, or else a mended copy that they open. No pixels are decoded."""
    png = read_png(data)
    if isinstance(png, Rejected):
        return png
    opened = _open(drop_refused(png))
    if opened is None:
        opened = _open(drop_ancillary(png))
    return opened or Rejected(Reason.CORRUPT, "the header cannot be read")


def drop_broken_animation(data: bytes, max_pixels: int) -> OpenedPng | Rejected | None:
    """Opens the still picture of an animation that has a broken frame. Returns None if no frame is broken.

    Frames beyond the first `max_pixels` are not checked.
    """
    png = read_png(data)
    if isinstance(png, Rejected) or are_frames_whole(png, max_pixels):
        return None
    return _open(drop_animation(png)) or Rejected(Reason.CORRUPT, "its frames are broken")


def _open(copy: Mended) -> OpenedPng | Rejected | None:
    """Opens the file with Pillow. Returns None if Pillow refuses it."""
    png = read_png(copy.data)
    if isinstance(png, Rejected):
        return png
    try:
        image = Image.open(io.BytesIO(put_notes_first(png)), formats=("PNG",))
        # the PNG class has a method of its own, which decodes the picture
        orientation = read_orientation(Image.Image.getexif(image))
    except Image.DecompressionBombError:
        return Rejected(Reason.TOO_MANY_PIXELS)
    except Exception:  # noqa: BLE001 - Pillow raises any error on hostile bytes
        return None
    return OpenedPng(copy.data, copy.mended, image, orientation, getattr(image, "n_frames", 1))
