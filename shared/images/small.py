"""Makes small images, with the code that judges images. Everything here takes processor time: run it in a thread."""

import logging
import threading
from typing import Final, get_args

from shared.crawling.judging.decoding.decode_frames import MoreMemory
from shared.crawling.judging.decoding.decoding_bytes import SMALL_BYTES
from shared.crawling.judging.inspect import Inspected, Opened, decode, open_image
from shared.crawling.judging.picture.transform import transform, wanted_side
from shared.crawling.options import Filters, Format, Resize, Transform
from shared.records.records import Rejected

_log = logging.getLogger(__name__)

WIDTHS: Final = (64, 128, 256, 512, 1024)
"""The sizes of small images: at most so many pixels wide and high."""

MOST_MEMORY_BYTES: Final = 256 << 20
"""An image that takes more memory to decode has no small image."""

_QUALITY = 82
_ANY = Filters(
    min_width=1,
    min_height=1,
    max_bytes=100_000_000,
    max_aspect_ratio=1000,
    formats=get_args(Format.__value__),
)
_large = threading.Lock()


def make_small(data: bytes, width: int) -> bytes | None:
    """Returns a JPEG of at most `width` pixels on each side: upright, in sRGB, on white, of the first frame.

    An image is never made larger. One image at a time takes more than `SMALL_BYTES` of memory to decode. Returns None
    if the image takes more than `MOST_MEMORY_BYTES`, or cannot be decoded.
    """
    wanted = Transform(resize=Resize(mode="fit", size=width), format="jpeg", quality=_QUALITY)
    opened = open_image(data, _ANY, wanted_side(wanted))
    if isinstance(opened, Rejected):
        return None
    needed = opened.needed_bytes(wanted)
    if needed <= SMALL_BYTES:
        found = _decode(opened, SMALL_BYTES)
        if not isinstance(found, MoreMemory):
            return _encode(found, wanted)
        needed = found.needed_bytes
    if needed > MOST_MEMORY_BYTES:
        return None
    with _large:
        found = _decode(opened, MOST_MEMORY_BYTES)
        return None if isinstance(found, MoreMemory) else _encode(found, wanted)


def _decode(opened: Opened, granted_bytes: int) -> Inspected | Rejected | MoreMemory:
    try:
        return decode(opened, granted_bytes)
    except MoreMemory as more:
        return more


def _encode(found: Inspected | Rejected, wanted: Transform) -> bytes | None:
    if isinstance(found, Rejected):
        return None
    try:
        return transform(found, wanted).data
    except Exception:  # noqa: BLE001 - an error with one image must not harm the dataset that waits for its preview
        _log.exception("An image could not be made small.")
        return None
