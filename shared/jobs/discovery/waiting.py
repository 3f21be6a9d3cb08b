"""Tells a job's owner for which sources discovery waits, until when, and why."""

from datetime import timedelta

from shared.clock import Clock
from shared.jobs.discovery.run import DiscoveryRun
from shared.jobs.discovery.streams import Turns

_SECONDS_BETWEEN = 2.0
_MOST = 3


class WaitingNotice:
    """Keeps a run's notice up to date, with few writes however many queries wait."""

    def __init__(self, run: DiscoveryRun, turns: Turns, clock: Clock) -> None:
        self._run = run
        self._turns = turns
        self._clock = clock
        self._told = -1 if run.notice else turns.changes
        self._at = self._until = float("-inf")

    async def look(self) -> None:
        """Call after a turn: save the notice if it has changed, at most every two seconds.

        Raises:
            Changed: another run is ahead.
        """
        if self._told != self._turns.changes and self._clock.monotonic() >= self._at + _SECONDS_BETWEEN:
            await self._tell()

    async def rest(self) -> None:
        """Call before all wait: save the notice if it has changed, or if the time in it is over.

        Raises:
            Changed: another run is ahead.
        """
        if self._told != self._turns.changes or (self._run.notice and self._clock.monotonic() >= self._until):
            await self._tell()

    async def _tell(self) -> None:
        waiting = self._turns.waiting()
        self._told, self._at = self._turns.changes, self._clock.monotonic()
        self._until = self._at + min(waiting.values(), default=0.0)
        now = self._clock.now()
        lines = [
            f"{kind} is asked again at {now + timedelta(seconds=left):%Y-%m-%dT%H:%M:%SZ}: {why}"
            for (kind, why), left in sorted(waiting.items(), key=lambda item: item[1])
        ]
        more = f" And {len(lines) - _MOST} more." if len(lines) > _MOST else ""
        await self._run.tell(f"Waiting: {' '.join(lines[:_MOST])}{more}" if lines else "")
