"""Reports to a job's owner which sources discovery waits for, until when, and why."""

from datetime import timedelta

from shared.clock import Clock
from shared.jobs.discovery.run import DiscoveryRun
from shared.jobs.discovery.streams import Turns

_SECONDS_BETWEEN_WRITES = 2.0
_MAX_REASONS = 3


class WaitingNotice:
    """Keeps the notice of a run up to date. The number of writes does not grow with the number of waiting queries."""

    def __init__(self, run: DiscoveryRun, turns: Turns, clock: Clock) -> None:
        self._run = run
        self._turns = turns
        self._clock = clock
        # The value of `reason_changes` at the last write. A notice of an earlier slice is written anew.
        self._written_changes = -1 if run.notice else turns.reason_changes
        self._written_at = self._valid_until = float("-inf")

    async def update(self) -> None:
        """Saves the notice if it has changed, at most every two seconds. Call it after each turn.

        Raises:
            Changed: another run is ahead.
        """
        if self._has_changed and self._clock.monotonic() >= self._written_at + _SECONDS_BETWEEN_WRITES:
            await self._write()

    async def update_before_wait(self) -> None:
        """Saves the notice if it has changed, or if the time in it has passed. Call it before all streams wait.

        Raises:
            Changed: another run is ahead.
        """
        has_passed = bool(self._run.notice) and self._clock.monotonic() >= self._valid_until
        if self._has_changed or has_passed:
            await self._write()

    @property
    def _has_changed(self) -> bool:
        return self._written_changes != self._turns.reason_changes

    async def _write(self) -> None:
        waits = self._turns.waits()
        self._written_changes, self._written_at = self._turns.reason_changes, self._clock.monotonic()
        self._valid_until = self._written_at + min(waits.values(), default=0.0)
        now = self._clock.now()
        lines = [
            f"{kind} is asked again at {now + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}: {reason}"
            for (kind, reason), seconds in sorted(waits.items(), key=lambda item: item[1])
        ]
        more = f" And {len(lines) - _MAX_REASONS} more." if len(lines) > _MAX_REASONS else ""
        await self._run.save_notice(f"Waiting: {' '.join(lines[:_MAX_REASONS])}{more}" if lines else "")
