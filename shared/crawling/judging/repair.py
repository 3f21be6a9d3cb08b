"""Copies JPEGs without parts that decoders refuse or warn of, although no pixel depends on these parts.

libjpeg reports only its first warning, so a file may have more damage. The caller must decode the copy and must refuse
it if there is another warning.
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
"""An EXIF segment that has nothing but the orientation (Exif 2.32, section 4.6)."""

_PICTURES = b"MPF\0"
"""Begins the list of offsets of further pictures in the file. The offsets would be wrong in a copy."""

_WHOLE_SCAN = b"\0\x3f\0"


def mend_jpeg(data: bytes, header: JpegHeader, warning: str) -> bytes | None:
    """Returns a copy without the cause of libjpeg's warning, or None if the warning means damage.

    The causes are unsound notes, stray bytes before a segment or before the end, unknown versions and invalid
    parameters. Stray bytes are not removed if more than a few of them are not zero. They may be a lost segment, or the
    rest of a scan whose codes are damaged.
    """
    if not _HARMLESS.search(warning):
        return None
    copy, rest = _rebuild(data, header)
    if copy is None:
        return None
    return copy + (_without_zeros(rest) if _STRAY_BEFORE_END in warning else rest)


def tidy_jpeg(data: bytes, header: JpegHeader) -> bytes:
    """Returns a copy that has only sound segments before the scan and no bytes between them.

    All decoders read such a file in the same way.

    Raises:
        ValueError: bytes between segments may be a lost segment.
    """
    copy, rest = _rebuild(data, header)
    if copy is None:
        raise ValueError("stray bytes between segments")
    return copy + rest


def _rebuild(data: bytes, header: JpegHeader) -> tuple[bytes | None, bytes]:
    """Returns the rebuilt segments up to the first scan header, and all bytes after them.

    The segments are None if bytes between them may be a lost segment.
    """
    kept = [data[:2]]
    if EXIF_START in header.unsound and header.orientation != 1:
        kept.append(_EXIF_OF_ORIENTATION % header.orientation)
    at, before = 2, SOS
    for segment in segments(data):
        code, start, end = segment
        if _may_be_a_segment(data[at : start - 4], before):
            return None, b""
        unsound = code in NOTES and data.startswith((_PICTURES, *header.unsound), start, end)
        if not unsound and not is_cut_short(data, segment):
            kept += data[start - 4 : start], _corrected(code, data[start:end], header)
        at, before = end, code
    return b"".join(kept), data[at:]


def _may_be_a_segment(stray: bytes, before: int) -> bool:
    """Returns whether bytes between segments may be a lost segment.

    They are not if they are padding, or the rest of a note that declares too small a length.
    """
    if len(stray.strip(b"\0\xff")) <= _MAX_STRAY_BYTES:
        return False
    return before not in NOTES or int.from_bytes(stray[2:4]) == len(stray) - 2


def _without_zeros(scans: bytes) -> bytes:
    """Returns the scans without any zeros before the end marker.

    Zeros can be codes, too. If one were left, a file that was cut and filled with zeros might decode without a warning.
    """
    ending = scans.find(b"\0\xff\xd9")
    if ending < 0:
        return scans
    codes = scans[:ending].rstrip(b"\0")
    # the zero after 0xff is a stuffed byte, which belongs to the codes
    stuffed = b"\0" if codes.endswith(b"\xff") else b""
    return codes + stuffed + scans[ending + 1 :]


def _corrected(code: int, content: bytes, header: JpegHeader) -> bytes:
    """Returns the segment's content. Values that libjpeg does not know are replaced by those that it assumes."""
    if code == APP0 and content.startswith(_JFIF) and content[5:6] != b"\1":
        return content[:5] + b"\1\2" + content[7:]
    if code == APP14 and content.startswith(b"Adobe") and content[11:12] > b"\2":
        return content[:11] + (b"\2" if header.components == 4 else b"\1") + content[12:]
    if code == SOS and header.one_scan:
        return content[:-3] + _WHOLE_SCAN
    return content
