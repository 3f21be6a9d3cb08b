"""Copies of files that are whole, without what the decoders refuse in them or warn of though it harms no pixel.

A decoder tells of its first warning alone. So nothing is taken on trust: the copy has to decode without any.
"""

import re

from shared.crawling.jpeg_header import JpegHeader, segments

_HARMLESS = re.compile(
    "extraneous bytes before marker|unknown JFIF revision|Unknown Adobe color transform|Invalid SOS parameters"
)
_STRAY_BEFORE_END = "extraneous bytes before marker 0xd9"
_MAX_STRAY_BYTES = 8
_APP0, _APP14, _SOS = 0xE0, 0xEE, 0xDA
_WHOLE_SCAN = b"\0\x3f\0"


def mended_jpeg(data: bytes, header: JpegHeader, warning: str) -> bytes | None:
    """A copy without what libjpeg warned of: stray bytes before a segment or the end, odd versions and parameters.

    None where the warning is not harmless, or nothing can be done. More than a few stray bytes that are not zero may
    be a lost segment, or what is left of a scan whose codes went wrong: they are not taken out.
    """
    if not _HARMLESS.search(warning):
        return None
    mended = [data[:2]]
    at = 2
    for code, start, end in segments(data):
        if len(data[at : start - 4].strip(b"\0\xff")) > _MAX_STRAY_BYTES:
            return None
        mended += data[start - 4 : start], _usual(code, data[start:end], header)
        at = end
    rest = data[at:]
    return b"".join((*mended, _without_zeros(rest) if _STRAY_BEFORE_END in warning else rest))


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
    if code == _APP0 and content.startswith(b"JFIF\0") and content[5:6] != b"\1":
        return content[:5] + b"\1\2" + content[7:]
    if code == _APP14 and content.startswith(b"Adobe") and content[11:12] > b"\2":
        return content[:11] + (b"\2" if header.components == 4 else b"\1") + content[12:]
    if code == _SOS and header.one_scan:
        return content[:-3] + _WHOLE_SCAN
    return content
