"""Moves datasets between tiers because their owners have asked for it."""

from dataclasses import dataclass, replace

from shared.clock import Clock, Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.datasets.files import files_that_move, stored_files
from shared.datasets.keeping import Move
from shared.lifecycle.moves.files import change_each
from shared.lifecycle.moves.task import FollowMove
from shared.lifecycle.task_queue import Again
from shared.storage.blobs import BlobInfo, Tier, TierStore


@dataclass(frozen=True, slots=True)
class Moves:
    """Carries out moves. Safe to run twice, at the same time, and to die at any line."""

    catalog: Catalog
    blobs: TierStore
    clock: Clock

    async def run(self, dataset: Dataset, move: Move, task: FollowMove, deadline: Deadline) -> Again | None:
        """Moves all files; returns the next message if there was no time for all of them.

        Files in the Archive tier stay there: a move never begins a rehydration, which costs more than other moves.

        Raises:
            Unavailable: storage did not answer; the message should come again.
        """

        async def change(info: BlobInfo) -> None:
            await self.blobs.set_tier(info.name, move.tier)

        files = files_that_move(await stored_files(self.blobs, dataset))
        elsewhere = [info for info in files if info.tier not in {move.tier, Tier.ARCHIVE}]
        if not await change_each(elsewhere, change, deadline):
            return Again(task)
        now = self.clock.now()

        def moved(stored: Dataset) -> Dataset:
            if stored.keeping.chain != task.chain:
                return stored
            keeping = replace(stored.keeping, move=None, tier_changed_at=now)
            return replace(stored, tier=move.tier, keeping=keeping)

        await self.catalog.keep(dataset.user_id, dataset.id, moved)
        return None
