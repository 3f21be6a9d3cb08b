"""Finds the images of a dataset in another order than that of the records.

That needs an index of all images. The calls for a sorted page make it together, a part in each call, and store the
parts: that of a million images takes some calls of three seconds. Afterwards a page reads the index, and the gzip
member of each record on the page.
"""

import asyncio
import re
import zlib
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Final

import numpy as np
from pydantic_core import from_json

from shared.clock import Clock, Deadline
from shared.concurrency import process_concurrently
from shared.damage import reading
from shared.datasets.dataset import Dataset
from shared.errors import AlreadyExists, Conflict, NotFound
from shared.images.dataset_images import DatasetImages
from shared.images.image import ImageFilter, KeptImage
from shared.images.pages import READ_SECONDS, ImagePage
from shared.images.sort_index import ROW, Rows, Sort, pack, rows_of, sorted_rows, unpack
from shared.jobs.ledger.record_pieces import Line, Place, final_pieces
from shared.storage.blobs import BlobStore

MOST_SORTED: Final = 1_000_000
"""How many images a dataset that is sorted has at most."""

_READS = 8
_PART = re.compile(r"([0-9]{15})-([0-9]{15})")
# zlib's wbits for a gzip member
_MEMBER = 31


class SortedImages:
    """Reads sorted pages, one at a time in an instance. The index that was used last stays in memory."""

    def __init__(self, images: DatasetImages, blobs: BlobStore, clock: Clock) -> None:
        self._images = images
        self._blobs = blobs
        self._clock = clock
        self._one = asyncio.Lock()
        self._last: tuple[str, int] | None = None
        self._rows: Rows = np.empty(0, ROW)

    async def page(
        self, user_id: str, dataset_id: str, wanted: ImageFilter, place: Place | None, size: int, sort: Sort
    ) -> ImagePage:
        """Returns up to `size` images in the order of `sort`. The `lines` of a place are a position in that order.

        The page `waits` while the index is being made: then it has no images, and the next call goes on.

        Raises:
            NotFound: this user has no such dataset, or its records are gone.
            Conflict: the dataset has too many images or a new revision, or the records are in the Archive tier.
            Damaged: the records or the index cannot be read.
        """
        dataset = await self._images.catalog.require(user_id, dataset_id)
        begin = place or Place(revision=dataset.revision)
        if begin.revision != dataset.revision:
            raise Conflict(f"The dataset {dataset_id} has a new revision. List its images again.")
        if dataset.image_count > MOST_SORTED:
            raise Conflict(f"Only datasets of up to {MOST_SORTED:,} images can be sorted.")
        async with self._one:
            rows = await self._index(dataset)
        if rows is None:
            return ImagePage((), begin, waits=True)
        found, more = await asyncio.to_thread(sorted_rows, rows, wanted, sort, begin.lines, size)
        images = await self._read(dataset, found, wanted)
        return ImagePage(images, replace(begin, lines=begin.lines + size) if more else None)

    async def _index(self, dataset: Dataset) -> Rows | None:
        """Returns the index, or None if a part of it is still missing. Makes what time allows."""
        if self._last == (dataset.id, dataset.revision):
            return self._rows
        info = await self._blobs.info(dataset.records_blob)
        if info is None:
            raise NotFound(f"The records of dataset {dataset.id} are gone.")
        prefix = f"{self._images.folder(dataset).prefix}index/"
        names, end = await self._parts(prefix)
        if end < info.size_bytes:
            await self._make_part(dataset, prefix, end)
            names, end = await self._parts(prefix)
        if end < info.size_bytes:
            return None
        with reading(f"the index of dataset {dataset.id}"):
            parts = [unpack(await self._blobs.get(name)) for name in names]
        self._rows = np.concatenate(parts) if parts else np.empty(0, ROW)
        self._last = dataset.id, dataset.revision
        return self._rows

    async def _parts(self, prefix: str) -> tuple[Sequence[str], int]:
        """Returns the parts that follow each other from the beginning of the records, and where the last one ends.

        Calls at the same time may have made parts that overlap: of those with the same beginning, the longest counts.
        """
        ends: dict[int, int] = {}
        async for info in self._blobs.list(prefix):
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
        parts, end = list[Rows](), begin
        place = Place(revision=dataset.revision, offset=begin)
        async with aclosing(final_pieces(self._blobs, dataset.id, place)) as pieces:
            async for piece in pieces:
                with reading(f"the records of dataset {dataset.id}"):
                    parts.append(rows_of(piece))
                end = piece.begin.offset + piece.size_bytes
                if deadline.passed:
                    break
        folder = self._images.folder(dataset)
        if not parts:
            return
        name, data = _part(prefix, begin, end), pack(np.concatenate(parts))
        with suppress(AlreadyExists):
            await self._blobs.put(name, data, overwrite=False)
        if not await folder.exists():
            await self._blobs.delete(name)
            raise NotFound(f"There is no dataset {dataset.id}.")

    async def _read(self, dataset: Dataset, rows: Rows, wanted: ImageFilter) -> Sequence[KeptImage]:
        """Reads the records of these rows, in their order. Several records of one member are read at once."""
        members = {int(row["offset"]): int(row["size"]) for row in rows}
        lines: dict[int, list[bytes]] = {}

        async def read(offset: int) -> None:
            data = await self._blobs.get(dataset.records_blob, offset=offset, length=members[offset])
            with reading(f"the records of dataset {dataset.id}"):
                text = await asyncio.to_thread(zlib.decompress, data, _MEMBER)
            lines[offset] = text.splitlines()

        await process_concurrently(members, read, _READS)
        images = list[KeptImage]()
        for row in rows:
            offset, number = int(row["offset"]), int(row["line"])
            with reading(f"the records of dataset {dataset.id}"):
                line: Line = from_json(lines[offset][number])
            if wanted.matches(line):
                place = Place(number, revision=dataset.revision, offset=offset)
                images.append(self._images.image(dataset, place, line))
        return images


def _part(prefix: str, begin: int, end: int) -> str:
    return f"{prefix}{begin:015}-{end:015}"
