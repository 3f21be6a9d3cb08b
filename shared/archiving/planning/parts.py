"""Cuts a dataset's files into parts, each written by one function instance at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_PARTS = 1500
_MAX_BLOCKS = 49_000  # the service takes 50,000 a blob


@dataclass(frozen=True, slots=True)
class Slice:
    """Blocks of one file, from number `start` to `end`; `number` counts all slices of the dataset."""

    number: int
    file: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """What is written together: a slice of a large file, or some small files."""

    number: int
    slices: tuple[Slice, ...]


def block_bytes_of(size: int, block_bytes: int) -> int:
    """The size of a file's blocks: `block_bytes`, or more where the file would have too many blocks."""
    return max(block_bytes, -(-size // _MAX_BLOCKS))


def cut_parts(sizes: Sequence[int], block_bytes: int, part_bytes: int) -> list[Part]:
    """Parts of about `part_bytes` over files of these sizes; 1,500 at most, and then larger ones.

    A file that is no larger than a part is never cut, so that its checksum is known to whoever wrote it.
    """
    wanted = max(part_bytes, -(-sum(sizes) * 2 // MAX_PARTS))
    parts: list[Part] = []
    waiting: list[Slice] = []
    filled = number = 0
    for file, size in enumerate(sizes):
        if waiting and filled + size > wanted:
            parts.append(Part(len(parts), tuple(waiting)))
            waiting, filled = [], 0
        block = block_bytes_of(size, block_bytes)
        blocks = -(-size // block)
        step = max(1, wanted // block) if size > wanted else max(1, blocks)
        for start in range(0, max(1, blocks), step):
            waiting.append(Slice(number, file, start, min(start + step, blocks)))
            number += 1
            if size > wanted:
                parts.append(Part(len(parts), tuple(waiting)))
                waiting = []
        filled = filled + size if size <= wanted else 0
    return [*parts, Part(len(parts), tuple(waiting))] if waiting else parts
