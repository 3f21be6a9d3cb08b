"""Finds the metadata of a PNG (XMP part 3; C2PA 2.2, appendix A; PNG, third edition, 11.3.3).

ImageMagick stores XMP and IPTC as "raw profiles": texts with a name, a length and hexadecimal digits.
"""

import zlib
from collections.abc import Iterator
from contextlib import suppress

from shared.crawling.judging.embedded.blocks import MAX_IPTC_BYTES, MAX_XMP_BYTES, Blocks
from shared.crawling.judging.embedded.iptc import iptc_of_photoshop
from shared.crawling.judging.png.chunks import SIGNATURE

_MAX_CHUNKS = 200_000
_MAX_TEXTS = 12
"""More texts of these kinds are not read, because each may inflate to megabytes."""

_XMP = b"XML:com.adobe.xmp"
_RAW_XMP = b"Raw profile type xmp"
_RAW_IPTC = frozenset({b"Raw profile type iptc", b"Raw profile type 8bim"})
_KEYS = frozenset({_XMP, _RAW_XMP, *_RAW_IPTC})
_LONGEST_KEY = 79
_SLICE_BYTES = 4096


def png_blocks(data: bytes) -> Blocks:
    """Returns the blocks of a whole PNG."""
    found = Blocks()
    texts = 0
    for kind, start, end in _chunks(data):
        if kind == b"caBX":
            found.add_jumbf(data, start)
        elif kind in {b"iTXt", b"tEXt", b"zTXt"}:
            key = data[start : start + _LONGEST_KEY + 1].partition(b"\0")[0]
            if key in _KEYS and start + len(key) < end:
                texts += 1
                if texts > _MAX_TEXTS:
                    found.cut = True
                    continue
                _add_text(found, key, kind, data[start + len(key) + 1 : end])
    return found


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yields the type, the start and the end of the content of each chunk up to IEND."""
    at = len(SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        kind = data[at + 4 : at + 8]
        end = at + 8 + int.from_bytes(data[at : at + 4])
        if kind == b"IEND" or end > len(data):
            return
        yield kind, at + 8, end
        at = end + 4


def _add_text(found: Blocks, key: bytes, kind: bytes, content: bytes) -> None:
    text = _text(kind, content)
    if text is None:
        found.cut = True
    elif key == _XMP:
        found.add_xmp(text)
    elif (raw := _raw_profile(text)) is None:
        found.cut |= key == _RAW_XMP
    elif key == _RAW_XMP:
        found.add_xmp(raw)
    else:
        for records in iptc_of_photoshop(raw) or [raw]:
            found.add_iptc(records)


def _text(kind: bytes, content: bytes) -> bytes | None:
    """Returns the text after the key, or None if it is too long. A broken stream gives the part that can be read."""
    if kind == b"zTXt":
        return _inflated(content[1:])
    if kind == b"iTXt":
        parts = content[2:].split(b"\0", 2)
        text = parts[2] if len(parts) == 3 else b""
        return _inflated(text) if content[:1] == b"\1" else text
    return content


def _inflated(packed: bytes) -> bytes | None:
    inflater = zlib.decompressobj()
    text = bytearray()
    for at in range(0, len(packed), _SLICE_BYTES):
        before = inflater.copy()
        part = packed[at : at + _SLICE_BYTES]
        try:
            text += inflater.decompress(part, MAX_XMP_BYTES + 1 - len(text))
        except zlib.error:
            text += _before_error(before, part)
            break
        if len(text) > MAX_XMP_BYTES:
            return None
        if inflater.eof:
            break
    return bytes(text)


def _before_error(inflater: "zlib._Decompress", packed: bytes) -> bytes:
    """Inflates byte by byte up to the error in a slice, because an error loses the output of its call."""
    text = bytearray()
    with suppress(zlib.error):
        for at in range(len(packed)):
            text += inflater.decompress(packed[at : at + 1], _SLICE_BYTES)
    return bytes(text)


def _raw_profile(text: bytes) -> bytes | None:
    """Returns the bytes of a raw profile. They follow a line with a name and a line with their number."""
    if len(text) > 4 * max(MAX_XMP_BYTES, MAX_IPTC_BYTES):
        return None
    try:
        return bytes.fromhex(b"".join(text.split(b"\n", 3)[3:]).decode("ascii"))
    except ValueError:
        return None
