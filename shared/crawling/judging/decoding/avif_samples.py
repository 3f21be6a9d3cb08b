"""Finds the samples of the sequences in an AVIF (ISO/IEC 14496-12, 8.7). A sample holds the data of one shown frame."""

from bisect import bisect_right
from collections.abc import Iterator

from shared.crawling.judging.decoding.avif_items import children, column, entries_of


def samples(data: bytes, start: int, end: int) -> Iterator[memoryview]:
    """Yields the samples of one sequence. Its tables are in a `stbl` box, whose content is from `start` to `end`.

    Tables of the same type are joined. `reject_items` must have checked how many entries they have.
    """
    offsets: list[int] = []
    sizes: list[int] = []
    groups: list[tuple[int, int]] = []
    same_size = 0
    for kind, at, stop in children(data, start, end):
        entries = entries_of(kind, data, at, stop)
        match kind:
            case b"stco":
                offsets += column("I", entries, data, at, stop)
            case b"co64":
                offsets += column("Q", entries, data, at, stop)
            case b"stsc":
                firsts = column("I8x", entries, data, at, stop)
                groups += zip(firsts, column("4xI4x", entries, data, at, stop), strict=True)
            case b"stsz":
                same_size = int.from_bytes(data[at + 4 : at + 8])
                sizes += [same_size] * entries if same_size else column("I", entries, data, at + 4, stop)
    view, left = memoryview(data), iter(sizes)
    for number, offset in enumerate(offsets, 1):
        group = bisect_right(groups, number, key=lambda each: each[0])
        for _ in range(groups[group - 1][1] if group else 0):
            size = next(left, 0)
            yield view[offset : offset + size]
            offset += size  # noqa: PLW2901 - the next sample of the chunk
