"""Records datasets in a table.

Each dataset is a row in the partition of its user. The partition `~owners` has a row for each dataset with its user, so
that administrators find the datasets of all users by their ids. User ids never begin with `~`.
"""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from shared.clock import Deadline
from shared.datasets.dataset import Dataset
from shared.datasets.rows import from_entity, readable, to_entity
from shared.errors import AlreadyExists, Changed, Conflict, NotFound
from shared.records.blob_names import dataset_of, dataset_prefix, derived_from, derived_prefix
from shared.storage.blobs import BlobStore
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Change, Delete, Entity, EntityStore, Insert, Put, Replace
from shared.storage.newest_first import Listing, Span, mark, newest_first, place_of, unmark

_TABLE = "datasets"
_OWNERS = "~owners"


class Catalog:
    """The datasets of all users. Each is a row of a table."""

    def __init__(self, entities: EntityStore, blobs: BlobStore) -> None:
        self._entities = entities
        self._blobs = blobs

    async def put(self, dataset: Dataset) -> None:
        """Records the dataset. It replaces an earlier revision, but not a later one. Repeating changes nothing.

        A dataset that is recorded already stays in its tier, and is kept as it was. A later revision is kept as people
        have asked for the earlier one.
        """
        # the owner is written first, so that every recorded dataset has one
        owner = Entity(_OWNERS, dataset.id, {"user_id": dataset.user_id})
        await self._entities.apply(_TABLE, _OWNERS, [Put(owner)])
        row = to_entity(dataset)
        listed = mark(row.partition, place_of(row.row, dataset.created_at))

        async def record(entity: Entity | None) -> None:
            stored = from_entity(entity) if entity else None
            if stored is not None and stored.revision > dataset.revision:
                return
            changes: list[Change] = [Insert(row), listed]
            # a row that exists has its mark already
            if entity is not None:
                recorded = to_entity(_kept_as(stored, dataset)) if stored else row
                changes = [Replace(replace(recorded, etag=entity.etag))]
            await self._entities.apply(_TABLE, row.partition, changes)

        if dataset.revision == 1:
            # usually there is no row yet
            with contextlib.suppress(AlreadyExists):
                await record(None)
                return
        await self._change(dataset.user_id, dataset.id, record)

    async def undo(self, user_id: str, dataset_id: str, revision: int, before: Dataset | None) -> None:
        """Removes a revision whose job did not complete, and records the dataset `before` it again. This is idempotent.

        If there was none before, an empty row stays, because deleting the row could delete a later revision. A dataset
        under legal hold, or whose deletion has begun, stays recorded then.
        """

        async def restore(entity: Entity | None) -> None:
            stored = from_entity(entity) if entity else None
            if entity is None or stored is None or stored.revision != revision:
                return
            row = Entity(user_id, dataset_id)
            if before is not None:
                row = to_entity(replace(before, keeping=stored.keeping.for_files_of(before.keeping)))
            elif stored.keeping.legal_hold or stored.keeping.deleting_since is not None:
                return
            await self._entities.apply(_TABLE, user_id, [Replace(replace(row, etag=entity.etag))])

        await self._change(user_id, dataset_id, restore)

    async def keep(
        self,
        user_id: str,
        dataset_id: str,
        change: Callable[[Dataset], Dataset],
        *,
        also_deleting: bool = False,
    ) -> Dataset:
        """Changes the tier of a dataset and how it is kept; returns the dataset as it is recorded then.

        `change` gets the recorded dataset and returns the new one, of which only `tier` and `keeping` are recorded. It
        is called again if another writer was faster. What it raises reaches the caller, and nothing is changed then.

        Raises:
            NotFound: this user has no such dataset.
        """

        async def record(entity: Entity | None) -> Dataset:
            stored = _read(entity, also_deleting=also_deleting)
            if entity is None or stored is None:
                raise _unknown(dataset_id)
            changed = change(stored)
            kept = replace(stored, tier=changed.tier, keeping=changed.keeping)
            if kept != stored:
                row = replace(to_entity(kept), etag=entity.etag)
                await self._entities.apply(_TABLE, user_id, [Replace(row)])
            return kept

        return await self._change(user_id, dataset_id, record)

    async def begin_deletion(
        self, user_id: str, dataset_id: str, now: datetime, *, only_as: Dataset | None = None
    ) -> Dataset:
        """Marks a dataset as being deleted, before its first blob is deleted. From then on nobody can read it.

        No legal hold can be set any more, either. This is idempotent.

        Raises:
            NotFound: this user has no such dataset.
            Conflict: the dataset is under legal hold, or it is no longer recorded as `only_as`, if that is given.
        """

        def begin(dataset: Dataset) -> Dataset:
            keeping = dataset.keeping
            if keeping.deleting_since is not None:
                return dataset
            if keeping.legal_hold:
                raise Conflict(f"The dataset {dataset_id} is under legal hold; it cannot be deleted.")
            if only_as is not None and dataset != only_as:
                raise Conflict(f"The dataset {dataset_id} was changed or used just now.")
            return replace(dataset, keeping=replace(keeping, deleting_since=now))

        return await self.keep(user_id, dataset_id, begin, also_deleting=True)

    async def may_delete(self, user_id: str, dataset_id: str) -> bool:
        """Whether the dataset is not under legal hold. What follows must begin with `begin_deletion` nevertheless."""
        dataset = await self.get(user_id, dataset_id, also_deleting=True)
        return dataset is None or not dataset.keeping.legal_hold

    async def _change[Result](
        self, user_id: str, dataset_id: str, change: Callable[[Entity | None], Awaitable[Result]]
    ) -> Result:
        busy = "The dataset's row is too busy."
        return await compare_and_swap(
            lambda: self._entities.get(_TABLE, user_id, dataset_id), change, busy=busy
        )

    async def delete_other_revisions(
        self, user_id: str, dataset_id: str, written_before: datetime, deadline: Deadline | None = None
    ) -> bool:
        """Deletes the blobs of all revisions except the recorded one that were written before this time.

        Nothing is deleted while the dataset is under legal hold. This is idempotent. It returns False if the deadline
        passed before the last blob: there may be some of each image.
        """
        dataset = await self.get(user_id, dataset_id, also_deleting=True)
        if dataset is not None and dataset.keeping.legal_hold:
            return True
        recorded = (dataset.id, dataset.revision) if dataset else None
        for prefix, revision_of in (
            (dataset_prefix(dataset_id), dataset_of),
            (derived_prefix(dataset_id), derived_from),
        ):
            async for info in self._blobs.list(prefix):
                if revision_of(info.name) == recorded or info.modified_at >= written_before:
                    continue
                if deadline is not None and deadline.passed:
                    return False
                await self._blobs.delete(info.name)
        return True

    async def erase(self, user_id: str, dataset_id: str, created_at: datetime) -> None:
        """Deletes the rows of a dataset whose blobs are deleted. This is idempotent.

        `created_at` is that of the dataset, which is that of its job.
        """
        # the dataset's row is the last one, because it says that there is something to erase
        await self._disown(dataset_id)
        listed = unmark(place_of(dataset_id, created_at))
        with contextlib.suppress(Changed):
            await self._entities.apply(_TABLE, user_id, [Delete(dataset_id), listed])

    async def erase_all(self, user_id: str) -> None:
        """Deletes what is left of a user's rows once all datasets are erased: rows without a dataset."""
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

    async def get(self, user_id: str, dataset_id: str, *, also_deleting: bool = False) -> Dataset | None:
        """Returns the dataset, or None if this user has no dataset of that id.

        A dataset whose deletion has begun is returned to those only who ask for it.
        """
        entity = await self._entities.get(_TABLE, user_id, dataset_id)
        return _read(entity, also_deleting=also_deleting)

    async def require(self, user_id: str, dataset_id: str) -> Dataset:
        """Returns the dataset.

        Raises:
            NotFound: this user has no such dataset.
        """
        dataset = await self.get(user_id, dataset_id)
        if dataset is None:
            raise _unknown(dataset_id)
        return dataset

    async def page(
        self, user_id: str, after: str = "", size: int = 100, *, also_deleting: bool = False
    ) -> Listing[Dataset]:
        """Returns up to `size` of the user's datasets after the place `after`, those of the newest jobs first.

        All revisions of a dataset have the same place.
        """
        read = from_entity if also_deleting else readable
        return await newest_first(self._entities, _TABLE, user_id, read, Span(after, size=size))


def _read(entity: Entity | None, *, also_deleting: bool) -> Dataset | None:
    if entity is None:
        return None
    return from_entity(entity) if also_deleting else readable(entity)


def _unknown(dataset_id: str) -> NotFound:
    return NotFound(f"There is no dataset {dataset_id}.")


def _kept_as(stored: Dataset, dataset: Dataset) -> Dataset:
    """Returns the dataset, kept as the stored revision is, which is the same one or an earlier one."""
    if stored.revision == dataset.revision:
        return replace(dataset, tier=stored.tier, keeping=stored.keeping)
    return replace(dataset, keeping=stored.keeping.for_files_of(dataset.keeping))
