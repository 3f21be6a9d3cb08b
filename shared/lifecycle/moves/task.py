"""Defines the message that follows a dataset on its way to another tier."""

from dataclasses import dataclass
from typing import ClassVar

from shared.datasets.dataset import Dataset
from shared.ids import PlainId
from shared.lifecycle.messages import Task


@dataclass(frozen=True, slots=True)
class FollowMove(Task):
    """The task to go on with the rehydration or the move of a dataset.

    `job_id` is the id of the dataset and of its job. `checks` is how often the messages of this chain have checked the
    files.
    """

    kind: ClassVar[str] = "follow_move"

    user_id: PlainId
    job_id: PlainId
    chain: str
    checks: int = 0


def first_task(dataset: Dataset) -> FollowMove | None:
    """Returns the task that begins the chain of the dataset's rehydration or move; None if there is neither."""
    chain = dataset.keeping.chain
    return FollowMove(dataset.user_id, dataset.id, chain) if chain is not None else None
