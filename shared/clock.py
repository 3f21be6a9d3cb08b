"""The time, as an object that tests can replace: wall clock time for records, monotonic time for durations."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of the time."""

    def now(self) -> datetime:
        """Returns the current time in UTC, with its time zone."""
        ...

    def monotonic(self) -> float:
        """Returns the seconds since an arbitrary point. The value never decreases."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Deadline:
    """The time by which a step must have saved its work and returned. `at` is monotonic time of `clock`."""

    clock: Clock
    at: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        """Returns the deadline that is `seconds` from now."""
        return cls(clock, clock.monotonic() + seconds)

    @property
    def remaining_seconds(self) -> float:
        """The seconds until the deadline. After it, this is 0."""
        return max(0.0, self.at - self.clock.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the deadline is reached."""
        return self.remaining_seconds <= 0.0
