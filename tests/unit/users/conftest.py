from datetime import UTC, datetime, timedelta

import pytest


class ManualClock:
    """A clock that stands still until a test advances it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
