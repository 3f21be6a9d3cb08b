"""Groups the images of a dataset into blocks, each of which is read with one request, and orders them."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pixcrawler.streaming.records import KeptImage

BLOCK_BYTES: Final = 4 * 1024 * 1024
BUFFER_BLOCKS: Final = 8
MAX_BUFFER_BLOCKS: Final = 256
_GAP_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class Block:
    """Neighbouring images of one file. They lie within the bytes from `start` to `end`."""

    blob: str
    start: int
    end: int
    images: tuple[KeptImage, ...]


Window = Sequence[tuple[Block, KeptImage]]
"""Images that are in memory at the same time, in the order in which they are yielded, each with its block."""


def blocks_of(images: Iterable[KeptImage]) -> list[Block]:
    """Returns the blocks, in the order of the files. A block has at most `BLOCK_BYTES`, or one larger image."""
    blocks: list[Block] = []
    waiting: list[KeptImage] = []
    start = end = 0
    for image in sorted(images, key=lambda each: (each.blob, each.offset)):
        after = image.offset + image.size_bytes
        joins = (
            waiting
            and image.blob == waiting[0].blob
            and image.offset - end <= _GAP_BYTES
            and max(end, after) - start <= BLOCK_BYTES
        )
        if waiting and not joins:
            blocks.append(Block(waiting[0].blob, start, end, tuple(waiting)))
            waiting = []
        if not waiting:
            start = end = image.offset
        waiting.append(image)
        end = max(end, after)
    if waiting:
        blocks.append(Block(waiting[0].blob, start, end, tuple(waiting)))
    return blocks


def windows_of(
    blocks: Sequence[Block], seed: str | None, size: int = BUFFER_BLOCKS, *, skip: int = 0
) -> Iterator[Window]:
    """Yields the images in windows of this many blocks, without the first `skip` images.

    With a seed, the blocks are shuffled, and then the images within each window. A window of larger blocks, which have
    one image each, has fewer of them: it has at most `size` times `BLOCK_BYTES`, or one image.
    """
    order = list(blocks)
    generator = random.Random(seed)  # noqa: S311 - an order, no secret
    if seed is not None:
        generator.shuffle(order)
    for chosen in _filled(order, size):
        pairs = [(block, image) for block in chosen for image in block.images]
        if seed is not None:
            generator.shuffle(pairs)
        if skip < len(pairs):
            yield pairs[skip:]
        skip = max(0, skip - len(pairs))


def _filled(blocks: Iterable[Block], size: int) -> Iterator[list[Block]]:
    waiting: list[Block] = []
    held = 0
    for block in blocks:
        length = block.end - block.start
        if waiting and (len(waiting) == size or held + length > size * BLOCK_BYTES):
            yield waiting
            waiting, held = [], 0
        waiting.append(block)
        held += length
    if waiting:
        yield waiting
