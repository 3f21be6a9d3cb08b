"""A clock that a test advances."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """A clock that a test advances. Each read of the monotonic time advances it by `tick` seconds."""

    def __init__(self, moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.moment = moment
        self.seconds = 0.0
        self.tick = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        self.seconds += self.tick
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds
