"""Checks that a file is complete by its own structure. Decoders stop as soon as they have all pixels.

Bytes after the end of the image are ignored, because every format permits them.
"""

import re
import struct

import numpy as np

from shared.crawling.judging.gif_blocks import check_gif
from shared.crawling.judging.png.check import check_pixels
from shared.crawling.judging.png.chunks import read_png
from shared.crawling.options import Format
from shared.records.records import Reason, Rejected

_TRUNCATED = Rejected(Reason.TRUNCATED)
_STRIP_TAGS = frozenset({273, 279, 324, 325})
_KINDS = {3: "u2", 4: "u4"}
_KIND_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_MAX_PAGES = 2000
_MAX_SCANS = 64
_MAX_SEGMENTS = 5000
_MAX_BOXES = 100_000
_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")
"""A marker that begins a segment: no restart marker, no marker without content, no reserved marker."""

type _Numbers = np.ndarray[tuple[int, ...], np.dtype[np.uint16 | np.uint32]]


def check_whole(data: bytes, image_format: Format, *, one_scan: bool = False) -> Rejected | None:
    """Returns a rejection if the file is cut short or does not match its own checksums. Takes linear time.

    A JPEG with too many scans is rejected, too. The scans are not counted if the decoder reads only `one_scan`. BMP and
    BigTIFF are not checked here, because their decoders read everything that the header declares.
    """
    match image_format:
        case "png":
            return _check_png(data)
        case "gif":
            return check_gif(data)
        case "webp":
            return _TRUNCATED if int.from_bytes(data[4:8], "little") + 8 > len(data) else None
        case "avif":
            return _check_boxes(data)
        case "tiff":
            return _check_tiff(data)
        case "jpeg":
            return _check_jpeg(data, one_scan=one_scan)
        case _:
            return None


def _check_jpeg(data: bytes, *, one_scan: bool) -> Rejected | None:
    """Checks the end and the number of scans. The decoder checks the rest.

    Each scan of a progressive file costs a pass over all pixels, even if the scan is empty.
    """
    # the marker is at the end, so the search begins there
    if data.rfind(b"\xff\xd9") < 0:
        return _TRUNCATED
    if one_scan:
        return None
    octets = np.frombuffer(data, np.uint8)
    # counting by NumPy: bytes.count takes five times as long
    starts = np.count_nonzero((octets[:-1] == 0xFF) & (octets[1:] == 0xDA))
    if starts > _MAX_SCANS and _has_many_scans(data):
        return Rejected(Reason.CORRUPT, f"more than {_MAX_SCANS} scans")
    return None


def _has_many_scans(data: bytes) -> bool:
    """Counts the scans of the first image in the file (T.81, annex B).

    Scans of embedded thumbnails and of later images do not count.
    """
    scans = segments = 0
    at = 2
    while (marker := _MARKER.search(data, at)) and marker[1] != b"\xd9":
        segments += 1
        scans += marker[1] == b"\xda"
        if scans > _MAX_SCANS or segments > _MAX_SEGMENTS:
            return True
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return False


def _check_png(data: bytes) -> Rejected | None:
    png = read_png(data)
    return png if isinstance(png, Rejected) else check_pixels(png)


def _check_boxes(data: bytes) -> Rejected | None:
    """Checks that no box reaches beyond the end of the file (ISO/IEC 14496-12, 4.2).

    A picture has fewer than ten boxes. A sequence has two for each fragment.
    """
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 8 > len(data):
            return None
        size = int.from_bytes(data[at : at + 4])
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size == 0:
            return None
        if size < 8:
            return Rejected(Reason.CORRUPT, "no such box")
        at += size
        if at > len(data):
            return _TRUNCATED
    return Rejected(Reason.CORRUPT, "too many boxes")


def _check_tiff(data: bytes) -> Rejected | None:
    """Checks each page's directory, and that its strips or tiles are in the file (TIFF 6.0, sections 2, 3 and 15)."""
    order = "<" if data.startswith(b"II") else ">"
    if data[2:4] not in {b"*\0", b"\0*"}:
        return None
    pages: set[int] = set()
    spent = 0
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        while at and at not in pages and len(pages) < _MAX_PAGES:
            pages.add(at)
            (count,) = struct.unpack_from(f"{order}H", data, at)
            (after,) = struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)
            fields = _strip_fields(data, order, at + 2, count)
            places = dict(fields)
            spent += 12 * count + sum(numbers.nbytes for numbers in places.values())
            if len(places) < len(fields) or spent > len(data):
                return Rejected(Reason.CORRUPT, "directories that overlap")
            if _end(places, 273, 279) > len(data) or _end(places, 324, 325) > len(data):
                return _TRUNCATED
            at = after
    except struct.error:
        return _TRUNCATED
    return None


def _strip_fields(data: bytes, order: str, at: int, count: int) -> list[tuple[int, _Numbers]]:
    """Returns the tags and values of the fields that say where the strips or tiles are.

    Raises:
        struct.error: the values of some field of the directory are not in the file.
    """
    found: list[tuple[int, _Numbers]] = []
    directory = struct.iter_unpack(f"{order}HHII", data[at : at + 12 * count])
    for entry, (tag, kind, number, value) in enumerate(directory):
        size = _KIND_BYTES.get(kind, 0) * number
        start = at + 12 * entry + 8 if size <= 4 else value
        if start + size > len(data):
            raise struct.error
        if tag in _STRIP_TAGS and kind in _KINDS:
            found.append((tag, np.frombuffer(data, f"{order}{_KINDS[kind]}", number, start)))
    return found


def _end(places: dict[int, _Numbers], starts_tag: int, lengths_tag: int) -> int:
    """Returns where the last strip or tile ends; 0 if the page has none."""
    if starts_tag not in places or lengths_tag not in places:
        return 0
    starts, lengths = places[starts_tag], places[lengths_tag]
    both = min(len(starts), len(lengths))
    return int(np.add(starts[:both], lengths[:both], dtype=np.uint64).max(initial=0))
