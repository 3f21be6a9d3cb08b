"""What hand-made PNGs are put together from, with right checksums whatever is wrong with them.

Nothing is compressed by a library, whose bytes would differ between versions: deflate has blocks that are stored.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence

SIDE = 32
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))

type Chunk = tuple[bytes, bytes]


def png(chunks: Iterable[Chunk]) -> bytes:
    """A file of these chunks, with right checksums."""
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in chunks)


def chunk(kind: bytes, body: bytes, *, bad: bool = False) -> bytes:
    """A chunk; with a wrong checksum where it is to be `bad`."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body) ^ bad)


def header(color: int = 2, depth: int = 8, *, interlaced: bool = False, side: int = SIDE) -> Chunk:
    """The IHDR of a square picture."""
    return b"IHDR", struct.pack(">IIBBBBB", side, side, depth, color, 0, 0, interlaced)


def rows(color: int = 2, depth: int = 8, filters: Sequence[int] = (0,), side: int = SIDE) -> bytes:
    """Returns the filtered rows of a picture without repetition. Each row has the next of the filters."""
    return b"".join(bytes([filters[y % len(filters)]]) + _row(side, y, color, depth) for y in range(side))


def passes(color: int = 2, depth: int = 8, side: int = SIDE) -> bytes:
    """The rows of an interlaced picture."""
    lines: list[bytes] = []
    for left, top, across, down in _PASSES:
        width = -(-(side - left) // across)
        lines += [b"\0" + _row(width, y, color, depth) for y in range(top, side, down) if width > 0]
    return b"".join(lines)


def _row(width: int, y: int, color: int, depth: int) -> bytes:
    size = -(-width * _CHANNELS[color] * depth // 8)
    return bytes((7 * x + 5 * y + x * y // 3) % 256 for x in range(size))


def stored(data: bytes, *, adler: int | None = None) -> bytes:
    """A zlib stream of stored blocks (RFC 1950, RFC 1951 3.2.4)."""
    return b"\x78\x01" + deflated(data) + struct.pack(">I", zlib.adler32(data) if adler is None else adler)


def deflated(data: bytes) -> bytes:
    """Stored blocks alone."""
    blocks = [data[at : at + 65_535] for at in range(0, len(data), 65_535)] or [b""]
    return b"".join(
        struct.pack("<BHH", number == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for number, block in enumerate(blocks)
    )


END: Chunk = b"IEND", b""
PALETTE: Chunk = b"PLTE", bytes(range(256)) * 3


def simple(
    *,
    before: Sequence[Chunk] = (),
    pixels: Sequence[bytes] | None = None,
    after: Sequence[Chunk] = (),
    color: int = 2,
    depth: int = 8,
) -> bytes:
    """A file of these pixels, in as many IDATs, and of other chunks before and after."""
    idats = [stored(rows(color, depth))] if pixels is None else pixels
    return png([header(color, depth), *before, *((b"IDAT", idat) for idat in idats), *after, END])
