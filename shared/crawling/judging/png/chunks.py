"""Reads the chunks of a PNG, and checks the critical ones (PNG, third edition, 5 and 11.2).

A file that libpng refuses is refused here, even if Pillow opens it. Users of a dataset may read it with either.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from shared.records.records import Reason, Rejected

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
_DEPTHS = {
    GREY: {1, 2, 4, 8, 16},
    RGB: {8, 16},
    PALETTE: {1, 2, 4, 8},
    GREY_ALPHA: {8, 16},
    RGB_ALPHA: {8, 16},
}
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_TYPE = re.compile(rb"[A-Za-z]{2}[A-Z][A-Za-z]")
_MAX_CHUNKS = 200_000
_MAX_PALETTE = 3 * 256

_TRUNCATED = Rejected(Reason.TRUNCATED)


class Chunk(NamedTuple):
    """The content is `data[start:end]` of the file. `sound` is true if the checksum is right and the type is valid."""

    kind: bytes
    start: int
    end: int
    sound: bool

    @property
    def critical(self) -> bool:
        """Whether readers must understand the chunk. The first letter of its type is then a capital."""
        return not self.kind[0] & 0x20


@dataclass(frozen=True, slots=True)
class Png:
    """A PNG whose critical chunks are sound. Its pixels are not checked."""

    data: bytes
    chunks: tuple[Chunk, ...]
    width: int
    height: int
    depth: int
    color: int
    interlaced: bool

    @property
    def pixel_bits(self) -> int:
        """The number of bits of a pixel."""
        return _CHANNELS[self.color] * self.depth

    @property
    def pixels_at(self) -> int:
        """The position of the first IDAT among the chunks."""
        return next(at for at, chunk in enumerate(self.chunks) if chunk.kind == b"IDAT")

    def content(self, chunk: Chunk) -> bytes:
        """Returns the content of a chunk."""
        return self.data[chunk.start : chunk.end]

    def copy(self, chunks: Iterable[Chunk]) -> bytes:
        """Returns a file with these chunks, and without the bytes after the end of this file's image."""
        view = memoryview(self.data)
        return b"".join((SIGNATURE, *(view[chunk.start - 8 : chunk.end + 4] for chunk in chunks)))


def read_png(data: bytes) -> Png | Rejected:
    """Returns the chunks up to IEND, or a rejection. Takes time linear in the size of the file."""
    chunks: list[Chunk] = []
    for found in _chunks(data):
        if isinstance(found, Rejected):
            return found
        chunks.append(found)
    first = chunks[0]
    head = data[first.start : first.end]
    if first.kind != b"IHDR" or len(head) != 13:
        return _corrupt("it does not begin with its header")
    width, height = int.from_bytes(head[:4]), int.from_bytes(head[4:8])
    depth, color, compression, filtering, interlace = head[8:]
    if not 0 < width < 1 << 31 or not 0 < height < 1 << 31 or depth not in _DEPTHS.get(color, ()):
        return _corrupt("no such header")
    if compression or filtering or interlace > 1:
        return _corrupt("no such header")
    png = Png(data, tuple(chunks), width, height, depth, color, bool(interlace))
    return _check_critical(png) or png


def _chunks(data: bytes) -> Iterator[Chunk | Rejected]:
    """Yields each chunk up to IEND. If a chunk is cut short or invalid, the last item is a rejection."""
    view = memoryview(data)
    at = len(SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(data):
            yield _TRUNCATED
            return
        kind = data[at + 4 : at + 8]
        end = at + 8 + int.from_bytes(view[at : at + 4])
        if end + 4 > len(data):
            yield _TRUNCATED
            return
        named = _TYPE.fullmatch(kind) is not None
        checked = zlib.crc32(view[at + 4 : end]) == int.from_bytes(view[end : end + 4])
        chunk = Chunk(kind, at + 8, end, named and checked)
        if chunk.critical and not chunk.sound:
            yield _corrupt("a checksum is wrong" if named else "no such chunk")
            return
        yield chunk
        if kind == b"IEND":
            return
        at = end + 4
    yield _corrupt("too many chunks")


def _check_critical(png: Png) -> Rejected | None:
    seen: set[bytes] = set()
    for chunk in png.chunks:
        kind = chunk.kind
        if kind == b"IHDR" and kind in seen:
            return _corrupt("it has two headers")
        if kind == b"PLTE" and not _is_palette_right(png, chunk, seen):
            return _corrupt("no such palette")
        if kind == b"IDAT" and png.color == PALETTE and b"PLTE" not in seen:
            return _corrupt("it has no palette")
        if chunk.critical and kind not in _CRITICAL:
            return _corrupt(f"an unknown critical chunk, {kind.decode()}")
        seen.add(kind)
    return None if b"IDAT" in seen else _corrupt("it has no pixels")


def _is_palette_right(png: Png, chunk: Chunk, seen: set[bytes]) -> bool:
    """Returns whether libpng accepts the palette. In RGB pictures it is only a suggestion, but must not be empty."""
    size = chunk.end - chunk.start
    if png.color == PALETTE:
        return not seen & {b"PLTE", b"IDAT"} and 0 < size <= _MAX_PALETTE and size % 3 == 0
    return size > 0 or png.color in {GREY, GREY_ALPHA} or b"IDAT" in seen


def _corrupt(detail: str) -> Rejected:
    return Rejected(Reason.CORRUPT, detail)
