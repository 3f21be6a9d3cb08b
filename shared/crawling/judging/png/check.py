"""Checks that a PNG has all its pixels. libpng refuses files that do not, but Pillow does not check it.

The pixels are a zlib stream of rows, and each row begins with the number of its filter (PNG, third edition, 7 to 9).
The stream is inflated in strips, so the check takes little memory.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence

from shared.crawling.judging.png.chunks import Chunk, Png
from shared.records.records import Reason, Rejected

_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The passes of an interlaced picture (8.1): first column, first row, step between columns, step between rows."""

_MAX_FILTER = 4
_PIECE_BYTES = 1 << 16
_STRIP_BYTES = 1 << 20
_MAX_SURPLUS_BYTES = 1 << 20


def check_pixels(png: Png) -> Rejected | None:
    """Returns a rejection if pixels are missing or invalid. Only the still picture of an animation is checked.

    Takes about as long as decoding, so the caller must check the size of the picture first.
    """
    first = png.pixels_at
    behind = next(at for at in range(first, len(png.chunks)) if png.chunks[at].kind != b"IDAT")
    refusal = _check_stream(_pieces(png, png.chunks[first:behind]), _row_sizes(png, png.width, png.height))
    if refusal is not None and any(chunk.kind == b"IDAT" for chunk in png.chunks[behind:]):
        return Rejected(Reason.CORRUPT, "other chunks stand between its pixels")
    return refusal


def are_frames_whole(png: Png, max_pixels: int) -> bool:
    """Returns whether the frames of an animation are complete. Frames beyond the first `max_pixels` are not checked.

    The animation must be sound (`is_animation_sound`).
    """
    frame: list[Chunk] = []
    size = (0, 0)
    spent = 0
    for chunk in png.chunks:
        if chunk.kind == b"fdAT":
            frame.append(Chunk(chunk.kind, chunk.start + 4, chunk.end, chunk.sound))
        elif frame:
            spent += size[0] * size[1]
            if spent > max_pixels:
                return True
            if _check_stream(_pieces(png, frame), _row_sizes(png, *size)) is not None:
                return False
            frame = []
        if chunk.kind == b"fcTL":
            control = png.content(chunk)
            size = int.from_bytes(control[4:8]), int.from_bytes(control[8:12])
    return True


def _pieces(png: Png, chunks: Iterable[Chunk]) -> Iterator[memoryview]:
    """Yields the chunks' contents in small pieces, because the inflater copies the rest of a piece at each step."""
    view = memoryview(png.data)
    for chunk in chunks:
        for at in range(chunk.start, chunk.end, _PIECE_BYTES):
            yield view[at : min(chunk.end, at + _PIECE_BYTES)]


def _row_sizes(png: Png, width: int, height: int) -> list[tuple[int, int]]:
    """Returns for each pass the bytes of a row with its filter, and the number of rows."""
    passes = _PASSES if png.interlaced else ((0, 0, 1, 1),)
    sizes: list[tuple[int, int]] = []
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            sizes.append((1 + -(-columns * png.pixel_bits // 8), rows))
    return sizes


def _check_stream(pieces: Iterable[memoryview], sizes: Sequence[tuple[int, int]]) -> Rejected | None:
    rows = _Rows(sizes)
    inflater = zlib.decompressobj()
    try:
        for piece in pieces:
            rest: memoryview | bytes = piece
            strip = b" "
            while rest or len(strip) == _STRIP_BYTES:
                strip = inflater.decompress(rest, _STRIP_BYTES)
                rest = inflater.unconsumed_tail
                rows.take(strip)
                if rows.refusal:
                    return Rejected(Reason.CORRUPT, rows.refusal)
            if inflater.eof:
                return Rejected(Reason.CORRUPT, "rows are missing") if rows.missing else None
    except zlib.error:
        return Rejected(Reason.CORRUPT, "the pixels cannot be inflated")
    return Rejected(Reason.TRUNCATED)


class _Rows:
    """Counts inflated rows, and checks the filter of each. `refusal` names the first error, or is empty.

    `_left` is the number of bytes to come in the current pass. `_filter_at` is the offset of the next filter.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]]) -> None:
        self._sizes = [(size, size * rows) for size, rows in reversed(sizes)]
        self._size, self._left = self._sizes.pop()
        self._filter_at = 0
        self._surplus = 0
        self.refusal = ""

    @property
    def missing(self) -> bool:
        """Whether fewer rows came than the picture has."""
        return self._left > 0 or bool(self._sizes)

    def take(self, strip: bytes) -> None:
        """Checks the next bytes. Readers ignore bytes after the last row, so up to 1 MiB of them are accepted."""
        at = 0
        while at < len(strip):
            if not self._left and self._sizes:
                self._size, self._left = self._sizes.pop()
                self._filter_at = 0
            if not self._left:
                self._surplus += len(strip) - at
                if self._surplus > _MAX_SURPLUS_BYTES:
                    self.refusal = "far more rows than the picture has"
                return
            end = min(len(strip), at + self._left)
            if max(strip[at + self._filter_at : end : self._size], default=0) > _MAX_FILTER:
                self.refusal = "no such filter"
                return
            taken = end - at
            self._filter_at = (self._filter_at - taken) % self._size
            self._left -= taken
            at = end
