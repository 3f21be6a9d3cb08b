"""Detects a file's format by its first bytes. The rejection of a file that no decoder reads names what it is."""

import re
from typing import Literal

from shared.crawling.options import Format
from shared.records.records import Reason, Rejected

type DetectedFormat = Format | Literal["unknown"]

_TEXT_BYTES = 4096
# the header sizes of all versions of BMP
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_UNSUPPORTED: tuple[tuple[bytes, str], ...] = (
    (b"\x00\x00\x01\x00", "ICO"),
    (b"\x00\x00\x02\x00", "CUR"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"8BPS", "PSD"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"DDS ", "DDS"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "HDR"),
    (b"qoif", "QOI"),
    (b"icns", "ICNS"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"gimp xcf", "XCF"),
    (b"GIF8", "GIF of another version"),
    (b"SIMPLE  =", "FITS"),
    (b"\x8aMNG", "MNG"),
    (b"\x8bJNG", "JNG"),
    (b"BPG\xfb", "BPG"),
)
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"OggS", "a video or sound"),
    (b"ID3", "a sound"),
)
_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_PORTABLE = re.compile(rb"P[1-7][ \t\r\n#]")
_HTML = re.compile(rb"<!doctype html|<(?:html|head|body|script|title|meta)\b")
_LEADING = re.compile(rb"(?:\s|\xef\xbb\xbf|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)


def detect_format(data: bytes) -> DetectedFormat:
    """Returns the format, or "unknown" if it is not one of the formats that are decoded."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    if data.startswith((b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+")):
        return "tiff"
    if data[4:8] == b"ftyp" and data[8:12] in {b"avif", b"avis"}:
        return "avif"
    return "unknown"


def reject_unsupported(data: bytes) -> Rejected:
    """Returns the rejection of a file of unknown format. It names another image format, or says that it is no image."""
    for start, name in _UNSUPPORTED:
        if data.startswith(start):
            return Rejected(Reason.UNSUPPORTED_FORMAT, name)
    if data[4:8] == b"ftyp":
        if data[8:12] in _HEIF:
            return Rejected(Reason.UNSUPPORTED_FORMAT, "HEIF")
        return Rejected(Reason.NOT_AN_IMAGE, "a video")
    if data.startswith(b"BM") and int.from_bytes(data[2:6], "little") == len(data):
        return Rejected(Reason.UNSUPPORTED_FORMAT, "BMP with another header")
    return _reject_other(data)


def _reject_other(data: bytes) -> Rejected:
    if data[128:132] == b"DICM":
        return Rejected(Reason.UNSUPPORTED_FORMAT, "DICOM")
    if _PORTABLE.match(data):
        return Rejected(Reason.UNSUPPORTED_FORMAT, "PNM")
    for start, name in _OTHERS:
        if data.startswith(start):
            return Rejected(Reason.NOT_AN_IMAGE, name)
    return _reject_text(_start_of_text(data))


def _start_of_text(data: bytes) -> bytes:
    """Returns the first bytes in lower case. UTF-16 with a byte order mark is converted to UTF-8."""
    start = data[:_TEXT_BYTES]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.decode("utf-16", "ignore").encode("utf-8", "ignore")
    return start.lower()


def _reject_text(text: bytes) -> Rejected:
    leading = _LEADING.match(text)
    body = text[leading.end() if leading else 0 :]
    if _HTML.match(body):
        return Rejected(Reason.NOT_AN_IMAGE, "HTML")
    if body.startswith((b"<svg", b"<!doctype svg")) or (body.startswith(b"<") and b"<svg" in body):
        return Rejected(Reason.UNSUPPORTED_FORMAT, "SVG")
    if body.startswith(b"<"):
        return Rejected(Reason.NOT_AN_IMAGE, "XML")
    if body.startswith((b"{", b"[")):
        return Rejected(Reason.NOT_AN_IMAGE, "JSON")
    return Rejected(Reason.NOT_AN_IMAGE)
