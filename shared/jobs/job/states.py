"""Defines the states of a job, and the table of transitions between them."""

from enum import StrEnum


class State(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    DISCOVERING = "discovering"
    CRAWLING = "crawling"
    ARCHIVING = "archiving"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether the job has ended. Only a retry leads out of such a state."""
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
"""The states that may follow each state. A job changes its state only by compare-and-swap on its ETag.

A job goes from crawling back to discovering if too few candidates were kept and its sources have more. Only a retry
leads out of a terminal state, and it gives the job its next revision.
"""
