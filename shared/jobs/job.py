"""A job: one request for a dataset, and how far it is."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from shared.errors import Conflict
from shared.jobs.states import TRANSITIONS, State


class Webhook(StrEnum):
    """What became of the call that tells the job's owner of its end."""

    NONE = "none"
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: a stable code for programs, a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Job:
    """The job record. `etag` is the stored version that this value was read from, empty before the first write."""

    id: str
    user_id: str
    name: str
    state: State
    created_at: datetime
    updated_at: datetime
    webhook: Webhook = Webhook.NONE
    failure: Failure | None = None
    nudges: int = 0
    traceparent: str = ""
    etag: str = ""

    def moved(self, state: State, now: datetime, failure: Failure | None = None) -> Self:
        """The job in its next state.

        Raises:
            Conflict: the table of transitions has no such step.
        """
        if state not in TRANSITIONS[self.state]:
            raise Conflict(f"The job is {self.state} and cannot become {state}.")
        return replace(self, state=state, updated_at=now, failure=failure, nudges=0)

    @property
    def work_prefix(self) -> str:
        """Where the job's working blobs are; ends in a slash."""
        return work_prefix(self.id)

    @property
    def dataset_prefix(self) -> str:
        """Where the job's dataset is; ends in a slash."""
        return f"datasets/job_{self.id}/"


def work_prefix(job_id: str) -> str:
    """Where the working blobs of a job are; ends in a slash."""
    return f"work/job_{job_id}/"
