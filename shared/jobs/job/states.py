"""Defines the states of a job, the table of transitions between them, and the history of a job's states."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


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

MOST_STEPS: Final = 40
"""How many steps the history of a job has at most. Earlier ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Step:
    """A job entered a state, in a revision and at a time."""

    revision: int
    state: State
    at: datetime
