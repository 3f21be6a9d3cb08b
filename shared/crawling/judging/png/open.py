"""Opens PNGs without decoding them. Files that readers refuse for parts other than the pixels are mended first."""

import io
from dataclasses import dataclass

from PIL import Image

from shared.crawling.judging.exif import orientation_of
from shared.crawling.judging.png.check import are_frames_whole
from shared.crawling.judging.png.chunks import read_png
from shared.crawling.judging.png.notes import Cleaned, bare, cleaned, notes_first, still
from shared.records.records import Reason, Rejected


@dataclass(frozen=True, slots=True)
class OpenedPng:
    """`data` is the file, or the copy that is judged and stored instead; `mended` names the parts that it lacks."""

    data: bytes
    mended: str
    image: Image.Image
    orientation: int
    frames: int


def open_png(data: bytes) -> OpenedPng | Rejected:
    """The file if all readers open it, else a mended copy that they open. No pixels are decoded."""
    png = read_png(data)
    if isinstance(png, Rejected):
        return png
    opened = _opened(cleaned(png))
    if opened is None:
        opened = _opened(bare(png))
    return opened or Rejected(Reason.CORRUPT, "the header cannot be read")


def with_whole_frames(data: bytes, max_pixels: int) -> OpenedPng | Rejected | None:
    """The still picture of an animation with a broken frame among its first `max_pixels`; None where there is none."""
    png = read_png(data)
    if isinstance(png, Rejected) or are_frames_whole(png, max_pixels):
        return None
    return _opened(still(png)) or Rejected(Reason.CORRUPT, "its frames are broken")


def _opened(copy: Cleaned) -> OpenedPng | Rejected | None:
    png = read_png(copy.data)
    if isinstance(png, Rejected):
        return png
    try:
        image = Image.open(io.BytesIO(notes_first(png)), formats=("PNG",))
        # not the PNG's own method, which decodes the picture
        orientation = orientation_of(Image.Image.getexif(image))
    except Image.DecompressionBombError:
        return Rejected(Reason.TOO_MANY_PIXELS)
    except Exception:  # noqa: BLE001 - Pillow raises what it likes on hostile bytes
        return None
    return OpenedPng(copy.data, copy.mended, image, orientation, getattr(image, "n_frames", 1))
