"""The pages with code blocks, and the blocks of each kind."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from tests.documents.reading.blocks import Block, WrongBlock, blocks_in
from tests.documents.reading.kinds import Kind, kind_of
from tests.unit.documents.markdown import documents, text_of


@cache
def blocks_of(page: str) -> tuple[Block, ...]:
    """Returns the blocks of a page."""
    return tuple(blocks_in(page, text_of(page)))


def pages() -> list[str]:
    """Returns all pages."""
    return documents()


def blocks_of_kinds(*kinds: Kind) -> list[Block]:
    """Returns the blocks of some kinds, of all pages. Wrong pages and blocks fail a test of their own."""
    return [block for page in pages() for block in _sound(page) if kind_of(block) in kinds]


def _sound(page: str) -> Iterator[Block]:
    with suppress(WrongBlock):
        for block in blocks_of(page):
            with suppress(WrongBlock):
                kind_of(block)
                yield block
