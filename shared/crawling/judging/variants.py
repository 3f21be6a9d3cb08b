"""Names the variants of supported formats that no decoder here reads. Such files are unsupported, not damaged.

Sources: TIFF 6.0 and the registered tags; BITMAPINFOHEADER and OS/2 bitmaps; WebP (RFC 9649); AV1 in ISO-BMFF.
"""

import struct
from collections.abc import Callable, Mapping

from shared.crawling.judging.jpeg.segments import OTHER_PROCESSES, Refused, Unreadable, segments
from shared.crawling.options import Format
from shared.records.records import Reason, Rejected

_TIFF_DECODED = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34925, 50000})
_TIFF_COMPRESSIONS: Mapping[int, str] = {
    9: "JBIG",
    10: "JBIG",
    32766: "NeXT RLE",
    32908: "Pixar film",
    32909: "Pixar log",
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34676: "SGI log",
    34677: "SGI log",
    34712: "JPEG 2000",
    34713: "Nikon NEF",
    34715: "JBIG2",
    34887: "LERC",
    34892: "lossy JPEG of DNG",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_TIFF_COLORS: Mapping[int, str] = {
    0: "grey",
    1: "grey",
    2: "RGB",
    3: "palette",
    4: "mask",
    5: "inks",
    6: "YCbCr",
    8: "CIELab",
    9: "ICCLab",
    10: "ITULab",
    32803: "a camera's raw colours",
    32844: "LogL",
    32845: "LogLuv",
    34892: "linear raw",
}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _COLORS = 256, 257, 258, 259, 262
_STRIPS, _SAMPLES, _PLANES, _TILES, _KIND = 273, 277, 284, 324, 339
_SAMPLE_KINDS: Mapping[int, str] = {
    2: "signed",
    3: "floating-point",
    5: "complex",
    6: "complex floating-point",
}
_TAG_TYPES: Mapping[int, str] = {1: "B", 3: "H", 4: "I"}
_JPEG_IN_TIFF = frozenset({6, 7})
_BMP_COMPRESSIONS: Mapping[int, str] = {
    4: "JPEG",
    5: "PNG",
    6: "alpha bit fields",
    11: "CMYK",
    12: "RLE of CMYK",
    13: "RLE of CMYK",
}
_OS2_COMPRESSIONS: Mapping[int, str] = {3: "Huffman codes", 4: "RLE of 24 bits"}
_OS2_HEADERS = frozenset({16, 64})
_BMP_BITS = frozenset({1, 4, 8, 16, 24, 32})
_BMP_RLE = frozenset({1, 2})
# Pillow decodes RLE in Python, at most five million pixels a second. It fills the rest of a row pixel by pixel
_MAX_BMP_RLE_PIXELS = 10_000_000
_AVIF_ITEMS = frozenset({b"av01", b"grid", b"Exif", b"mime", b"uri "})
_AV1_VERSION = 0x81


def reject_variant(data: bytes, detected: Format) -> Rejected | None:
    """Returns a rejection that names the file's variant, or None if the variant is supported or cannot be read."""
    try:
        name = _NAMERS[detected](data) if detected in _NAMERS else ""
    except (struct.error, IndexError, KeyError):
        return None
    return Rejected(Reason.UNSUPPORTED_FORMAT, name) if name else None


def reject_layout(data: bytes, detected: Format) -> Rejected | None:
    """Returns a rejection that names the layout of the pixels, for a file that Pillow could not open.

    Returns None for a damaged header, and for formats other than TIFF and BMP.
    """
    if detected == "bmp" and len(data) > 54 and struct.unpack_from("<I", data, 30)[0] == 3:
        return Rejected(Reason.UNSUPPORTED_FORMAT, "BMP with unusual bit fields")
    if detected != "tiff":
        return None
    try:
        tags = _tiff_tags(data)
        if not tags[_WIDTH][0] or not tags[_HEIGHT][0]:
            return None
        bits = ", ".join(str(each) for each in tags.get(_BITS, (1,))[:8])
        kind = _SAMPLE_KINDS.get(tags.get(_KIND, (1,))[0], "")
        color = tags[_COLORS][0]
        samples = tags.get(_SAMPLES, (1,))[0]
    except (struct.error, IndexError, KeyError):
        return None
    words = f"TIFF in {_TIFF_COLORS.get(color, f'colours {color}')}, {samples} samples of {bits} bits"
    return Rejected(Reason.UNSUPPORTED_FORMAT, f"{words}, {kind}" if kind else words)


def _name_tiff(data: bytes) -> str:
    tags = _tiff_tags(data)
    compression = tags.get(_COMPRESSION, (1,))[0]
    if compression in _JPEG_IN_TIFF:
        return _name_jpeg_in_tiff(data, tags)
    if compression == 1 and tags.get(_PLANES) == (2,) and tags.get(_BITS, (1,))[0] > 8:
        # Pillow reads each byte of the 16-bit numbers as a pixel
        return f"TIFF of {tags[_BITS][0]} bits in planes that are not compressed"
    if compression in _TIFF_DECODED:
        return ""
    return f"TIFF with {_TIFF_COMPRESSIONS.get(compression, f'compression {compression}')}"


def _tiff_tags(data: bytes) -> dict[int, tuple[int, ...]]:
    """Returns the integer tags of the first page with up to eight values each. A BigTIFF has none here."""
    order = "<" if data.startswith(b"II") else ">"
    if data[2:4] not in {b"*\0", b"\0*"}:
        return {}
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    tags: dict[int, tuple[int, ...]] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, entry)
        if kind in _TAG_TYPES and number:
            values = f"{order}{min(number, 8)}{_TAG_TYPES[kind]}"
            inside = struct.calcsize(f"{order}{_TAG_TYPES[kind]}") * number <= 4
            place = entry + 8 if inside else struct.unpack_from(f"{order}I", data, entry + 8)[0]
            tags.setdefault(tag, struct.unpack_from(values, data, place))
    return tags


def _name_jpeg_in_tiff(data: bytes, tags: Mapping[int, tuple[int, ...]]) -> str:
    """Names the variant of the JPEG in the first strip or tile, or returns "" (TIFF Technical Note 2)."""
    offsets = tags.get(_STRIPS) or tags.get(_TILES)
    if not offsets or data[offsets[0] : offsets[0] + 2] != b"\xff\xd8":
        return ""
    try:
        for code, start, _ in segments(data[offsets[0] :]):
            if code in OTHER_PROCESSES:
                return f"TIFF with {OTHER_PROCESSES[code]}"
            if 0xC0 <= code <= 0xC2 and data[offsets[0] + start] != 8:
                return f"TIFF with JPEG of {data[offsets[0] + start]} bits"
    except (Unreadable, Refused, IndexError):
        return ""
    return ""


def _name_bmp(data: bytes) -> str:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:
        (bits,) = struct.unpack_from("<H", data, 24)
        compression = 0
    else:
        bits, compression = struct.unpack_from("<HI", data, 28)
    names = _OS2_COMPRESSIONS if size in _OS2_HEADERS else _BMP_COMPRESSIONS
    if compression in names:
        return f"BMP with {names[compression]}"
    if compression > 3:
        return f"BMP with compression {compression}"
    if compression in _BMP_RLE:
        width, height = struct.unpack_from("<ii", data, 18)
        if abs(width * height) > _MAX_BMP_RLE_PIXELS:
            return f"BMP with RLE of more than {_MAX_BMP_RLE_PIXELS:,} pixels"
    return "" if bits in _BMP_BITS else f"BMP of {bits} bits"


def _name_webp(data: bytes) -> str:
    kind, first = data[12:16], data[20:25].ljust(5, b"\0")
    if kind == b"VP8 " and (first[0] & 1 or first[0] >> 1 & 7 > 3):
        return "WebP without a key frame" if first[0] & 1 else f"WebP of VP8 profile {first[0] >> 1 & 7}"
    if kind == b"VP8L" and first[0] == 0x2F and first[4] >> 5:
        return f"WebP of lossless version {first[4] >> 5}"
    if len(data) > 20 and kind not in {b"VP8 ", b"VP8L", b"VP8X"}:
        return f"WebP with {kind.decode('ascii', 'replace').strip()!r}"
    return ""


def _name_avif(data: bytes) -> str:
    """Searches the boxes before the media data for the kinds of items and the AV1 configuration, at any depth."""
    boxes = data[: max(data.find(b"mdat"), 0) or len(data)]
    at = boxes.find(b"infe\2")
    kinds: set[bytes] = set()
    while at >= 0:
        kinds.update(struct.unpack_from("4s", boxes, at + 12))
        at = boxes.find(b"infe\2", at + 4)
    for kind in sorted(kinds - _AVIF_ITEMS):
        if b"av01" not in kinds:
            return f"AVIF with {kind.decode('ascii', 'replace')!r} pictures"
    at = boxes.find(b"av1C")
    if at < 0:
        return ""
    version, profile, flags = struct.unpack_from(">BBB", boxes, at + 4)
    if version != _AV1_VERSION:
        return f"AVIF of AV1 configuration version {version & 0x7F}"
    if profile >> 5 > 2:
        return f"AVIF of AV1 profile {profile >> 5}"
    return "AVIF of 12 bits in a profile without them" if flags & 0x60 == 0x20 else ""


_NAMERS: Mapping[str, Callable[[bytes], str]] = {
    "tiff": _name_tiff,
    "bmp": _name_bmp,
    "webp": _name_webp,
    "avif": _name_avif,
}
"""Functions that return the name of an unsupported variant, or "" if the variant is supported."""
