"""Handles the messages that follow datasets on their way to another tier."""

from dataclasses import dataclass

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.errors import NotFound
from shared.lifecycle.moves.moving import Moves
from shared.lifecycle.moves.rehydrating import Rehydrations
from shared.lifecycle.moves.task import FollowMove
from shared.lifecycle.task_queue import Again, Kind


@dataclass(frozen=True, slots=True)
class FollowMoves:
    """Handles tasks of the kind `follow_move`. Messages of an earlier chain have no effect."""

    catalog: Catalog
    rehydrations: Rehydrations
    moves: Moves

    @property
    def kind(self) -> Kind[FollowMove]:
        """The kind of task that it handles."""
        return Kind(FollowMove, self.handle)

    async def handle(self, task: FollowMove, deadline: Deadline) -> Again | None:
        """Goes on with the rehydration or the move of a dataset; returns the further task unless it is complete.

        Raises:
            Unavailable: storage did not answer; the message should come again.
        """
        dataset = await self.catalog.get(task.user_id, task.job_id)
        if dataset is None or dataset.keeping.chain != task.chain:
            return None
        rehydration, move = dataset.keeping.rehydration, dataset.keeping.move
        try:
            if rehydration is not None:
                return await self.rehydrations.run(dataset, rehydration, task, deadline)
            if move is not None:
                return await self.moves.run(dataset, move, task, deadline)
        except NotFound:
            # the deletion of the dataset has begun
            return None
        return None
