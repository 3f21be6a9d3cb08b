"""Defines the message that follows a dataset on its way to another tier."""

from dataclasses import dataclass
from typing import ClassVar

from shared.datasets.dataset import Dataset
from shared.ids import PlainId
from shared.lifecycle.messages import Task


@dataclass(frozen=True, slots=True)
class FollowMove(Task):
    """Go on with the rehydration or the move of a dataset. `job_id` is the dataset's id, which is that of its job.

    `looks` is how often the messages of this chain have looked at the files.
    """

    kind: ClassVar[str] = "follow_move"

    user_id: PlainId
    job_id: PlainId
    chain: str
    looks: int = 0


def first_task(dataset: Dataset) -> FollowMove | None:
    """Returns the task that begins the chain of the dataset's rehydration or move; None if there is neither."""
    chain = dataset.keeping.chain
    return FollowMove(dataset.user_id, dataset.id, chain) if chain is not None else None
