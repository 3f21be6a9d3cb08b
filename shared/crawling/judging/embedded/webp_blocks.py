"""Finds the metadata of a WebP (RFC 9649, 2.7; C2PA 2.2, appendix A)."""

from shared.crawling.judging.embedded.blocks import Blocks

_FIRST = 12
_MAX_CHUNKS = 100_000


def webp_blocks(data: bytes) -> Blocks:
    """Returns the blocks of a WebP. XMP needs the extended format, but C2PA stands in simple files, too."""
    found = Blocks()
    at = _FIRST
    for _ in range(_MAX_CHUNKS):
        kind = data[at : at + 4]
        if len(kind) < 4:
            break
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if kind == b"XMP ":
            found.add_xmp(data[at + 8 : at + 8 + size])
        elif kind == b"C2PA":
            found.add_jumbf(data, at + 8)
        at += 8 + size + size % 2
    return found
