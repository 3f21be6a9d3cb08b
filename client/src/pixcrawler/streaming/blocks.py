"""Groups the images of a dataset into blocks, each of which is read with one request, and orders them."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from pixcrawler.streaming.records import KeptImage

BLOCK_BYTES: Final = 4 * 1024 * 1024
BLOCKS_AT_ONCE: Final = 8
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


def windows_of(blocks: Sequence[Block], seed: str | None) -> Iterator[Window]:
    """Yields the windows. With a seed, blocks are shuffled, and then the images within each window."""
    order = list(blocks)
    generator = random.Random(seed)  # noqa: S311 - an order, no secret
    if seed is not None:
        generator.shuffle(order)
    remaining = iter(order)
    while chosen := list(islice(remaining, BLOCKS_AT_ONCE)):
        pairs = [(block, image) for block in chosen for image in block.images]
        if seed is not None:
            generator.shuffle(pairs)
        yield pairs
