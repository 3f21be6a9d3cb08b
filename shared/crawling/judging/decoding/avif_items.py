"""Limits the items and the frames that an AVIF declares (ISO/IEC 14496-12, 8.6, 8.7 and 8.11).

For each entry, libavif searches all items, so its time grows with the square of their number. A file of 400 KB
with 40,000 items took four seconds. For each chunk and each frame of a sequence, it searches tables, too.
"""

import struct
from collections.abc import Iterator, Mapping

from shared.records.records import Reason, Rejected

# Each item has an entry in three boxes, so a file may have about 4,000 items. Each tile of a grid is an item.
_MAX_ENTRIES = 12_000
_MAX_BOXES = 100_000
_CHILDREN_AT: Mapping[bytes, int] = {
    b"meta": 4,
    **dict.fromkeys((b"iprp", b"moov", b"trak", b"mdia", b"minf", b"stbl"), 0),
}
"""Where the boxes in a box begin."""


_TABLES = frozenset({b"stts", b"ctts", b"stsc", b"stco", b"co64", b"stss", b"stsz"})
"""The tables of a sequence's frames: their times, chunks, places, key frames and sizes."""

_CORRUPT_TIMES = Rejected(Reason.CORRUPT, "times of no frames")


def reject_items(data: bytes) -> Rejected | None:
    """Returns a rejection if a file of boxes declares too many items, frames or boxes. Other files have none."""
    if data[4:8] != b"ftyp":
        return None
    entries = chunks = frames_a_chunk = 0
    for number, (kind, start, end) in enumerate(boxes(data)):
        if number == _MAX_BOXES:
            return Rejected(Reason.CORRUPT, "too many boxes")
        here = entries_of(kind, data, start, end)
        entries += here
        if entries > _MAX_ENTRIES:
            return _too_many(kind)
        if kind in {b"stco", b"co64"}:
            chunks = max(chunks, here)
        elif kind == b"stsc":
            frames_a_chunk = max(column("4xI4x", here, data, start, end), default=0)
        elif kind == b"stts" and 0 in column("I4x", here, data, start, end):
            # such times would be searched for each frame
            return _CORRUPT_TIMES
        if chunks * frames_a_chunk > _MAX_ENTRIES:
            return _too_many(kind)
    return None


def _too_many(kind: bytes) -> Rejected:
    if kind in _TABLES:
        return Rejected(Reason.TOO_MANY_PIXELS, "too many frames")
    return Rejected(Reason.CORRUPT, "too many items")


def column(form: str, entries: int, data: bytes, start: int, end: int) -> list[int]:
    """Returns the number that `form` takes from each entry of a table. Its entries begin 8 bytes after `start`."""
    first, size = start + 8, struct.calcsize(f">{form}")
    most = min(entries, max(0, end - first) // size)
    return [number for (number,) in struct.iter_unpack(f">{form}", data[first : first + most * size])]


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yields the type, the start and the end of the content of each box in which items may be declared."""
    spans = [(0, len(data))]
    while spans:
        for kind, start, end in children(data, *spans.pop()):
            yield kind, start, end
            if kind in _CHILDREN_AT:
                spans.append((start + _CHILDREN_AT[kind], end))


def children(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yields the type, the start and the end of the content of each box between two places, without the boxes in it."""
    while at + 8 <= end:
        size, start = int.from_bytes(data[at : at + 4]), at + 8
        if size == 1:
            size, start = int.from_bytes(data[start : start + 8]), start + 8
        # the last box may declare no size
        stop = min(at + size, end) if size else end
        if stop < start:
            break
        yield data[at + 4 : at + 8], start, stop
        at = stop


def entries_of(kind: bytes, data: bytes, start: int, end: int) -> int:
    """Returns how many entries a box declares: items, their places, properties or references, or frames."""
    version = data[start] if start < len(data) else 0
    match kind:
        case b"iinf":
            return int.from_bytes(data[start + 4 : start + (8 if version else 6)])
        case b"iloc":
            return int.from_bytes(data[start + 6 : start + (10 if version > 1 else 8)])
        case b"ipma":
            return int.from_bytes(data[start + 4 : start + 8])
        case b"iref":
            # the box does not say how many references it has: one for each four bytes is assumed
            return (end - start) // 4
        case b"stsz":
            return int.from_bytes(data[start + 8 : start + 12])
        case _ if kind in _TABLES:
            return int.from_bytes(data[start + 4 : start + 8])
        case _:
            return 0
