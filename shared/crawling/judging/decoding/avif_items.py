"""Limits the items that an AVIF declares (ISO/IEC 14496-12, 8.11).

For each entry, libavif searches all items, so its time grows with the square of their number. A file of 400 KB
with 40,000 items took four seconds.
"""

from collections.abc import Iterator, Mapping

from shared.records.records import Reason, Rejected

# Each item has an entry in three boxes, so a file may have about 4,000 items. Each tile of a grid is an item.
_MAX_ENTRIES = 12_000
_MAX_BOXES = 100_000
_CHILDREN_AT: Mapping[bytes, int] = {b"meta": 4, b"iprp": 0, b"moov": 0, b"trak": 0}
"""Where the boxes in a box begin."""


def reject_items(data: bytes) -> Rejected | None:
    """Returns a rejection if a file of boxes declares too many items or boxes. Other files have none."""
    if data[4:8] != b"ftyp":
        return None
    entries = 0
    for number, (kind, start, end) in enumerate(_boxes(data)):
        if number == _MAX_BOXES:
            return Rejected(Reason.CORRUPT, "too many boxes")
        entries += _entries(kind, data, start, end)
        if entries > _MAX_ENTRIES:
            return Rejected(Reason.CORRUPT, "too many items")
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yields the type, the start and the end of the content of each box in which items may be declared."""
    spans = [(0, len(data))]
    while spans:
        at, end = spans.pop()
        while at + 8 <= end:
            size, start = int.from_bytes(data[at : at + 4]), at + 8
            if size == 1:
                size, start = int.from_bytes(data[start : start + 8]), start + 8
            # the last box may declare no size
            stop = min(at + size, end) if size else end
            if stop < start:
                break
            kind = data[at + 4 : at + 8]
            yield kind, start, stop
            if kind in _CHILDREN_AT:
                spans.append((start + _CHILDREN_AT[kind], stop))
            at = stop


def _entries(kind: bytes, data: bytes, start: int, end: int) -> int:
    """Returns how many entries a box declares: items, their places, their properties or their references."""
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
        case _:
            return 0
