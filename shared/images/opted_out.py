"""Finds the datasets that have images which are opted out, by reading the records of all datasets."""

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from pydantic import TypeAdapter

from shared.clock import Deadline
from shared.damage import reading
from shared.datasets.all_datasets import AllDatasets, Place
from shared.datasets.dataset import Dataset
from shared.errors import Conflict, Damaged, NotFound
from shared.optouts.matcher import OptOutMatcher
from shared.optouts.optout import OptOut, OptOutKind
from shared.records.delivered import read_lines
from shared.records.records import KEPT
from shared.storage.blobs import BlobStore

_MOST_INDICES = 100
_MOST_HOLDINGS = 100
_HASH = re.compile(rb'"perceptual_hash":"([0-9a-f]{16})"')
_START = Place()


@dataclass(frozen=True, slots=True)
class _Row:
    """The fields of a line of the records by which an image is opted out."""

    index: int
    url: str
    outcome: str
    sha256: str = ""
    perceptual_hash: str = ""
    final_url: str | None = None
    page_url: str | None = None

    def is_opted_out(self, matcher: OptOutMatcher) -> bool:
        return matcher.refuses((self.url, self.final_url, self.page_url), self.sha256, self.perceptual_hash)


_rows = TypeAdapter(_Row)


@dataclass(frozen=True, slots=True)
class Holding:
    """A dataset, the number of its `images` that are opted out, and the indices of the first hundred of them.

    `complete` is false if its records could not be read to the end.
    """

    dataset: Dataset
    images: int
    indices: tuple[int, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Holdings:
    """The datasets that were found among those that were `searched`. More follow after a place, if it is not None."""

    holdings: Sequence[Holding]
    searched: int
    more_after: Place | None


@dataclass(frozen=True, slots=True)
class OptedOutImages:
    """Finds images that are opted out in the datasets of all users."""

    datasets: AllDatasets
    blobs: BlobStore

    async def find(self, optout: OptOut, deadline: Deadline, after: Place | None = None) -> Holdings:
        """Searches the datasets behind a place until the deadline passes, or a hundred are found.

        At least one dataset is searched, as far as there is time for it.

        Raises:
            Unavailable: storage did not answer.
        """
        found: list[Holding] = []
        searched, last = 0, after or _START
        async with aclosing(self.datasets.rows(last)) as rows:
            async for row in rows:
                if searched and (deadline.passed or len(found) >= _MOST_HOLDINGS):
                    return Holdings(found, searched, last)
                searched, last = searched + 1, row.place
                try:
                    dataset = row.read()
                except Damaged:
                    continue
                if dataset is None or dataset.keeping.deleting_since is not None:
                    continue
                holding = await self._search(dataset, optout, deadline)
                if holding.images or not holding.complete:
                    found.append(holding)
        return Holdings(found, searched, None)

    async def _search(self, dataset: Dataset, optout: OptOut, deadline: Deadline) -> Holding:
        matcher, may_match = OptOutMatcher.of([optout]), _filter_of(optout)
        images = 0
        indices: list[int] = []
        try:
            async for lines in read_lines(self.blobs.stream(dataset.records_blob), dataset.id):
                with reading(f"the records of dataset {dataset.id}"):
                    found = await asyncio.to_thread(_matches, lines, matcher, may_match)
                images += len(found)
                indices += found[: _MOST_INDICES - len(indices)]
                if deadline.passed:
                    return Holding(dataset, images, tuple(indices), complete=False)
        except (NotFound, Conflict, Damaged):
            return Holding(dataset, images, tuple(indices), complete=False)
        return Holding(dataset, images, tuple(indices), complete=True)


def _matches(lines: Sequence[bytes], matcher: OptOutMatcher, may_match: Callable[[bytes], bool]) -> list[int]:
    """Returns the indices of the kept images among these lines that are opted out."""
    rows = [_rows.validate_json(line) for line in lines if may_match(line)]
    return [row.index for row in rows if row.outcome == KEPT and row.is_opted_out(matcher)]


def _filter_of(optout: OptOut) -> Callable[[bytes], bool]:
    """Returns a fast check that is true for all lines that match. Few others pass it, so few lines are decoded."""
    if optout.kind is OptOutKind.SHA256:
        value = optout.value.encode()
        return lambda line: value in line
    if optout.kind is OptOutKind.PERCEPTUAL_HASH:
        wanted, distance = int(optout.value, 16), optout.distance

        def is_near(line: bytes) -> bool:
            found = _HASH.search(line)
            return found is not None and (int(found[1], 16) ^ wanted).bit_count() <= distance

        return is_near
    # an address may be spelled in other ways, but for its host, if that is not in IDNA form
    host = (optout.value if optout.kind is OptOutKind.HOST else optout.value.split("/")[2]).encode()
    return (lambda _: True) if b"xn--" in host or b"[" in host else lambda line: host in line.lower()
