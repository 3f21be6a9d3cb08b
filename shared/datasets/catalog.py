"""Records datasets in a table, and makes the links to download them.

Each dataset is a row in the partition of its user. The partition `~owners` has a row for each dataset with its user, so
that the nightly run, which finds datasets by their blobs, knows whose they are. User ids never begin with `~`.
"""

import contextlib
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
from shared.storage.entities import Change, Delete, Entity, EntityStore, Insert, Put, Replace
from shared.storage.newest_first import Listing, Span, mark, newest_first, place_of, unmark
from shared.text.file_names import safe_name

_TABLE = "datasets"
_OWNERS = "~owners"
_adapter = TypeAdapter(Dataset)
_NAME_BYTES = 80


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file in storage, and the name to save it under. `link` is None if the file is in the Archive tier."""

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


class Catalog:
    """The datasets of all users. Each is a row of a table."""

    def __init__(self, entities: EntityStore, blobs: LinkStore, *, link_seconds: float) -> None:
        self._entities = entities
        self._blobs = blobs
        self._link_seconds = link_seconds

    async def put(self, dataset: Dataset) -> None:
        """Records the dataset. It replaces an earlier revision, but not a later one. Repeating changes nothing."""
        # the owner is written first, so that every recorded dataset has one
        owner = Entity(_OWNERS, dataset.id, {"user_id": dataset.user_id})
        await self._entities.apply(_TABLE, _OWNERS, [Put(owner)])
        row = _to_entity(dataset)
        listed = mark(row.partition, place_of(row.row, dataset.created_at))

        async def record(entity: Entity | None) -> None:
            stored = _from_entity(entity) if entity else None
            if stored is not None and stored.revision > dataset.revision:
                return
            changes: list[Change] = [Insert(row), listed]
            # a row that exists has its mark already
            if entity is not None:
                changes = [Replace(replace(row, etag=entity.etag))]
            await self._entities.apply(_TABLE, row.partition, changes)

        await self._change(dataset.user_id, dataset.id, record)

    async def undo(self, user_id: str, dataset_id: str, revision: int, before: Dataset | None) -> None:
        """Removes a revision whose job did not complete, and records the dataset `before` it again. This is idempotent.

        If there was none before, an empty row stays, because deleting the row could delete a later revision.
        """
        row = _to_entity(before) if before else Entity(user_id, dataset_id)

        async def restore(entity: Entity | None) -> None:
            stored = _from_entity(entity) if entity else None
            if entity is not None and stored is not None and stored.revision == revision:
                await self._entities.apply(_TABLE, user_id, [Replace(replace(row, etag=entity.etag))])

        await self._change(user_id, dataset_id, restore)

    async def _change(
        self, user_id: str, dataset_id: str, change: Callable[[Entity | None], Awaitable[None]]
    ) -> None:
        busy = "The dataset's row is too busy."
        await compare_and_swap(lambda: self._entities.get(_TABLE, user_id, dataset_id), change, busy=busy)

    async def delete_other_revisions(self, user_id: str, dataset_id: str, written_before: datetime) -> None:
        """Deletes the blobs of all revisions except the recorded one that were written before this time.

        This is idempotent.
        """
        dataset = await self.get(user_id, dataset_id)
        recorded = (dataset.id, dataset.revision) if dataset else None
        async for info in self._blobs.list(dataset_prefix(dataset_id)):
            if dataset_of(info.name) != recorded and info.modified_at < written_before:
                await self._blobs.delete(info.name)

    async def erase(self, dataset: Dataset) -> None:
        """Delete the rows of a dataset whose blobs are deleted. This is idempotent."""
        listed = unmark(place_of(dataset.id, dataset.created_at))
        with contextlib.suppress(Changed):
            await self._entities.apply(_TABLE, dataset.user_id, [Delete(dataset.id), listed])
        await self._disown(dataset.id)

    async def erase_all(self, user_id: str) -> None:
        """Delete what is left of a user's rows once all datasets are erased: rows without a dataset."""
        async for row in self._entities.query(_TABLE, user_id):
            if await self.owner(row.row) == user_id:
                await self._disown(row.row)
        await self._entities.erase(_TABLE, user_id)

    async def _disown(self, dataset_id: str) -> None:
        with contextlib.suppress(Changed):
            await self._entities.apply(_TABLE, _OWNERS, [Delete(dataset_id)])

    async def owner(self, dataset_id: str) -> str | None:
        """Returns the id of the user to whom the dataset belongs, or None if it was never recorded."""
        entity = await self._entities.get(_TABLE, _OWNERS, dataset_id)
        return str(entity.values["user_id"]) if entity else None

    async def get(self, user_id: str, dataset_id: str) -> Dataset | None:
        """Returns the dataset, or None if this user has no dataset of that id."""
        entity = await self._entities.get(_TABLE, user_id, dataset_id)
        return _from_entity(entity) if entity else None

    async def require(self, user_id: str, dataset_id: str) -> Dataset:
        """Returns the dataset.

        Raises:
            NotFound: this user has no such dataset.
        """
        dataset = await self.get(user_id, dataset_id)
        if dataset is None:
            raise NotFound(f"There is no dataset {dataset_id}.")
        return dataset

    async def page(self, user_id: str, after: str = "", size: int = 100) -> Listing[Dataset]:
        """Returns up to `size` of the user's datasets after the place `after`, those of the newest jobs first.

        All revisions of a dataset have the same place.
        """
        return await newest_first(self._entities, _TABLE, user_id, _from_entity, Span(after, size=size))

    async def download(self, user_id: str, dataset_id: str) -> Download:
        """Returns links to the dataset's files and records. Files in the Archive tier have no link.

        Raises:
            NotFound: this user has no such dataset, or its files are gone.
            Conflict: all files and the records are in the Archive tier.
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
        """Returns a file in storage that is saved under this name, or None if it is gone."""
        info = await self._blobs.info(blob)
        return await self._saved(info, name) if info else None

    async def _saved(self, info: BlobInfo, name: str) -> SavedFile:
        link = None
        if info.tier is not Tier.ARCHIVE:
            link = await self._blobs.sign(info.name, lifetime_seconds=self._link_seconds, filename=name)
        return SavedFile(info.name, name, info.size_bytes, info.tier, link)

    async def record_tier(self, dataset_id: str, tier: Tier) -> None:
        """Records the tier that the dataset's blobs are in now. Nothing happens if the dataset is not recorded."""
        user_id = await self.owner(dataset_id)
        entity = await self._entities.get(_TABLE, user_id, dataset_id) if user_id else None
        dataset = _from_entity(entity) if entity else None
        if user_id is None or entity is None or dataset is None:
            return
        changed = replace(_to_entity(replace(dataset, tier=tier)), etag=entity.etag)
        try:
            await self._entities.apply(_TABLE, user_id, [Replace(changed)])
        except Changed:
            # the dataset was removed, or another run recorded the same
            return


def _filename(dataset: Dataset, blob: str) -> str:
    """Returns the name to save a file under, which every system accepts.

    A `dataset.zip` is named after the dataset, in plain letters. Other files keep their names, which SHA256SUMS and the
    card refer to.
    """
    leaf = blob.rpartition("/")[2]
    if not leaf.startswith("dataset."):
        return leaf
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", dataset.name).strip("-.") or "dataset"
    return f"{safe_name(stem, _NAME_BYTES)}{leaf.removeprefix('dataset')}"


def _to_entity(dataset: Dataset) -> Entity:
    """Packs the dataset as JSON into as many cells as it needs. Its labels alone may have 256 KiB."""
    packed = zlib.compress(_adapter.dump_json(dataset))
    return Entity(dataset.user_id, dataset.id, to_cells("json", packed))


def _from_entity(entity: Entity) -> Dataset | None:
    """Returns the dataset, or None if the row was emptied."""
    packed = from_cells("json", entity.values)
    return _adapter.validate_json(zlib.decompress(packed)) if packed else None
