"""Joins ranges of blobs into larger ones: a call of storage costs as much as some hundred KB of a longer read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class BlobRange(Protocol):
    """Some bytes of a blob."""

    @property
    def blob(self) -> str:
        """Returns the name of the blob."""
        ...

    @property
    def offset(self) -> int:
        """Returns where the bytes begin."""
        ...

    @property
    def size(self) -> int:
        """Returns the number of bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Gaps:
    """Which ranges are joined: the joined range has at most `most_bytes`, unless one range alone has more.

    At most half of it and `waste_bytes` are gaps between the ranges.
    """

    most_bytes: int
    waste_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True)
class JoinedRead[Wanted]:
    """One range of a blob, and what is wanted of it."""

    blob: str
    offset: int
    size: int
    wanted: Sequence[Wanted]

    def cut(self, data: bytes, wanted: BlobRange) -> bytes:
        """Returns the bytes of a range out of those that were read. They are fewer if the blob is shorter."""
        start = wanted.offset - self.offset
        return data[start : start + wanted.size]


def join_reads[Wanted](
    wanted: Iterable[Wanted], range_of: Callable[[Wanted], BlobRange], gaps: Gaps
) -> list[JoinedRead[Wanted]]:
    """Joins the ranges of what is wanted, by blob and offset. The same ranges give the same reads."""

    def key(one: Wanted) -> tuple[str, int]:
        found = range_of(one)
        return found.blob, found.offset

    reads: list[JoinedRead[Wanted]] = []
    group: list[Wanted] = []
    blob, start, end, used = "", 0, 0, 0
    for one in sorted(wanted, key=key):
        found = range_of(one)
        reach = max(end, found.offset + found.size) - start
        most = min(gaps.most_bytes, 2 * (used + found.size) + gaps.waste_bytes)
        if group and (found.blob != blob or reach > most):
            reads.append(JoinedRead(blob, start, end - start, tuple(group)))
            group = []
        if not group:
            blob, start, end, used = found.blob, found.offset, found.offset, 0
        group.append(one)
        used += max(0, found.offset + found.size - max(end, found.offset))
        end = max(end, found.offset + found.size)
    return [*reads, JoinedRead(blob, start, end - start, tuple(group))] if group else reads
