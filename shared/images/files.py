"""Reads the bytes of images, and makes and stores small images.

Small images are stored under the checksum of their image, below the prefix of the dataset or the job. They can be
read while the image itself is in the Archive tier, and are deleted with the dataset or the working blobs of the job.
"""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from shared.concurrency import FairPlaces
from shared.crawling.judging.file_signatures import detect_format
from shared.datasets.downloads import in_archive_tier
from shared.errors import AlreadyExists, Conflict, Damaged, NotFound
from shared.images.image import MEDIA_TYPES, DerivedFolder, KeptImage
from shared.images.small import make_small
from shared.storage.blobs import BlobAttributes, BlobStore

MOST_BYTES: Final = 25_000_000
"""The size of the largest image that is shown."""

READS_AT_ONCE: Final = 8
"""How many images an instance reads at the same time."""

DECODES_AT_ONCE: Final = 2
"""How many images an instance makes small at the same time."""

MAKE_SECONDS: Final = 60.0
"""How long one small image is read, made and stored at most."""

_JPEG = BlobAttributes("image/jpeg")


class ImageFiles:
    """The bytes of images. An instance of the app has one object of this class, which holds its limits.

    Users who wait are served in rotation, so that nobody waits for all images of another user.
    """

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._reads = FairPlaces(READS_AT_ONCE)
        self._decodes = FairPlaces(DECODES_AT_ONCE)
        self._threads = ThreadPoolExecutor(DECODES_AT_ONCE, "image")
        self._making: dict[str, asyncio.Task[bytes | None]] = {}

    async def original(self, image: KeptImage) -> bytes:
        """Returns the bytes of the image, which are those that its record describes.

        Raises:
            NotFound: they are gone.
            Conflict: they are in the Archive tier, or too large to be shown.
            Damaged: storage has other bytes.
        """
        if image.facts.size_bytes > MOST_BYTES:
            raise Conflict(f"The image has more than {MOST_BYTES:,} bytes; it can only be downloaded.")
        async with self._reads.place_for(image.folder.user_id):
            return await self._read(image)

    async def stored(self, name: str) -> bytes | None:
        """Returns a small image that was made before, or None."""
        try:
            return await self._blobs.get(name)
        except NotFound:
            return None

    async def small(self, image: KeptImage, width: int) -> bytes | None:
        """Returns the small image; makes and stores it if it was not made before.

        Returns None if none can be made, because the image takes too much memory. Repeating this is safe, also at the
        same time: the same bytes are made. An image is made and stored even if the caller is cancelled meanwhile. So an
        image that takes longer than the caller's time is there when the caller asks again.

        Raises:
            NotFound: the image is gone.
            Conflict: the image is in the Archive tier, and no small image of it was made before.
            Damaged: storage has other bytes than the record says.
        """
        name = small_blob(image, width)
        found = await self.stored(name)
        if found is not None or image.facts.size_bytes > MOST_BYTES:
            return found
        task = self._making.get(name)
        if task is None:
            # a call that waits here holds no image in memory
            await self._decodes.take(image.folder.user_id)
            task = self._begin(image, width, name)
        return await asyncio.shield(task)

    def _begin(self, image: KeptImage, width: int, name: str) -> asyncio.Task[bytes | None]:
        """Begins to make a small image. The place that the caller has taken is given back at the end."""
        if (running := self._making.get(name)) is not None:
            # another call has begun while this one waited
            self._decodes.give_back()
            return running
        task = asyncio.create_task(self._make(image, width, name))
        self._making[name] = task

        def end(ended: asyncio.Task[bytes | None]) -> None:
            self._decodes.give_back()
            del self._making[name]
            # if no call waits for it any more, asyncio must not report its error as lost
            if not ended.cancelled():
                ended.exception()

        task.add_done_callback(end)
        return task

    async def _make(self, image: KeptImage, width: int, name: str) -> bytes | None:
        # another call may have made it while this one waited
        async with asyncio.timeout(MAKE_SECONDS):
            found = await self.stored(name)
            if found is not None:
                return found
            data = await self._read(image)
            made = await asyncio.wrap_future(self._threads.submit(make_small, data, width))
            return None if made is None else await self.store(image.folder, name, made)

    async def store(self, folder: DerivedFolder, name: str, data: bytes) -> bytes:
        """Stores a small image under a name in the folder; returns the one that was stored first.

        Raises:
            NotFound: its dataset or its job was deleted meanwhile. Nothing is stored then.
        """
        try:
            await self._blobs.put(name, data, _JPEG, overwrite=False)
        except AlreadyExists:
            data = await self._blobs.get(name)
        if not await folder.exists():
            await self._blobs.delete(name)
            raise NotFound("The image was deleted.")
        return data

    async def _read(self, image: KeptImage) -> bytes:
        stored, facts = image.stored, image.facts
        try:
            data = await self._blobs.get(stored.blob, offset=stored.offset, length=stored.size)
        except NotFound:
            raise NotFound("The file that holds the image is gone.") from None
        except Conflict:
            if image.folder.dataset_id:
                raise Conflict(in_archive_tier(image.folder.dataset_id)) from None
            raise
        is_shown = facts.format in MEDIA_TYPES and detect_format(data) == facts.format
        if not is_shown or len(data) != stored.size or hashlib.sha256(data).hexdigest() != facts.sha256:
            raise Damaged(f"Damaged in storage: image {image.id}.")
        return data


def small_blob(image: KeptImage, width: int) -> str:
    """Returns the name of a small image of this width."""
    return f"{image.folder.prefix}{width}/{image.facts.sha256}.jpg"
