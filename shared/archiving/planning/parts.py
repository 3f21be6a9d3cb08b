"""Cuts a dataset's files into parts. One function instance writes a part at a time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from shared.archiving.layout.contents import Piece
from shared.storage.entities import Entity

MAX_PARTS = 1500
# Azure takes 50,000 blocks in a blob
_MAX_BLOCKS = 49_000


@dataclass(frozen=True, slots=True)
class Slice:
    """The blocks of one file from number `start` up to, but without, `end`. `number` is unique in the dataset."""

    number: int
    file: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """The slices that are written together: one slice of a large file, or some small files as a whole."""

    number: int
    slices: tuple[Slice, ...]


@dataclass(frozen=True, slots=True)
class RunningChecksum:
    """The checksum of the first `size` bytes of an image or text, of which the next bytes are not composed yet."""

    whole: Piece
    size: int
    crc32: int


@dataclass(frozen=True, slots=True)
class BegunSlice:
    """The first blocks of a slice, which this process has staged under numbers from `first_number` on.

    `digest` is the SHA-256 of these blocks so far. `running` is the checksum of the image at their end.
    """

    first_number: int
    blocks: int
    digest: "hashlib._Hash"
    running: RunningChecksum | None


@dataclass(frozen=True, slots=True)
class WrittenSlices:
    """The SHA-256 of each slice in hex, or None for one that is not written, and the ledger's row that says so."""

    digests: Sequence[str | None]
    row: Entity


def block_bytes_of(size: int, block_bytes: int) -> int:
    """The size of a file's blocks: `block_bytes`, or more if the file would have too many blocks."""
    return max(block_bytes, -(-size // _MAX_BLOCKS))


def cut_parts(sizes: Sequence[int], block_bytes: int, part_bytes: int) -> list[Part]:
    """Cuts files of these sizes into parts of about `part_bytes`, or of more if there would be more than 1,500 parts.

    A file that is not larger than a part is never cut, so its writer can compute its checksum. Small files share a
    part with their neighbours.
    """
    wanted = max(part_bytes, -(-sum(sizes) * 2 // MAX_PARTS))
    numbers = count()
    groups: list[list[Slice]] = []
    shared_bytes: int | None = None
    for file, size in enumerate(sizes):
        block = block_bytes_of(size, block_bytes)
        blocks = -(-size // block)
        if size > wanted:
            step = max(1, wanted // block)
            starts = range(0, blocks, step)
            groups += [[Slice(next(numbers), file, at, min(at + step, blocks))] for at in starts]
            shared_bytes = None
            continue
        if shared_bytes is None or shared_bytes + size > wanted:
            groups.append([])
            shared_bytes = 0
        groups[-1].append(Slice(next(numbers), file, 0, blocks))
        shared_bytes += size
    return [Part(number, tuple(slices)) for number, slices in enumerate(groups)]
