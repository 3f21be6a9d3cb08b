"""Paces the calls of a service that allows a limited number of calls a second."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.clock import Clock, Deadline


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock and the sleep that calls use."""

    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class CallPace:
    """Lets at most `per_second` calls begin a second, evenly spaced, for one process and one event loop."""

    def __init__(self, per_second: float, timing: Timing) -> None:
        self._seconds = 1 / per_second
        self._clock = timing.clock
        self._sleep = timing.sleep
        self._next = self._pause_ends = timing.clock.monotonic()

    async def wait(self, deadline: Deadline) -> bool:
        """Waits until the next call may begin, also if a pause begins meanwhile.

        Returns False, without the wait, if that is after the deadline.
        """
        while True:
            pause_ends = self._pause_ends
            at = max(self._clock.monotonic(), self._next)
            if at > deadline.at:
                return False
            self._next = at + self._seconds
            await self._sleep(at - self._clock.monotonic())
            if self._pause_ends == pause_ends:
                return True

    def pause(self, seconds: float) -> None:
        """Lets no call begin for this many seconds, because the service has asked for a pause."""
        ends = self._clock.monotonic() + seconds
        if ends > self._pause_ends:
            self._pause_ends = self._next = ends
