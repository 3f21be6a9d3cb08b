"""Makes and stores the index of a dataset, by which its images are sorted, counted and compared with their copies.

The calls that need the index make it together, a part in each call, and store the parts: that of a million images takes
some calls of three seconds.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

from shared.clock import Clock, Deadline
from shared.concurrency import FairPlaces
from shared.damage import reading
from shared.datasets.dataset import Dataset
from shared.errors import AlreadyExists, Conflict, NotFound
from shared.images.dataset_images import DatasetImages
from shared.images.index.rows import COPY_REASONS, Index
from shared.images.pages import READ_SECONDS
from shared.jobs.ledger.record_pieces import Place, final_pieces
from shared.storage.blobs import BlobStore

MOST_IMAGES: Final = 1_000_000
"""How many images an indexed dataset has at most, and how many copies of them."""

_WAIT_SECONDS = 3.0
# the progress of an index whose parts are all made, but not joined yet
_ALMOST = 0.99
_PART = re.compile(r"([0-9]{15})-([0-9]{15})")


@dataclass(frozen=True, slots=True)
class Indexed:
    """The index, or None if a part of it is still missing. `progress` is the share of the records that was read."""

    index: Index | None
    progress: float = 1.0


class Indexes:
    """Reads and makes indexes, one at a time in an instance. The index that was used last stays in memory.

    Users who wait are served in rotation, so that nobody waits for all indexes of another user.
    """

    def __init__(self, images: DatasetImages, blobs: BlobStore, clock: Clock) -> None:
        self.images = images
        self.blobs = blobs
        self._clock = clock
        self._making = FairPlaces(1)
        self._computing = FairPlaces(1)
        self._last: tuple[tuple[str, int], Index] | None = None

    async def dataset(self, user_id: str, dataset_id: str, place: Place | None = None) -> Dataset:
        """Returns a dataset that can be indexed. A place says where a page of it begins.

        Raises:
            NotFound: this user has no such dataset.
            Conflict: it has too many images, or the page is one of an earlier revision.
        """
        dataset = await self.images.catalog.require(user_id, dataset_id)
        if place is not None and place.revision != dataset.revision:
            raise Conflict(f"The dataset {dataset_id} has a new revision. List its images again.")
        copies = sum(counts.get(reason, 0) for counts in dataset.counts.values() for reason in COPY_REASONS)
        if max(dataset.image_count, copies) > MOST_IMAGES:
            raise Conflict(
                f"Only datasets of up to {MOST_IMAGES:,} images, and as many copies, can be sorted and counted."
            )
        return dataset

    async def get(self, dataset: Dataset) -> Indexed:
        """Returns the index, or how much of it is made. Makes as much as time allows, if no other call makes an index.

        Raises:
            NotFound: the records are gone, or the dataset was deleted meanwhile.
            Conflict: the records are in the Archive tier.
            Damaged: the records or the index cannot be read.
        """
        if (known := self._known(dataset)) is not None:
            # others may be making the index of another dataset
            return Indexed(known)
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._making.take(dataset.user_id)
        except TimeoutError:
            # too little of the call's time is left, and what it made would be lost
            return Indexed(None, await self._progress(dataset))
        try:
            return await self._get(dataset)
        finally:
            self._making.give_back()

    async def compute[Result](self, dataset: Dataset, work: Callable[[], Result]) -> Result:
        """Runs some work on an index in a thread. That of a million images may take two seconds and 100 MB."""
        async with self._computing.place_for(dataset.user_id):
            return await asyncio.to_thread(work)

    async def store(self, dataset: Dataset, name: str, data: bytes) -> None:
        """Stores a blob that is derived from the dataset, unless there is one of this name.

        Raises:
            NotFound: the dataset was deleted meanwhile. Nothing is stored then.
        """
        with suppress(AlreadyExists):
            await self.blobs.put(name, data, overwrite=False)
        if not await self.images.folder(dataset).exists():
            await self.blobs.delete(name)
            raise NotFound(f"There is no dataset {dataset.id}.")

    async def _get(self, dataset: Dataset) -> Indexed:
        if (known := self._known(dataset)) is not None:
            return Indexed(known)
        size, prefix = await self._records_size(dataset), self._prefix(dataset)
        names, end = await self._parts(prefix)
        if end < size:
            await self._make_part(dataset, prefix, end)
            names, end = await self._parts(prefix)
        if end < size:
            return Indexed(None, end / size)
        # the one before need not stay in memory meanwhile
        self._last = None
        with reading(f"the index of dataset {dataset.id}"):
            parts = [await asyncio.to_thread(Index.unpack, await self.blobs.get(name)) for name in names]
            index = await asyncio.to_thread(Index.joined, parts)
        self._last = (dataset.id, dataset.revision), index
        return Indexed(index)

    async def _progress(self, dataset: Dataset) -> float:
        """Returns which share of the records was read."""
        _, end = await self._parts(self._prefix(dataset))
        return min(_ALMOST, end / await self._records_size(dataset))

    async def _records_size(self, dataset: Dataset) -> int:
        info = await self.blobs.info(dataset.records_blob)
        if info is None:
            raise NotFound(f"The records of dataset {dataset.id} are gone.")
        return info.size_bytes

    def _prefix(self, dataset: Dataset) -> str:
        return f"{self.images.folder(dataset).prefix}index/"

    def _known(self, dataset: Dataset) -> Index | None:
        """Returns the index that was used last if it is that of this dataset, or None."""
        if self._last is None or self._last[0] != (dataset.id, dataset.revision):
            return None
        return self._last[1]

    async def _parts(self, prefix: str) -> tuple[Sequence[str], int]:
        """Returns the parts that follow each other from the beginning of the records, and where the last one ends.

        Calls at the same time may have made parts that overlap: of those with the same beginning, the longest counts.
        """
        ends: dict[int, int] = {}
        async for info in self.blobs.list(prefix):
            found = _PART.fullmatch(info.name.removeprefix(prefix))
            if found is not None:
                # names are in order
                ends[int(found[1])] = int(found[2])
        names, end = list[str](), 0
        while end in ends:
            names.append(_part(prefix, end, ends[end]))
            end = ends[end]
        return names, end

    async def _make_part(self, dataset: Dataset, prefix: str, begin: int) -> None:
        """Makes and stores the part that begins at an offset of the records, as long as time allows."""
        deadline = Deadline.after(self._clock, READ_SECONDS)
        parts, end = list[Index](), begin
        place = Place(revision=dataset.revision, offset=begin)
        async with aclosing(final_pieces(self.blobs, dataset.id, place)) as pieces:
            async for piece in pieces:
                with reading(f"the records of dataset {dataset.id}"):
                    parts.append(await asyncio.to_thread(Index.of, piece))
                end = piece.begin.offset + piece.size_bytes
                if deadline.passed:
                    break
        if parts:
            data = await asyncio.to_thread(Index.joined(parts).pack)
            await self.store(dataset, _part(prefix, begin, end), data)


def _part(prefix: str, begin: int, end: int) -> str:
    return f"{prefix}{begin:015}-{end:015}"
