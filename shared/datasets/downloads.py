"""Makes the links to download datasets."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.clock import Clock
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.datasets.files import moves
from shared.errors import Conflict, NotFound
from shared.storage.blobs import BlobInfo, Link, LinkStore, Tier
from shared.text.file_names import safe_name

_NAME_BYTES = 80


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file in storage, and the name to save it under. `link` is None in the Archive tier, and on the way there."""

    blob: str
    name: str
    size_bytes: int
    tier: Tier | None
    link: Link | None


@dataclass(frozen=True, slots=True)
class Download:
    """A dataset's files, in order. `records` is the file with the outcome of every candidate, or None if it is gone."""

    dataset: Dataset
    files: tuple[SavedFile, ...]
    records: SavedFile | None

    @property
    def expires_at(self) -> datetime:
        """The time at which the first of the links expires."""
        files = (*self.files, self.records) if self.records else self.files
        return min(file.link.expires_at for file in files if file.link)


class Downloads:
    """Makes links to the files of datasets, which work for `link_seconds`."""

    def __init__(self, catalog: Catalog, blobs: LinkStore, clock: Clock, *, link_seconds: float) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._clock = clock
        self._link_seconds = link_seconds

    async def download(self, user_id: str, dataset_id: str) -> Download:
        """Returns links to the dataset's files and records. There is none in the Archive tier, or on the way there.

        Once a day at most, it is recorded that the dataset is used, unless its image files are in the Archive tier.

        Raises:
            NotFound: this user has no such dataset, or its files are gone.
            Conflict: all files and the records are in the Archive tier.
        """
        dataset = await self._catalog.require(user_id, dataset_id)
        folder = dataset.records_blob.rpartition("/")[0]
        stored = {info.name: info async for info in self._blobs.list(f"{folder}/")}
        if not stored.keys() >= set(dataset.blobs):
            raise NotFound(f"The files of dataset {dataset_id} are gone.")
        moving = [blob for blob in dataset.blobs if moves(blob)]
        noted = dataset
        if any(stored[blob].tier is not Tier.ARCHIVE for blob in moving):
            noted = await self._note_use(dataset)
        # a dataset that nobody has used may now move to the Archive tier, or have moved since its files were listed
        is_archived = noted.tier is Tier.ARCHIVE and dataset.tier is not Tier.ARCHIVE
        unreadable = moving if is_archived or noted.keeping.is_being_archived else ()

        async def saved(blob: str) -> SavedFile:
            return await self._saved(stored[blob], _filename(dataset, blob), readable=blob not in unreadable)

        files = [await saved(blob) for blob in dataset.blobs]
        records = await saved(dataset.records_blob) if dataset.records_blob in stored else None
        if not any(file.link for file in (*files, records) if file):
            raise Conflict(in_archive_tier(dataset_id))
        return Download(dataset, tuple(files), records)

    async def _note_use(self, dataset: Dataset) -> Dataset:
        """Records the use if it is due; returns the dataset as it is recorded then."""
        now = self._clock.now()

        def use(stored: Dataset) -> Dataset:
            return replace(stored, keeping=stored.keeping.downloaded(now))

        # most downloads of a day change nothing, and need no further call of storage
        if use(dataset) == dataset:
            return dataset
        return await self._catalog.keep(dataset.user_id, dataset.id, use)

    async def saved(self, blob: str, name: str) -> SavedFile | None:
        """Returns a file in storage that is saved under this name, or None if it is gone."""
        info = await self._blobs.info(blob)
        return await self._saved(info, name) if info else None

    async def _saved(self, info: BlobInfo, name: str, *, readable: bool = True) -> SavedFile:
        link = None
        if readable and info.tier is not Tier.ARCHIVE:
            link = await self._blobs.sign(info.name, lifetime_seconds=self._link_seconds, filename=name)
        return SavedFile(info.name, name, info.size_bytes, info.tier, link)


def in_archive_tier(dataset_id: str) -> str:
    """Returns the error text for a dataset that cannot be read, which names the call that brings it back."""
    call = f"POST /api/v1/datasets/{dataset_id}/rehydrate"
    return f"The dataset is in the Archive tier; {call} brings it back within hours."


def _filename(dataset: Dataset, blob: str) -> str:
    """Returns the name to save a file under, which every system accepts.

    A `dataset.zip` is named after the dataset. Other files keep their names, which SHA256SUMS and the card refer to.
    """
    leaf = blob.rpartition("/")[2]
    if not leaf.startswith("dataset."):
        return leaf
    stem = safe_name(" ".join(dataset.name.split()) or "dataset", _NAME_BYTES)
    return f"{stem}{leaf.removeprefix('dataset')}"
