"""Moves the files of datasets to cheaper tiers, and records their new tier.

First the row of a dataset says that it is on its way, if nobody has changed or used it since its step was found to be
due. So nobody can ask for the contrary while the files move, or get links that end with the move. Then the files move,
and at last the row says where they are. A call that dies in between is made again by the next slice, or else the next
run completes the move as one that somebody has asked for.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.datasets.files import stored_files
from shared.datasets.keeping import Move
from shared.errors import AppError, Damaged, NotFound
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

        A file that is in this tier already, or in a lower one, stays where it is. A move that was
        begun with the same `now` is continued.

        Returns:
            Whether this call has recorded the tier. It does not if another one was faster, or if the dataset was used
            or changed since it was read.

        Raises:
            Damaged: a file is gone.
            OutOfTimeError: the deadline has passed. Another call continues.
            Unavailable: storage did not answer.
        """
        stored = {info.name: info for info in await stored_files(self.blobs, dataset)}
        gone = [name for name in files if name not in stored]
        if gone:
            raise Damaged(f"{len(gone)} of {len(files)} files of dataset {dataset.id} are gone.")

        if not await self._begin(dataset, tier, now):
            return False

        async def set_tier(info: BlobInfo) -> None:
            await self.blobs.set_tier(info.name, tier)

        movable = [stored[name] for name in files if _can_move(stored[name], tier)]
        try:
            if not await change_each(movable, set_tier, deadline):
                raise OutOfTimeError
        except AppError:
            await self._keep(dataset, lambda found: without_move_of(found, now))
            raise
        return await self._record(dataset, tier, now)

    async def _begin(self, dataset: Dataset, tier: Tier, now: datetime) -> bool:
        """Records that the dataset is on its way; returns False if it is no longer as it was read."""
        begun = False

        def begin(found: Dataset) -> Dataset:
            nonlocal begun
            begun = without_move_of(found, now) == dataset
            move = Move(tier, now, _chain_of(now))
            return replace(found, keeping=replace(found.keeping, move=move)) if begun else found

        await self._keep(dataset, begin)
        return begun

    async def _record(self, dataset: Dataset, tier: Tier, now: datetime) -> bool:
        recorded = False

        def moved(found: Dataset) -> Dataset:
            nonlocal recorded
            recorded = found.revision == dataset.revision and tier_of_move(found, now) is tier
            if not recorded:
                return found
            return replace(found, tier=tier, keeping=replace(found.keeping, move=None, tier_changed_at=now))

        await self._keep(dataset, moved)
        return recorded

    async def _keep(self, dataset: Dataset, change: Callable[[Dataset], Dataset]) -> None:
        # the deletion of a dataset that is not found has begun
        with suppress(NotFound):
            await self.catalog.keep(dataset.user_id, dataset.id, change)


def tier_of_move(dataset: Dataset, run: datetime) -> Tier | None:
    """Returns the tier that the run which began at this time has begun to move the dataset to; None if it has not."""
    move = dataset.keeping.move
    return move.tier if move is not None and move.chain == _chain_of(run) else None


def _chain_of(run: datetime) -> str:
    # the chains of moves that somebody has asked for are random
    return f"run-{run.isoformat()}"


def without_move_of(dataset: Dataset, run: datetime) -> Dataset:
    """Returns the dataset as it was before the run that began at this time began to move it."""
    if tier_of_move(dataset, run) is None:
        return dataset
    return replace(dataset, keeping=replace(dataset.keeping, move=None))


def _can_move(info: BlobInfo, tier: Tier) -> bool:
    return info.rehydrating_to is None and tier.is_colder_than(info.tier or Tier.HOT)
