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
        """Whether the job has ended; a retry begins it anew."""
        return self in _TERMINAL


_ENDS = frozenset({State.FAILED, State.CANCELLED})
_TERMINAL = _ENDS | {State.COMPLETED}

TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: _ENDS | {State.DISCOVERING},
    State.DISCOVERING: _ENDS | {State.CRAWLING},
    State.CRAWLING: _ENDS | {State.ARCHIVING, State.DISCOVERING},
    State.ARCHIVING: _ENDS | {State.COMPLETED},
    State.COMPLETED: frozenset({State.QUEUED}),
    State.FAILED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset({State.QUEUED}),
}
"""Where a job may go from each state; changed only by compare-and-swap on the job's ETag.

From crawling a job goes back to discovering where too few candidates were kept and its sources have more.
Only a retry leads out of a terminal state, and with it the job gets its next revision.
"""
