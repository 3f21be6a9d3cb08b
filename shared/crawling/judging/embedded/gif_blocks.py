"""Finds the metadata of a GIF, in application extensions (GIF89a, 26; XMP part 3; C2PA 2.2, appendix A)."""

from shared.crawling.judging.embedded.blocks import Blocks
from shared.crawling.judging.gif_blocks import blocks
from shared.records.records import Rejected

_EXTENSION_START = b"\x21\xff\x0b"
_XMP = b"XMP DataXMP"
_C2PA = b"C2PA_GIF"
_NAME_BYTES = 11
_TRAILER_START = b"\1\xff\xfe\xfd"
"""XMP is not stored in sub-blocks. So 258 bytes follow it, which lead any reader of sub-blocks to the end."""


def gif_blocks(data: bytes) -> Blocks:
    """Returns the blocks of a GIF."""
    found = Blocks()
    for block in blocks(data):
        if isinstance(block, Rejected):
            break
        if block.kind != "note" or not data.startswith(_EXTENSION_START, block.start):
            continue
        name_at = block.start + len(_EXTENSION_START)
        content_at = name_at + _NAME_BYTES
        if data.startswith(_XMP, name_at):
            end = data.rfind(_TRAILER_START, content_at, block.end)
            found.add_xmp(data[content_at : block.end if end < 0 else end])
        elif data.startswith(_C2PA, name_at):
            found.add_jumbf(data, content_at)
    return found
