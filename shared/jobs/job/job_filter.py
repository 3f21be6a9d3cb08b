"""Says which jobs of a user are listed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.jobs.job.job import Job
from shared.jobs.job.states import State


@dataclass(frozen=True, slots=True)
class JobFilter:
    """The conditions for a job to be listed. All of them hold; None and an empty name set no condition.

    Attributes:
        state: The state of the job.
        name: A part of its name, in capitals or not.
        since: The time at which it was created, or an earlier one.
    """

    state: State | None = None
    name: str = ""
    since: datetime | None = None

    def matches(self, job: Job) -> bool:
        """Returns whether the job is listed."""
        has_state = self.state is None or job.state is self.state
        is_new = self.since is None or job.created_at >= self.since
        return has_state and is_new and self.name.casefold() in job.name.casefold()


ALL_JOBS: Final = JobFilter()
