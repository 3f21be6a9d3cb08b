"""Moves datasets between tiers because their owners have asked for it."""

from dataclasses import dataclass, replace

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.datasets.files import files_that_move, stored_files
from shared.datasets.keeping import Move
from shared.errors import Permanent
from shared.lifecycle.moves.files import change_each
from shared.lifecycle.moves.task import FollowMove
from shared.lifecycle.task_queue import Again
from shared.runtime import Runtime
from shared.storage.blobs import BlobInfo, Tier, TierStore
from shared.telemetry import signals


@dataclass(frozen=True, slots=True)
class Moves:
    """Carries out moves. Safe to run twice, at the same time, and to die at any line."""

    catalog: Catalog
    blobs: TierStore
    runtime: Runtime

    async def run(self, dataset: Dataset, move: Move, task: FollowMove, deadline: Deadline) -> Again | None:
        """Moves all files; returns the further task if there was no time for all of them.

        Files in the Archive tier stay there: a move never begins a rehydration, which costs more than other moves. If
        storage refuses the move for good, for example because the account has no Archive tier, it is reported and taken
        off the record, so that others can be asked for.

        Raises:
            Unavailable: storage did not answer; the message should come again.
        """

        async def change(info: BlobInfo) -> None:
            await self.blobs.set_tier(info.name, move.tier)

        files = files_that_move(await stored_files(self.blobs, dataset))
        elsewhere = [info for info in files if info.tier not in {move.tier, Tier.ARCHIVE}]
        is_refused = False
        try:
            if not await change_each(elsewhere, change, deadline):
                return Again(task)
        except Permanent as error:
            is_refused = True
            signals.failure(self.runtime.telemetry, error, operation="move_dataset", dataset=dataset.id)
        await self._end(dataset, task, is_refused=is_refused)
        return None

    async def _end(self, dataset: Dataset, task: FollowMove, *, is_refused: bool) -> None:
        """Takes the move off the record, and unless it was refused, records the new tier."""
        now = self.runtime.clock.now()

        def end(stored: Dataset) -> Dataset:
            keeping, move = stored.keeping, stored.keeping.move
            if keeping.chain != task.chain or move is None:
                return stored
            if is_refused:
                return replace(stored, keeping=replace(keeping, move=None))
            return replace(stored, tier=move.tier, keeping=replace(keeping, move=None, tier_changed_at=now))

        await self.catalog.keep(dataset.user_id, dataset.id, end)
