"""Takes a page of images from the records, which are read in batches, in bounded time and memory."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.clock import Deadline
from shared.images.image import ImageFilter, KeptImage
from shared.jobs.ledger.record_pieces import Line, Place

MOST_BATCHES: Final = 20
"""How many batches of records a call reads at most. A batch has the records of one chunk."""

READ_SECONDS: Final = 3.0
"""For how long a call reads records."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `at` is the place of its line, and `after` is where the page after it begins."""

    at: Place
    after: Place
    line: Line


@dataclass(frozen=True, slots=True)
class Batch:
    """The records of one chunk, in the order of the pages. `end` is where the page after them begins."""

    entries: Iterable[Entry]
    end: Place


@dataclass(frozen=True, slots=True)
class Taken:
    """The records of a page. `following` is where the next page begins, or None if there is none."""

    entries: Sequence[Entry]
    following: Place | None


@dataclass(frozen=True, slots=True)
class ImagePage:
    """Some images, in order. `following` is where the next page begins, or None if there is none.

    It `waits` if the index that it needs is not complete yet: the same call returns the page later.
    """

    images: Sequence[KeptImage]
    following: Place | None
    waits: bool = False


async def take(batches: AsyncIterator[Batch], wanted: ImageFilter, size: int, deadline: Deadline) -> Taken:
    """Takes up to `size` records that match. There may be fewer, or none, though more follow."""
    found: list[Entry] = []
    number = 0
    async for batch in batches:
        for entry in batch.entries:
            if not wanted.matches(entry.line):
                continue
            found.append(entry)
            if len(found) == size:
                return Taken(found, entry.after)
        number += 1
        if number == MOST_BATCHES or deadline.passed:
            return Taken(found, batch.end)
    return Taken(found, None)
