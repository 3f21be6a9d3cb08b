"""Makes the preview of a dataset: a contact sheet with some images of each label, stored once for each revision.

The small images of which it consists are stored, too. So a call whose time ends leaves less to do for the next one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from shared.clock import Clock, Deadline
from shared.concurrency import process_concurrently
from shared.datasets.dataset import Dataset
from shared.errors import Damaged, NotFound, Unavailable
from shared.images.dataset_images import DatasetImages
from shared.images.files import ImageFiles
from shared.images.image import ImageFilter, KeptImage
from shared.images.pages import MOST_BATCHES
from shared.images.sheet import CELL, COLUMNS, Cell, Group, draw_sheet
from shared.jobs.ledger.record_pieces import Place
from shared.records.records import KEPT

MOST_LABELS: Final = 10
"""How many labels a preview shows: those with the most images."""

_READ_SECONDS = 2.0
_MAKE_SECONDS = 5.0
_AT_A_TIME = 4
# the rows of images of each label, by the number of labels that are shown
_ROWS: Mapping[int, int] = {1: 4, 2: 3, 3: 2, 4: 2}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The labels of a preview, in order, and how many images each of them gets at most."""

    labels: Mapping[str, int]
    others: int
    images: int


class Previews:
    """Makes previews, one at a time in an instance."""

    def __init__(self, images: DatasetImages, files: ImageFiles, clock: Clock) -> None:
        self._images = images
        self._files = files
        self._clock = clock
        self._making = asyncio.Lock()

    async def preview(self, user_id: str, dataset_id: str) -> bytes:
        """Returns the preview as a JPEG. The first call makes it, and may end early with `Unavailable`.

        Safe to call at the same time, also in several instances: the sheet that is stored first is the one that counts.

        Raises:
            NotFound: this user has no such dataset, or its files are gone.
            Conflict: the dataset is in the Archive tier, and no preview was made before.
            Unavailable: not all images are made yet. The next call goes on with the others.
            Damaged: the records cannot be read.
        """
        dataset = await self._images.catalog.require(user_id, dataset_id)
        folder = self._images.folder(dataset)
        name = f"{folder.prefix}preview.jpg"
        found = await self._files.stored(name)
        if found is not None:
            return found
        async with self._making:
            # another call may have made it
            found = await self._files.stored(name)
            if found is None:
                found = await self._files.store(folder, name, await self._make(dataset))
        return found

    async def _make(self, dataset: Dataset) -> bytes:
        wanted = _wanted(dataset)
        chosen = await self._choose(dataset, wanted)
        cells = await self._cells([image for images in chosen.values() for image in images])
        groups = [
            Group(label, wanted.labels[label], [cells[image.id] for image in images])
            for label, images in chosen.items()
        ]
        missing = wanted.others + sum(not group.cells for group in groups)
        note = f"Further labels: {missing:,}" if missing else ""
        return await asyncio.to_thread(draw_sheet, [group for group in groups if group.cells], note)

    async def _choose(self, dataset: Dataset, wanted: _Wanted) -> Mapping[str, Sequence[KeptImage]]:
        """Returns the first images of each label in the records that a call reads at most."""
        chosen: dict[str, list[KeptImage]] = {label: [] for label in wanted.labels}
        deadline = Deadline.after(self._clock, _READ_SECONDS)
        kept, number = ImageFilter(), 0
        async with aclosing(self._images.batches(dataset, Place(revision=dataset.revision))) as batches:
            async for batch in batches:
                for entry in batch.entries:
                    of_label = chosen.get(str(entry.line.get("label")))
                    if of_label is not None and len(of_label) < wanted.images and kept.matches(entry.line):
                        of_label.append(self._images.image(dataset, entry.at, entry.line))
                number += 1
                full = all(
                    len(images) == min(wanted.images, wanted.labels[label])
                    for label, images in chosen.items()
                )
                if full or number == MOST_BATCHES or deadline.passed:
                    break
        return chosen

    async def _cells(self, images: Sequence[KeptImage]) -> Mapping[str, Cell]:
        """Returns a cell for each image, by its id."""
        cells: dict[str, Cell] = {}
        deadline = Deadline.after(self._clock, _MAKE_SECONDS)

        async def make(image: KeptImage) -> None:
            if deadline.passed:
                raise Unavailable("The preview is not complete yet.")
            try:
                data = await self._files.small(image, CELL)
            except Damaged:
                # the other images can be shown
                data = None
            cells[image.id] = Cell(data, image.facts.dominant_color)

        await process_concurrently(images, make, _AT_A_TIME)
        return cells


def _wanted(dataset: Dataset) -> _Wanted:
    """Returns what a preview of the dataset shows.

    Raises:
        NotFound: it has no image.
    """
    kept = {label: counts.get(KEPT, 0) for label, counts in dataset.counts.items()}
    labels = {label: count for label, count in kept.items() if count}
    if not labels:
        raise NotFound(f"The dataset {dataset.id} has no images.")
    # sorting keeps the dataset's order for labels with the same number of images
    shown = dict(sorted(labels.items(), key=lambda item: -item[1])[:MOST_LABELS])
    return _Wanted(shown, len(labels) - len(shown), COLUMNS * _ROWS.get(len(shown), 1))
