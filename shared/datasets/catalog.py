"""Where datasets are recorded, and how they are handed out."""

import re
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter

from shared.datasets.dataset import Dataset
from shared.errors import Changed, Conflict, NotFound
from shared.records.blob_names import dataset_of, dataset_prefix
from shared.storage.blobs import BlobInfo, Link, LinkStore, Tier
from shared.storage.cells import from_cells, to_cells
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Change, Entity, EntityStore, Insert, Replace
from shared.storage.newest_first import Listing, mark, newest_first, place_of
from shared.text.file_names import safe_name

_TABLE = "datasets"
_adapter = TypeAdapter(Dataset)
_NAME_BYTES = 80


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file, and the name to save it under; `link` is None where it is in the Archive tier."""

    blob: str
    name: str
    size_bytes: int
    tier: Tier | None
    link: Link | None


@dataclass(frozen=True, slots=True)
class Download:
    """A dataset's files, in order. `records` has the outcome of every candidate; None where it is gone."""

    dataset: Dataset
    files: tuple[SavedFile, ...]
    records: SavedFile | None

    @property
    def expires_at(self) -> datetime:
        """When the first of the links expires."""
        files = (*self.files, self.records) if self.records else self.files
        return min(file.link.expires_at for file in files if file.link)


class Catalog:
    """The datasets of all users: one table row each."""

    def __init__(self, entities: EntityStore, blobs: LinkStore, *, link_seconds: float) -> None:
        self._entities = entities
        self._blobs = blobs
        self._link_seconds = link_seconds

    async def put(self, dataset: Dataset) -> None:
        """Record the dataset in the place of its earlier revision, never of a later one; repeating changes nothing."""
        row = _to_entity(dataset)
        listed = mark(row.partition, place_of(row.row, dataset.created_at))

        async def record(entity: Entity | None) -> None:
            stored = _from_entity(entity) if entity else None
            if stored is not None and stored.revision > dataset.revision:
                return
            changes: list[Change] = [Insert(row), listed]
            # a row that is there has its mark already
            if entity is not None:
                changes = [Replace(replace(row, etag=entity.etag))]
            await self._entities.apply(_TABLE, row.partition, changes)

        await self._swap(dataset.user_id, dataset.id, record)

    async def undo(self, user_id: str, dataset_id: str, revision: int, before: Dataset | None) -> None:
        """Take a revision back whose job ended otherwise: what was recorded `before` counts; idempotent.

        Where nothing was, an empty row stays: to delete it might take a later revision with it.
        """
        row = _to_entity(before) if before else Entity(user_id, dataset_id)

        async def take_back(entity: Entity | None) -> None:
            stored = _from_entity(entity) if entity else None
            if entity is not None and stored is not None and stored.revision == revision:
                await self._entities.apply(_TABLE, user_id, [Replace(replace(row, etag=entity.etag))])

        await self._swap(user_id, dataset_id, take_back)

    async def _swap(
        self, user_id: str, dataset_id: str, change: Callable[[Entity | None], Awaitable[None]]
    ) -> None:
        busy = "The dataset's row is too busy."
        await compare_and_swap(lambda: self._entities.get(_TABLE, user_id, dataset_id), change, busy=busy)

    async def drop_others(self, user_id: str, dataset_id: str, written_before: datetime) -> None:
        """Delete the blobs of all revisions but the recorded one, as far as they were written before; idempotent."""
        dataset = await self.get(user_id, dataset_id)
        recorded = (dataset.id, dataset.revision) if dataset else None
        async for info in self._blobs.list(dataset_prefix(dataset_id)):
            if dataset_of(info.name) != recorded and info.modified_at < written_before:
                await self._blobs.delete(info.name)

    async def get(self, user_id: str, dataset_id: str) -> Dataset | None:
        """The dataset, or None where this user has none of that id."""
        entity = await self._entities.get(_TABLE, user_id, dataset_id)
        return _from_entity(entity) if entity else None

    async def require(self, user_id: str, dataset_id: str) -> Dataset:
        """The dataset.

        Raises:
            NotFound: this user has no such dataset.
        """
        dataset = await self.get(user_id, dataset_id)
        if dataset is None:
            raise NotFound(f"There is no dataset {dataset_id}.")
        return dataset

    async def page(self, user_id: str, after: str = "", size: int = 100) -> Listing[Dataset]:
        """Up to `size` of the user's datasets behind the place `after`, those of the newest jobs first.

        A dataset has one place, whatever revisions of it are recorded.
        """
        return await newest_first(self._entities, _TABLE, user_id, _from_entity, after=after, size=size)

    async def download(self, user_id: str, dataset_id: str) -> Download:
        """Links to the dataset's files and records. Files in the Archive tier come without a link.

        Raises:
            NotFound: this user has no such dataset, or its files are gone.
            Conflict: all of them are in the Archive tier.
        """
        dataset = await self.require(user_id, dataset_id)
        folder = dataset.records_blob.rpartition("/")[0]
        stored = {info.name: info async for info in self._blobs.list(f"{folder}/")}
        if not stored.keys() >= set(dataset.blobs):
            raise NotFound(f"The files of dataset {dataset_id} are gone.")
        files = [await self._saved(stored[blob], _filename(dataset, blob)) for blob in dataset.blobs]
        found = stored.get(dataset.records_blob)
        records = await self._saved(found, _filename(dataset, found.name)) if found else None
        if not any(file.link for file in (*files, records) if file):
            raise Conflict(
                "The dataset is in the Archive tier; it has to be rehydrated before it can be read."
            )
        return Download(dataset, tuple(files), records)

    async def saved(self, blob: str, name: str) -> SavedFile | None:
        """A file in storage, to be saved under this name; None where it is gone."""
        info = await self._blobs.info(blob)
        return await self._saved(info, name) if info else None

    async def _saved(self, info: BlobInfo, name: str) -> SavedFile:
        link = None
        if info.tier is not Tier.ARCHIVE:
            link = await self._blobs.sign(info.name, lifetime_seconds=self._link_seconds, filename=name)
        return SavedFile(info.name, name, info.size_bytes, info.tier, link)

    async def tier_changed(self, user_id: str, dataset_id: str, tier: Tier) -> None:
        """Note the tier that the dataset's blobs are in now; nothing happens where it is not recorded."""
        entity = await self._entities.get(_TABLE, user_id, dataset_id)
        dataset = _from_entity(entity) if entity else None
        if entity is None or dataset is None:
            return
        changed = replace(_to_entity(replace(dataset, tier=tier)), etag=entity.etag)
        try:
            await self._entities.apply(_TABLE, user_id, [Replace(changed)])
        except Changed:
            return  # it was removed, or another run noted the same


def _filename(dataset: Dataset, blob: str) -> str:
    """A name that every system can save: the dataset's, in plain letters.

    Where a dataset has several files, they are called as its SHA256SUMS and its card call them.
    """
    leaf = blob.rpartition("/")[2]
    if not leaf.startswith("dataset."):
        return leaf
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", dataset.name).strip("-.") or "dataset"
    return f"{safe_name(stem, _NAME_BYTES)}{leaf.removeprefix('dataset')}"


def _to_entity(dataset: Dataset) -> Entity:
    """The whole dataset as packed JSON, over as many cells as it takes: labels alone may have 256 KiB."""
    packed = zlib.compress(_adapter.dump_json(dataset))
    return Entity(dataset.user_id, dataset.id, to_cells("json", packed))


def _from_entity(entity: Entity) -> Dataset | None:
    """The dataset; None where the row was emptied."""
    packed = from_cells("json", entity.values)
    return _adapter.validate_json(zlib.decompress(packed)) if packed else None
