"""Reads the header of a JPEG, up to its first scan (T.81, annex B; Exif 2.32, 4.6; ICC.1, annex B).

Only files that pass here reach a decoder (`decode_jpeg`). Pillow reads EXIF that does not have its usual form.
"""

import re
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache

from PIL import Image

from shared.crawling.judging.embedded.xmp import may_have_codes
from shared.crawling.judging.exif import (
    EXIF_START,
    ORIENTATION_TAG,
    is_exif_readable,
    is_exif_small,
    read_orientation,
)
from shared.crawling.judging.jpeg.segments import (
    APP0,
    APP1,
    APP2,
    APP11,
    APP13,
    APP14,
    NOTES,
    OTHER_PROCESSES,
    PROGRESSIVE,
    SEQUENTIAL,
    SOS,
    TABLES,
    Refused,
    Segment,
    Unreadable,
    is_cut_short,
    segments,
)
from shared.records.records import Reason, Rejected

_MAX_EXIF_SEGMENTS = 64
_READ_SEGMENTS = frozenset({APP0, APP1, APP2, APP14})
_ICC_BYTES = 14
_DESCRIBING = frozenset({APP1, APP11, APP13})
_ADOBE_NAMES = b"http://ns.adobe.com/"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ICC = b"ICC_PROFILE\0"
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_SHORT = 3
_DNL = b"\xff\xdc\0\4"


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """The properties of a JPEG that decoding needs. `components` is 1, 3 or 4, and `orientation` is 1 to 8.

    If `adobe` is true, CMYK inks are stored inverted. If `one_scan` is true, decoders read no second scan. If `tidy` is
    true, there are only sound segments before the scan, and no bytes between them. `unsound` has the first bytes of
    each kind of note that some readers refuse. If `describes_itself` is true, there are segments of a kind that has
    XMP, IPTC-IIM or C2PA.
    """

    width: int
    height: int
    components: int
    adobe: bool
    orientation: int
    profile: bytes | None
    one_scan: bool
    tidy: bool = True
    unsound: tuple[bytes, ...] = ()
    describes_itself: bool = False


@dataclass(slots=True)
class _Seen:
    """The properties that the segments so far have declared. `frame` is the segment of the frame header."""

    frame: Segment | None = None
    exif: list[bytes] = field(default_factory=list)
    xmp: bytes = b""
    profile: list[bytes] = field(default_factory=list)
    adobe: bool = False
    tidy: bool = True
    unsound: list[bytes] = field(default_factory=list)
    describes_itself: bool = False


def read_jpeg_header(data: bytes) -> JpegHeader | Rejected | None:
    """Returns the header, or a rejection, or None if there is no readable header. Takes microseconds.

    All processes are rejected but sequential and progressive Huffman coding with 8 bits.
    """
    seen = _Seen()
    at = 2
    try:
        for segment in segments(data):
            seen.tidy &= segment.start - 4 == at
            at = segment.end
            if segment.code == SOS:
                return _header(data, seen, segment)
            # most segments are tables
            if segment.code not in TABLES:
                _read_segment(data, seen, segment)
    except Refused as refused:
        return refused.rejected
    except (Unreadable, IndexError, struct.error):
        pass
    return None


def _read_segment(data: bytes, seen: _Seen, segment: Segment) -> None:
    code = segment.code
    if code in _DESCRIBING and (
        # EXIF is in most files, and XMP in EXIF is in few
        code != APP1
        or data.startswith(_ADOBE_NAMES, segment.start)
        or may_have_codes(data, segment.start, segment.end)
    ):
        seen.describes_itself = True
    if code in _READ_SEGMENTS:
        seen.tidy &= not is_cut_short(data, segment)
        _read_application_data(data, seen, segment)
    elif code in SEQUENTIAL or code in PROGRESSIVE:
        if seen.frame is not None:
            raise Refused(Reason.CORRUPT, "two frames")
        bits = data[segment.start]
        if bits != 8:
            raise Refused(Reason.UNSUPPORTED_FORMAT, f"JPEG of {bits} bits")
        seen.frame = segment
    elif code in OTHER_PROCESSES:
        raise Refused(Reason.UNSUPPORTED_FORMAT, OTHER_PROCESSES[code])
    elif code not in NOTES:
        raise Refused(Reason.CORRUPT, "no such marker")


def _read_application_data(data: bytes, seen: _Seen, segment: Segment) -> None:
    code, start, end = segment
    if code == APP1 and data.startswith(EXIF_START, start, end):
        seen.exif.append(data[start + len(EXIF_START) : end])
        if len(seen.exif) > _MAX_EXIF_SEGMENTS:
            raise Refused(Reason.CORRUPT, "too much EXIF")
    elif code == APP1 and data.startswith(_XMP, start, end):
        seen.xmp = data[start:end]
    elif code == APP2 and data.startswith(_ICC, start, end):
        seen.profile.append(data[start:end])
    elif code == APP14 and data.startswith(b"Adobe", start, end):
        seen.adobe |= not is_cut_short(data, segment)


def _header(data: bytes, seen: _Seen, scan: Segment) -> JpegHeader:
    if seen.frame is None:
        raise Refused(Reason.CORRUPT, "a scan without a frame")
    code, start, end = seen.frame
    height, width, components = struct.unpack_from(">HHB", data, start + 1)
    if end - start != 6 + 3 * components or not width or not components:
        raise Refused(Reason.CORRUPT, "the frame's header")
    if not height:
        if _DNL in data[scan.end :]:
            raise Refused(Reason.UNSUPPORTED_FORMAT, "JPEG that declares its height after its scan")
        raise Refused(Reason.CORRUPT, "no height")
    if components not in {1, 3, 4}:
        raise Refused(Reason.UNSUPPORTED_FORMAT, f"JPEG of {components} components")
    _check_sampling(data[start + 7 : end : 3])
    profile = _profile(seen.profile)
    if seen.profile and profile is None:
        seen.unsound.append(_ICC)
    orientation = _orientation(seen)
    return JpegHeader(
        width,
        height,
        components,
        seen.adobe,
        orientation,
        profile,
        one_scan=code not in PROGRESSIVE and data[scan.start] >= components,
        tidy=seen.tidy and not seen.unsound,
        unsound=tuple(seen.unsound),
        describes_itself=seen.describes_itself,
    )


@lru_cache(maxsize=64)
def _check_sampling(factors: bytes) -> None:
    """Checks the sampling factors. Each byte has a component's horizontal and vertical factor (T.81, B.2.2).

    Decoders need factors of which the largest is a multiple of every other.

    Raises:
        Refused: the factors are invalid or not supported.
    """
    for shift in (4, 0):
        across = [factor >> shift & 0xF for factor in factors]
        if 0 in across or max(across) > 4:
            raise Refused(Reason.CORRUPT, "sampling factors")
        if len(across) > 1 and any(max(across) % each for each in across):
            raise Refused(
                Reason.UNSUPPORTED_FORMAT, "JPEG whose sampling factors are no multiples of each other"
            )


def _profile(parts: list[bytes]) -> bytes | None:
    """Joins the parts of the ICC profile, which are numbered (ICC.1, annex B.4). Returns None if a part is missing."""
    if not parts or any(len(part) < _ICC_BYTES or part[13] != len(parts) for part in parts):
        return None
    parts = sorted(parts, key=lambda part: part[12])
    if [part[12] for part in parts] != list(range(1, len(parts) + 1)):
        return None
    return b"".join(part[_ICC_BYTES:] for part in parts) or None


def _orientation(seen: _Seen) -> int:
    """Returns the orientation that EXIF declares, or else that of the XMP packet, or 1."""
    value = _readable_orientation(seen) if seen.exif else None
    if value is None and seen.xmp:
        found = _XMP_ORIENTATION.search(seen.xmp)
        value = int(found[1]) if found else None
    return value if value is not None and 1 <= value <= 8 else 1


def _readable_orientation(seen: _Seen) -> int | None:
    """Returns the orientation of EXIF, or None if there is none. Marks EXIF that loaders cannot read as unsound."""
    content = b"".join(seen.exif)
    try:
        value = _exif_orientation(content)
        if value in {None, 1}:
            return value
    except (Unreadable, struct.error):
        value = None
    if not is_exif_readable(EXIF_START + content):
        seen.unsound.append(EXIF_START)
    if value is None and is_exif_small(content):
        exif = Image.Exif()
        # broken EXIF is no reason to refuse the pixels
        with suppress(Exception):
            exif.load(EXIF_START + content)
            value = read_orientation(exif) if ORIENTATION_TAG in exif else None
    return value


def _exif_orientation(exif: bytes) -> int | None:
    """Reads EXIF in its usual form. Returns None if it has no orientation.

    Raises:
        Unreadable, struct.error: it does not have the usual form.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        raise Unreadable
    (at,) = struct.unpack_from(f"{order}I", exif, 4)
    (count,) = struct.unpack_from(f"{order}H", exif, at)
    directory = exif[at + 2 : at + 2 + 12 * count]
    if len(directory) < 12 * count:
        raise Unreadable
    for tag, kind, number, value in struct.iter_unpack(f"{order}HHIHxx", directory):
        if tag == ORIENTATION_TAG:
            if (kind, number) != (_SHORT, 1):
                raise Unreadable
            return int(value)
    return None
