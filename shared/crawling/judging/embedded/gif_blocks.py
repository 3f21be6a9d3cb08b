"""Finds the metadata of a GIF, in application extensions (GIF89a, 26; XMP part 3, 1.1.2; C2PA 2.2, A.3.7)."""

from shared.crawling.judging.embedded.blocks import MAX_XMP_BYTES, Blocks

_XMP = b"\x21\xff\x0bXMP DataXMP"
_C2PA = b"\x21\xff\x0bC2PA_GIF"
_TRAILER_START = b"\1\xff\xfe\xfd"
"""XMP is not stored in sub-blocks. So 258 bytes follow it, which lead any reader of sub-blocks to the end."""


def gif_blocks(data: bytes) -> Blocks:
    """Returns the blocks of a GIF. They are found by their first bytes, wherever they stand."""
    found = Blocks()
    at = data.find(_XMP)
    while at >= 0 and not found.cut:
        start = at + len(_XMP)
        end = data.find(_TRAILER_START, start, start + MAX_XMP_BYTES)
        if end < 0:
            found.cut = True
        else:
            found.add_xmp(data[start:end])
        at = data.find(_XMP, start)
    at = data.find(_C2PA)
    if at >= 0:
        found.add_jumbf(data, at + len(_C2PA))
    return found
