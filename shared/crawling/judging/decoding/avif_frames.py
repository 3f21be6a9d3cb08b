"""Limits the AV1 frames in a picture of an AVIF (ISO/IEC 14496-12, 8.7 and 8.11.3; AV1 bitstream, 5.3 to 5.5).

A still picture has one frame, or one for each of its four layers. A sequence also has frames that are shown later,
about one for each picture. Decoders decode all frames but show one. A file of 160 KB with 200 frames of 36 million
pixels took 80 seconds.
"""

from collections.abc import Iterator

from shared.crawling.judging.decoding.avif_items import boxes
from shared.crawling.judging.decoding.avif_samples import samples
from shared.records.records import Reason, Rejected

_MAX_FRAMES = 8
_MAX_FRAMES_OF_A_SAMPLE = 2
_MAX_UNITS = 100_000
_MAX_EXTENTS = 50_000
_SEQUENCE, _DELIMITER, _FRAME_HEADER, _FRAME = 1, 2, 3, 6
_TOO_MANY = Rejected(Reason.CORRUPT, "too many frames in a picture")


class _TooMuch(Exception):
    """The items have too many frames, or more parts and octets than the file can have."""


def reject_frames(data: bytes) -> Rejected | None:
    """Returns a rejection if a picture has too many frames. The number of items must have been checked."""
    if data[4:8] != b"ftyp":
        return None
    found = [box for box in boxes(data) if box[0] in {b"iloc", b"idat", b"stbl"}]
    inner = next((start for kind, start, _ in found if kind == b"idat"), 0)
    units = 0
    try:
        for kind, start, end in found:
            if kind == b"iloc":
                for item in _items(data, start, inner):
                    units = _check_item(item, units)
            elif kind == b"stbl":
                units = _check_sequence(data, start, end, units)
    except _TooMuch:
        return _TOO_MANY
    return None


def _check_sequence(data: bytes, start: int, end: int, units: int) -> int:
    """Checks the sequence whose tables are between two places. Returns `units` plus the number of its units.

    Raises:
        _TooMuch: it has too many frames, or there are too many units.
    """
    most, frames = _MAX_FRAMES, 0
    for sample in samples(data, start, end):
        most += _MAX_FRAMES_OF_A_SAMPLE
        # an empty sample takes time, too
        units += 1
        for kind in _units(sample):
            units += 1
            frames += kind in {_FRAME_HEADER, _FRAME}
            if units > _MAX_UNITS:
                raise _TooMuch
    if frames > most:
        raise _TooMuch
    return units


def _check_item(item: memoryview, units: int) -> int:
    """Checks an item. Returns `units` plus the number of its units, which is 0 if it is no AV1 data.

    Raises:
        _TooMuch: it has too many frames, or all items together have too many units.
    """
    if not item or _kind(item[0]) not in {_SEQUENCE, _DELIMITER}:
        return units
    frames = 0
    for kind in _units(item):
        units += 1
        frames += kind in {_FRAME_HEADER, _FRAME}
        if frames > _MAX_FRAMES or units > _MAX_UNITS:
            raise _TooMuch
    return units


def _items(data: bytes, start: int, inner: int) -> Iterator[memoryview]:
    """Yields the content of each item that the iloc box at `start` places. `inner` is where the idat box begins.

    Raises:
        _TooMuch: the items have too many parts, or the parts of different items overlap.
    """
    view, left, extents = memoryview(data), len(data), _MAX_EXTENTS
    version = data[start] if start < len(data) else 0
    at, wide = start + 6, 4 if version > 1 else 2

    def number(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at])

    sizes = int.from_bytes(data[start + 4 : start + 6])
    offset_bytes, length_bytes, base_bytes, index_bytes = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(number(wide)):
        number(wide)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(base_bytes) + (inner if method == 1 else 0)
        parts: list[memoryview] = []
        for _ in range(number(2)):
            if at > len(data):
                return
            extents -= 1
            if not extents:
                raise _TooMuch
            number(index_bytes if version else 0)
            first = base + number(offset_bytes)
            length = number(length_bytes)
            parts.append(view[first : first + length if length else None])
        if len(parts) > 1:
            # parts of several items may overlap
            left -= sum(map(len, parts))
            if left < 0:
                raise _TooMuch
        yield parts[0] if len(parts) == 1 else memoryview(b"".join(parts))


def _units(item: memoryview) -> Iterator[int]:
    """Yields the type of each unit (OBU) of an item or a sample."""
    at = 0
    while at < len(item):
        extended, sized = item[at] >> 2 & 1, item[at] >> 1 & 1
        yield _kind(item[at])
        at += 1 + extended
        size = shift = 0
        more = sized
        while more and at < len(item) and shift < 56:
            size |= (item[at] & 127) << shift
            more = item[at] >> 7
            shift, at = shift + 7, at + 1
        at = at + size if sized else len(item)


def _kind(header: int) -> int:
    """Returns the type of a unit whose first octet this is."""
    return header >> 3 & 15
