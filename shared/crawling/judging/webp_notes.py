"""Copies a WebP without EXIF that loaders cannot read (RFC 9649, 2.7). They would fail when they rotate the picture."""

from collections.abc import Iterator

from shared.crawling.judging.exif import is_exif_readable

_HEADER_BYTES = 12
_EXTENDED, _EXIF, _EXIF_FLAG = b"VP8X", b"EXIF", 0x08


def mend_webp(data: bytes) -> tuple[bytes, str]:
    """Returns the copy, and the removed part as in `ImageFacts.mended`.

    Returns the file itself and an empty text if all EXIF is readable, or if the chunks do not end where the RIFF header
    declares the end.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data) or not data.startswith(_EXTENDED, _HEADER_BYTES) or _EXIF not in data:
        return data, ""
    chunks = list(_chunks(data, end))
    kept = [chunk for chunk in chunks if not chunk.startswith(_EXIF) or is_exif_readable(chunk[8:])]
    if len(kept) == len(chunks) or sum(map(len, chunks)) + _HEADER_BYTES != end:
        return data, ""
    first = bytearray(kept[0])
    first[8] &= ~_EXIF_FLAG
    content = b"".join((b"WEBP", first, *kept[1:]))
    return b"".join((b"RIFF", len(content).to_bytes(4, "little"), content)), "notes"


def _chunks(data: bytes, end: int) -> Iterator[bytes]:
    at = _HEADER_BYTES
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        behind = at + 8 + size + size % 2
        yield data[at:behind]
        at = behind
