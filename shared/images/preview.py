"""Makes the preview of a dataset: a contact sheet with some images of each label."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from shared.archiving.layout.contents import Piece
from shared.archiving.planning.preview import PreviewMaker, Sample
from shared.clock import Clock, Deadline
from shared.concurrency import process_concurrently
from shared.errors import NotFound
from shared.images.files import MOST_BYTES
from shared.images.sheet import CELL, Group, draw_sheet
from shared.images.small import make_small
from shared.storage.blobs import BlobStore

MAKE_SECONDS: Final = 30.0
"""For how long small images are made for the preview, and again for the report.

Those that are not made by then have grey cells.
"""

# the middle of an image that is twice as wide as high fills a cell
_SMALL = 2 * CELL
_READS_AT_A_TIME = 4
_DECODES_AT_A_TIME = 2


class ContactSheets(PreviewMaker):
    """Makes contact sheets, one at a time in an instance."""

    def __init__(self, blobs: BlobStore, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock
        self._making = asyncio.Lock()
        self._threads = ThreadPoolExecutor(_DECODES_AT_A_TIME, "preview")

    async def make(self, samples: Sequence[Sample], label_count: int) -> bytes | None:
        """Does what the protocol says. An image that is gone, broken or too large has a grey cell."""
        small = await self.small([image for sample in samples for image in sample.images], _SMALL)
        if not any(small.values()):
            return None
        groups = [
            Group(sample.label, sample.image_count, [small[image] for image in sample.images])
            for sample in samples
        ]
        others = label_count - len(groups)
        return await asyncio.to_thread(draw_sheet, groups, f"Further labels: {others:,}" if others else "")

    async def small(self, images: Sequence[Piece], width: int) -> Mapping[Piece, bytes | None]:
        """Does what the protocol says, for one dataset at a time."""
        async with self._making:
            return await self._small(images, width)

    async def _small(self, images: Sequence[Piece], width: int) -> dict[Piece, bytes | None]:
        small: dict[Piece, bytes | None] = {}
        deadline = Deadline.after(self._clock, MAKE_SECONDS)

        async def make(image: Piece) -> None:
            small[image] = None
            if image.size > MOST_BYTES or deadline.passed:
                return
            try:
                data = await self._blobs.get(image.blob, offset=image.offset, length=image.size)
            except NotFound:
                # whoever writes the dataset's files reports it
                return
            small[image] = await asyncio.wrap_future(self._threads.submit(make_small, data, width))

        await process_concurrently(images, make, _READS_AT_A_TIME)
        return small
