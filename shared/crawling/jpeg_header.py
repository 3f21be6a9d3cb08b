"""What a JPEG says before its first scan, read without opening it (T.81, annex B; Exif 2.32, 4.6; ICC.1, annex B).

Pillow would tell the same, at several times the cost. What is odd is left to it.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.records import Reason, Rejected

_MAX_SEGMENTS = 500
_MAX_EXIF_SEGMENTS = 64
_MAX_STRAY_BYTES = 65_536
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_RESTARTS = range(0xD0, 0xD8)
_SOS = 0xDA
_APP1, _APP2, _APP14 = 0xE1, 0xE2, 0xEE
_SKIPPED = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)})
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA})
_LOSSLESS, _PROGRESSIVE = 0xC3, frozenset({0xC2, 0xCA})
_UNSUPPORTED_FRAMES = frozenset({0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF})
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ICC = b"ICC_PROFILE\0"
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_ORIENTATION_TAG, _SHORT = 0x0112, 3


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """`components` are 1, 3 or 4; `adobe` inks are stored the other way round; `orientation` is EXIF's, 1 to 8.

    `one_scan` says that decoders take no second scan of it.
    """

    width: int
    height: int
    components: int
    adobe: bool
    orientation: int
    profile: bytes | None
    one_scan: bool


class _Odd(Exception):
    """Better left to Pillow."""


class _Refused(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.rejected = Rejected(reason, detail)


@dataclass(slots=True)
class _Seen:
    """What the segments have said so far; places are of the content, in bytes of the file."""

    frame: tuple[int, int] | None = None
    exif: list[bytes] = field(default_factory=list)
    xmp: bytes = b""
    profile: list[bytes] = field(default_factory=list)
    adobe: bool = False
    odd: bool = False


def read_jpeg_header(data: bytes) -> JpegHeader | Rejected | None:
    """The header; a rejection where no decoder here takes such a file; None where it is odd.

    Takes microseconds, and bounds what is odd too: a file for which this is None costs Pillow no more than its size.
    """
    seen = _Seen()
    try:
        for code, start, end in segments(data):
            if code == _SOS:
                return _header(data, seen, data[start])
            _note(data, seen, code, start, end)
    except _Refused as refused:
        return refused.rejected
    except (_Odd, IndexError, struct.error):
        pass
    return None


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The code of each segment up to the first scan's, and where its content begins and ends, without stray bytes.

    Raises what `read_jpeg_header` makes an outcome of, and nothing for data of which that gave a header.
    """
    at = 2
    stray = 0
    for _ in range(_MAX_SEGMENTS):
        if data[at] != 0xFF or data[at + 1] in {0x00, 0xFF}:
            marker = _MARKER.search(data, at)
            if marker is None:
                raise _Odd
            stray += marker.start() - at
            at = marker.start()
            if stray > _MAX_STRAY_BYTES:
                break
        code = data[at + 1]
        if code in _RESTARTS:  # decoders pass over them, too
            at += 2
            continue
        end = at + 2 + (data[at + 2] << 8 | data[at + 3])
        if end < at + 4 or end > len(data):
            raise _Odd
        yield code, at + 4, end
        if code == _SOS:
            return
        at = end
    raise _Refused(Reason.CORRUPT, "too much before the picture")


def _note(data: bytes, seen: _Seen, code: int, start: int, end: int) -> None:
    if code in {_APP1, _APP2, _APP14}:
        _note_application(data, seen, code, start, end)
    elif code in _FRAMES:
        if data[start] == 12:
            raise _Refused(Reason.UNSUPPORTED_FORMAT, "JPEG of 12 bits")
        seen.odd |= seen.frame is not None or code == _LOSSLESS or data[start] != 8
        seen.frame = code, start
    elif code in _UNSUPPORTED_FRAMES:
        raise _Refused(Reason.UNSUPPORTED_FORMAT, "hierarchical or lossless JPEG")
    elif code not in _SKIPPED:
        raise _Refused(Reason.CORRUPT, "no such marker")


def _note_application(data: bytes, seen: _Seen, code: int, start: int, end: int) -> None:
    if code == _APP1 and data.startswith(_EXIF, start, end):
        seen.exif.append(data[start + len(_EXIF) : end])
        if len(seen.exif) > _MAX_EXIF_SEGMENTS:
            raise _Refused(Reason.CORRUPT, "too much EXIF")
    elif code == _APP1 and data.startswith(_XMP, start, end):
        seen.xmp = data[start:end]
    elif code == _APP2 and data.startswith(_ICC, start, end):
        seen.profile.append(data[start:end])
        seen.odd |= seen.frame is not None or end - start < 14
    elif code == _APP2 and data.startswith(b"MPF\0", start, end):
        seen.odd = True
    elif code == _APP14 and data.startswith(b"Adobe", start, end):
        seen.adobe = True


def _header(data: bytes, seen: _Seen, components_of_scan: int) -> JpegHeader | None:
    if seen.odd or seen.frame is None:
        return None
    code, start = seen.frame
    height, width, components = struct.unpack_from(">HHB", data, start + 1)
    if not width or not height or components not in {1, 3, 4}:
        return None
    return JpegHeader(
        width,
        height,
        components,
        seen.adobe,
        _orientation(seen),
        _profile(seen.profile),
        one_scan=code not in _PROGRESSIVE and components_of_scan >= components,
    )


def _profile(segments: list[bytes]) -> bytes | None:
    """The parts in their order, each behind its number and the number of all; None where some are missing."""
    if not segments:
        return None
    segments.sort()
    if segments[0][13] != len(segments):
        return None
    return b"".join(segment[14:] for segment in segments) or None


def _orientation(seen: _Seen) -> int:
    """EXIF's, or else what the XMP packet says."""
    value = _exif_orientation(b"".join(seen.exif)) if seen.exif else None
    if value is None and seen.xmp:
        told = _XMP_ORIENTATION.search(seen.xmp)
        value = int(told[1]) if told else None
    return value if value is not None and 1 <= value <= 8 else 1


def _exif_orientation(exif: bytes) -> int | None:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        raise _Odd
    (at,) = struct.unpack_from(f"{order}I", exif, 4)
    (count,) = struct.unpack_from(f"{order}H", exif, at)
    directory = exif[at + 2 : at + 2 + 12 * count]
    if len(directory) < 12 * count:
        raise _Odd
    for tag, kind, number, value in struct.iter_unpack(f"{order}HHIHxx", directory):
        if tag == _ORIENTATION_TAG:
            if (kind, number) != (_SHORT, 1):
                raise _Odd
            return int(value)
    return None
