"""Copies of files that are whole, without what the decoders refuse in them or warn of though it harms no pixel.

A decoder tells of its first warning alone. So nothing is taken on trust: the copy has to decode without any.
"""

import re

from shared.crawling.judging.exif import EXIF_START
from shared.crawling.judging.jpeg.header import JpegHeader
from shared.crawling.judging.jpeg.segments import APP0, APP14, NOTES, SOS, is_cut_short, segments

_HARMLESS = re.compile(
    "extraneous bytes before marker|unknown JFIF revision|Unknown Adobe color transform|Invalid SOS parameters"
)
_STRAY_BEFORE_END = "extraneous bytes before marker 0xd9"
_MAX_STRAY_BYTES = 8
_JFIF = b"JFIF\0"
_EXIF_OF_ORIENTATION = (
    b"\xff\xe1\0\x22" + EXIF_START + b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0%c\0\0\0\0\0\0\0"
)
"""An EXIF segment that holds the orientation only (Exif 2.32, section 4.6)."""

_PICTURES = b"MPF\0"
"""Begins a list of the places of further pictures in the file. In a copy, they are at other places."""

_WHOLE_SCAN = b"\0\x3f\0"


def mended_jpeg(data: bytes, header: JpegHeader, warning: str) -> bytes | None:
    """A copy without what libjpeg warned of: notes, stray bytes before a segment or the end, odd versions, parameters.

    None where the warning is not harmless, or nothing can be done. More than a few stray bytes that are not zero may
    be a lost segment, or what is left of a scan whose codes went wrong: they are not taken out.
    """
    if not _HARMLESS.search(warning):
        return None
    copy, rest = _rebuilt(data, header)
    if copy is None:
        return None
    return copy + (_without_zeros(rest) if _STRAY_BEFORE_END in warning else rest)


def tidied_jpeg(data: bytes, header: JpegHeader) -> bytes:
    """A copy with only sound segments before the scan, without gaps: all decoders read it in the same way.

    Raises:
        ValueError: bytes between segments may be a segment.
    """
    copy, rest = _rebuilt(data, header)
    if copy is None:
        raise ValueError("stray bytes between segments")
    return copy + rest


def _rebuilt(data: bytes, header: JpegHeader) -> tuple[bytes | None, bytes]:
    """The rebuilt segments up to the first scan's, None where one may be lost; and all bytes after them."""
    kept = [data[:2]]
    if EXIF_START in header.unsound and header.orientation != 1:
        kept.append(_EXIF_OF_ORIENTATION % header.orientation)
    at, before = 2, SOS
    for code, start, end in segments(data):
        if _may_be_a_segment(data[at : start - 4], before):
            return None, b""
        unsound = code in NOTES and data.startswith((_PICTURES, *header.unsound), start, end)
        if not unsound and not is_cut_short(data, code, start, end):
            kept += data[start - 4 : start], _usual(code, data[start:end], header)
        at, before = end, code
    return b"".join(kept), data[at:]


def _may_be_a_segment(stray: bytes, before: int) -> bool:
    """Whether bytes between segments may be one: they are no padding, nor the end of a note with too small a length."""
    if len(stray.strip(b"\0\xff")) <= _MAX_STRAY_BYTES:
        return False
    return before not in NOTES or int.from_bytes(stray[2:4]) == len(stray) - 2


def _without_zeros(scans: bytes) -> bytes:
    """Without any zeros before the end, also such as codes may end with.

    Were one left, a file that was cut and filled up with zeros might pass: they can be codes, too.
    """
    ending = scans.find(b"\0\xff\xd9")
    if ending < 0:
        return scans
    codes = scans[:ending].rstrip(b"\0")
    stuffed = b"\0" if codes.endswith(b"\xff") else b""  # which belongs to the code before it
    return codes + stuffed + scans[ending + 1 :]


def _usual(code: int, content: bytes, header: JpegHeader) -> bytes:
    """The content of a segment with what libjpeg takes for granted where it does not understand it."""
    if code == APP0 and content.startswith(_JFIF) and content[5:6] != b"\1":
        return content[:5] + b"\1\2" + content[7:]
    if code == APP14 and content.startswith(b"Adobe") and content[11:12] > b"\2":
        return content[:11] + (b"\2" if header.components == 4 else b"\1") + content[12:]
    if code == SOS and header.one_scan:
        return content[:-3] + _WHOLE_SCAN
    return content
