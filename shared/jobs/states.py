"""The states of a job, and the one table of transitions between them."""

from enum import StrEnum


class State(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    DISCOVERING = "discovering"
    CRAWLING = "crawling"
    ARCHIVING = "archiving"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether the job has ended."""
        return not TRANSITIONS[self]


_ENDS = frozenset({State.FAILED, State.CANCELLED})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: _ENDS | {State.DISCOVERING},
    State.DISCOVERING: _ENDS | {State.CRAWLING},
    State.CRAWLING: _ENDS | {State.ARCHIVING},
    State.ARCHIVING: _ENDS | {State.COMPLETED},
    State.COMPLETED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""Where a job may go from each state; changed only by compare-and-swap on the job's ETag."""
