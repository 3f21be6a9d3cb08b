"""Finds the metadata of a PNG (XMP part 3; C2PA 2.2, appendix A; PNG, third edition, 11.3.3).

ImageMagick stores XMP and IPTC as "raw profiles": texts with a name, a length and hexadecimal digits.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress

from shared.crawling.judging.embedded.blocks import Blocks
from shared.crawling.judging.embedded.iptc import iptc_of_photoshop
from shared.crawling.judging.png.chunks import SIGNATURE

_MAX_CHUNKS = 200_000
_MAX_TEXTS = 12
_MAX_INFLATED_BYTES = 16 << 20
"""How many bytes the decompressed texts of a file may have together. Further texts are not read."""

_XMP = b"XML:com.adobe.xmp"
_RAW_XMP = frozenset({b"Raw profile type xmp", b"Raw profile type APP1", b"Raw profile type app1"})
_RAW_IPTC = frozenset({b"Raw profile type iptc", b"Raw profile type 8bim"})
_KEYS = frozenset({_XMP, *_RAW_XMP, *_RAW_IPTC})
_LONGEST_KEY = 79
_SLICE_BYTES = 4096
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2})*+")
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
"""The start of XMP in a JPEG's segment, which ImageMagick stores as it is."""


def png_blocks(data: bytes) -> Blocks:
    """Returns the blocks of a whole PNG."""
    found = Blocks()
    texts, left = 0, _MAX_INFLATED_BYTES
    for kind, start, end in _chunks(data):
        if kind == b"caBX":
            found.add_jumbf(data, start)
        elif kind in {b"iTXt", b"tEXt", b"zTXt"}:
            key = data[start : start + _LONGEST_KEY + 1].partition(b"\0")[0]
            if key in _KEYS and start + len(key) < end:
                texts += 1
                if texts > _MAX_TEXTS:
                    continue
                text = _text(kind, data[start + len(key) + 1 : end], left)
                left -= len(text)
                _add_text(found, key, text)
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


def _add_text(found: Blocks, key: bytes, text: bytes) -> None:
    if key == _XMP:
        found.add_xmp(text)
        return
    raw = _raw_profile(text)
    if key in _RAW_XMP:
        found.add_xmp(raw.removeprefix(_XMP_SEGMENT))
    else:
        for records in iptc_of_photoshop(raw) or [raw]:
            found.add_iptc(records)


def _text(kind: bytes, content: bytes, most_bytes: int) -> bytes:
    """Returns the text after the key. A broken or long stream gives the part that can be read."""
    if kind == b"zTXt":
        return _inflated(content[1:], most_bytes)
    if kind == b"iTXt":
        parts = content[2:].split(b"\0", 2)
        text = parts[2] if len(parts) == 3 else b""
        return _inflated(text, most_bytes) if content[:1] == b"\1" else text
    return content


def _inflated(packed: bytes, most_bytes: int) -> bytes:
    inflater = zlib.decompressobj()
    text = bytearray()
    for at in range(0, len(packed), _SLICE_BYTES):
        if len(text) >= most_bytes:
            break
        before = inflater.copy()
        part = packed[at : at + _SLICE_BYTES]
        try:
            text += inflater.decompress(part, most_bytes - len(text))
        except zlib.error:
            text += _before_error(before, part)
            break
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


def _raw_profile(text: bytes) -> bytes:
    """Returns the bytes of a raw profile. They follow a line with a name and a line with their number.

    A profile that is cut short or damaged gives the bytes before the damage.
    """
    digits = _HEX.match(b"".join(b"".join(text.split(b"\n", 3)[3:]).split()))
    return bytes.fromhex(digits[0].decode("ascii")) if digits else b""
