"""Splits a JPEG into the segments up to its first scan, and names coding processes (T.81, B.1.1 and table B.1).

Markers are found as libjpeg finds them, so that we and the decoder read the same frame of any file.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shared.records.records import Reason, Rejected

SOS = 0xDA
APP0, APP1, APP2, APP11, APP13, APP14, COM = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xFE
SEQUENTIAL, PROGRESSIVE = frozenset({0xC0, 0xC1}), frozenset({0xC2})
NOTES = frozenset({*range(0xE0, 0xF0), COM}) - {APP14}
"""Segments that no decoder needs: application data and comments. APP14 has the colour transform, so it is not one."""

TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD})
OTHER_PROCESSES: Mapping[int, str] = {
    0xC3: "lossless JPEG",
    0xC5: "hierarchical JPEG",
    0xC6: "hierarchical JPEG",
    0xC7: "hierarchical lossless JPEG",
    0xC8: "JPEG with extensions",
    0xC9: "arithmetic-coded JPEG",
    0xCA: "arithmetic-coded progressive JPEG",
    0xCB: "arithmetic-coded lossless JPEG",
    0xCD: "arithmetic-coded hierarchical JPEG",
    0xCE: "arithmetic-coded hierarchical JPEG",
    0xCF: "arithmetic-coded hierarchical lossless JPEG",
    0xDE: "hierarchical JPEG",
    0xDF: "hierarchical JPEG",
    0xF7: "JPEG-LS",
    0xF8: "JPEG-LS",
}
"""The processes that are not decoded, by the markers of their frames and of their own segments (JPEG-LS: T.87)."""

_MAX_SEGMENTS = 500
_MAX_STRAY_BYTES = 65_536
_MARKER = re.compile(rb"\xff[^\x00\xff]")
# markers without a length and content
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_EOI = 0xD9
_JFIF_BYTES, _ADOBE_BYTES = 14, 12


class Segment(NamedTuple):
    """`code` is the second byte of the marker. The content is `data[start:end]` of the file."""

    code: int
    start: int
    end: int


def is_cut_short(data: bytes, segment: Segment) -> bool:
    """Returns whether a JFIF or Adobe segment is too short. libjpeg ignores such a segment, and Pillow fails."""
    code, start, end = segment
    if code == APP0:
        return data.startswith(b"JFIF", start, end) and end - start < _JFIF_BYTES
    return code == APP14 and data.startswith(b"Adobe", start, end) and end - start < _ADOBE_BYTES


class Unreadable(Exception):
    """The file ends before its first scan, or has no marker where one must be."""


class Refused(Exception):
    """The header is invalid, or no decoder here reads its variant."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.rejected = Rejected(reason, detail)


def segments(data: bytes) -> Iterator[Segment]:
    """Yields each segment up to the header of the first scan.

    Skips stray bytes, markers without content, and notes whose length is smaller than the length field itself.

    Raises:
        Unreadable, IndexError: there is no scan.
        Refused: there are too many segments or stray bytes before the scan.
    """
    at = 2
    stray = 0
    for _ in range(_MAX_SEGMENTS):
        if data[at] != 0xFF or data[at + 1] in {0x00, 0xFF}:
            marker = _MARKER.search(data, at)
            if marker is None:
                raise Unreadable
            stray += marker.start() - at
            at = marker.start()
            if stray > _MAX_STRAY_BYTES:
                break
        code = data[at + 1]
        if code in _ALONE:
            at += 2
            continue
        if code == _EOI:
            raise Unreadable
        end = at + 2 + (data[at + 2] << 8 | data[at + 3])
        if end < at + 4 and code in NOTES:
            at += 4
            continue
        if end < at + 4 or end > len(data):
            raise Unreadable
        yield Segment(code, at + 4, end)
        if code == SOS:
            return
        at = end
    raise Refused(Reason.CORRUPT, "too much before the picture")
