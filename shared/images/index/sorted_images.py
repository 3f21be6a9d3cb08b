"""Finds the images of a dataset in another order than that of the records.

A page reads the index of the dataset, and the gzip member of each record on the page.
"""

from dataclasses import dataclass, replace

from shared.images.image import ImageFilter
from shared.images.index.indexes import Indexes
from shared.images.index.record_lines import image_of, read_lines
from shared.images.index.sorting import Sort, sorted_rows
from shared.images.pages import ImagePage
from shared.jobs.ledger.record_pieces import Place


@dataclass(frozen=True, slots=True)
class SortedImages:
    """Reads sorted pages."""

    indexes: Indexes

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
        dataset = await self.indexes.dataset(user_id, dataset_id, place)
        begin = place or Place(revision=dataset.revision)
        index = (await self.indexes.get(dataset)).index
        if index is None:
            return ImagePage((), begin, waits=True)
        found, more = await self.indexes.compute(
            dataset, lambda: sorted_rows(index.images, wanted, sort, begin.lines, size)
        )
        lines = await read_lines(self.indexes.blobs, dataset, found)
        images = [
            image_of(self.indexes.images, dataset, row, line)
            for row, line in zip(found, lines, strict=True)
            if wanted.matches(line)
        ]
        return ImagePage(images, replace(begin, lines=begin.lines + size) if more else None)
