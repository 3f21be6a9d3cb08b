"""A copy of a WebP without unreadable EXIF (RFC 9649, 2.7): loaders would fail when they turn the picture."""

from collections.abc import Iterator

from shared.crawling.judging.exif import is_exif_readable

_HEADER_BYTES = 12
_EXTENDED, _EXIF, _EXIF_FLAG = b"VP8X", b"EXIF", 0x08


def mended_webp(data: bytes) -> tuple[bytes, str]:
    """The copy, and the part that it lacks, as in `ImageFacts.mended`.

    The file itself, and an empty text, where all EXIF is readable or the chunks do not lead to the file's end.
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
