"""Makes the preview of a dataset: a contact sheet with some images of each label."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from shared.archiving.layout.contents import Piece
from shared.archiving.planning.preview import Pictures, PreviewMaker, Sample
from shared.clock import Clock, Deadline
from shared.concurrency import process_concurrently
from shared.errors import NotFound
from shared.images.files import MOST_BYTES
from shared.images.sheet import CELL, Group, draw_sheet
from shared.images.small import make_small
from shared.storage.blobs import BlobStore
from shared.storage.joined_reads import Gaps, JoinedRead, join_reads

MAKE_SECONDS: Final = 60.0
"""For how long small images are made for the preview and the report.

Those that are not made by then have grey cells.
"""

PICTURE_READS: Final = Gaps(8 << 20, waste_bytes=2 << 20)
"""Which images are read from storage together. A call costs as much as 2 MB or so of a longer read."""

# the middle of an image that is twice as wide as high fills a cell
_SMALL = 2 * CELL
_READS_AT_A_TIME = 4
_DECODES_AT_A_TIME = 2


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An image, and how wide and high its small copy is at most."""

    image: Piece
    width: int


class ContactSheets(PreviewMaker):
    """Makes contact sheets, one at a time in an instance."""

    def __init__(self, blobs: BlobStore, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock
        self._making = asyncio.Lock()
        self._threads = ThreadPoolExecutor(_DECODES_AT_A_TIME, "preview")

    async def make(
        self, samples: Sequence[Sample], label_count: int, others: Sequence[Piece] = (), width: int = 0
    ) -> Pictures:
        """See `PreviewMaker.make`. Works for one dataset at a time. An image that cannot be shown has a grey cell."""
        wanted = [_Wanted(image, _SMALL) for sample in samples for image in sample.images]
        wanted += [_Wanted(image, width) for image in others]
        async with self._making:
            small = await self._small(list(dict.fromkeys(wanted)))
        of_others = {image: small[_Wanted(image, width)] for image in others}
        groups = [
            Group(
                sample.label, sample.image_count, [small[_Wanted(image, _SMALL)] for image in sample.images]
            )
            for sample in samples
        ]
        if not any(image for group in groups for image in group.images):
            return Pictures(None, of_others)
        hidden = label_count - len(groups)
        note = f"Further labels: {hidden:,}" if hidden else ""
        return Pictures(await asyncio.to_thread(draw_sheet, groups, note), of_others)

    async def _small(self, wanted: Sequence[_Wanted]) -> dict[_Wanted, bytes | None]:
        small: dict[_Wanted, bytes | None] = dict.fromkeys(wanted)
        deadline = Deadline.after(self._clock, MAKE_SECONDS)

        async def read(found: JoinedRead[_Wanted]) -> None:
            if deadline.passed:
                return
            try:
                data = await self._blobs.get(found.blob, offset=found.offset, length=found.size)
            except NotFound:
                # whoever writes the dataset's files reports it
                return

            async def make(one: _Wanted) -> None:
                if not deadline.passed:
                    image = found.cut(data, one.image)
                    small[one] = await asyncio.wrap_future(self._threads.submit(make_small, image, one.width))

            await process_concurrently(found.wanted, make, _DECODES_AT_A_TIME)

        readable = [one for one in wanted if one.image.size <= MOST_BYTES]
        reads = join_reads(readable, lambda one: one.image, PICTURE_READS)
        await process_concurrently(reads, read, _READS_AT_A_TIME)
        return small
