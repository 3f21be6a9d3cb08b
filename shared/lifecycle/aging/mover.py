"""Moves the files of datasets to cheaper tiers, and records their new tier.

The files move first, and then the dataset's row says so. A call that dies in between is made again by the next slice or
the next run, which finds the files that have moved already.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.datasets.files import stored_files
from shared.errors import Damaged, NotFound
from shared.lifecycle.moves.files import change_each
from shared.storage.blobs import BlobInfo, Tier, TierStore


class OutOfTimeError(Exception):
    """The deadline has passed, and the dataset has not moved completely."""


@dataclass(frozen=True, slots=True)
class Mover:
    """Moves datasets. Each call may be made twice, also at the same time."""

    blobs: TierStore
    catalog: Catalog

    async def move(
        self, dataset: Dataset, files: tuple[str, ...], tier: Tier, now: datetime, deadline: Deadline
    ) -> bool:
        """Moves files of a dataset down to a tier, and records this with the time `now`.

        A file that is in this tier already, or in a lower one, stays where it is.

        Returns:
            Whether this call has recorded the tier. It does not if another one was faster, or if the files are no
            longer those of the recorded dataset.

        Raises:
            Damaged: a file is gone.
            OutOfTimeError: the deadline has passed. Another call continues.
            Unavailable: storage did not answer.
        """
        stored = {info.name: info for info in await stored_files(self.blobs, dataset)}
        gone = [name for name in files if name not in stored]
        if gone:
            raise Damaged(f"{len(gone)} of {len(files)} files of dataset {dataset.id} are gone.")

        async def set_tier(info: BlobInfo) -> None:
            await self.blobs.set_tier(info.name, tier)

        movable = [stored[name] for name in files if _can_move(stored[name], tier)]
        if not await change_each(movable, set_tier, deadline):
            raise OutOfTimeError
        return await self._record(dataset, tier, now)

    async def _record(self, dataset: Dataset, tier: Tier, now: datetime) -> bool:
        recorded = False

        def moved(found: Dataset) -> Dataset:
            nonlocal recorded
            recorded = found.revision == dataset.revision and tier.is_colder_than(found.tier)
            if not recorded:
                return found
            return replace(found, tier=tier, keeping=replace(found.keeping, tier_changed_at=now))

        try:
            await self.catalog.keep(dataset.user_id, dataset.id, moved)
        except NotFound:
            return False
        return recorded


def _can_move(info: BlobInfo, tier: Tier) -> bool:
    return info.rehydrating_to is None and tier.is_colder_than(info.tier or Tier.HOT)
