"""Writes one log line soon after the start of a process: the health of the services that the app uses.

The host drops lines that are logged outside of an invocation. So the first invocation starts the check in the
background, and the first invocation that ends after the check writes the line.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Final

from shared.health.health import Check, Health, HealthStatus
from shared.health.probe import HealthProbe

_log = logging.getLogger(__name__)
_LEVELS: Final = {
    HealthStatus.HEALTHY: logging.INFO,
    HealthStatus.DEGRADED: logging.WARNING,
    HealthStatus.UNHEALTHY: logging.ERROR,
}


class StartReport:
    """Checks once and logs once. `place` names the place where the process runs.

    `wait_for_imports` blocks until storage's libraries are imported. If the event loop imported them, calls would wait.
    """

    def __init__(self, probe: HealthProbe, place: str, wait_for_imports: Callable[[], None]) -> None:
        self._probe = probe
        self._place = place
        self._wait_for_imports = wait_for_imports
        self._checking: asyncio.Task[Health] | None = None
        self._logged = False

    @contextlib.contextmanager
    def during_invocation(self) -> Iterator[None]:
        """Runs the block as an invocation. The line may be logged at its end."""
        if self._checking is None:
            self._checking = asyncio.create_task(self._check())
        try:
            yield
        finally:
            if self._checking.done() and not self._checking.cancelled() and not self._logged:
                self._logged = True
                health = self._checking.result()
                _log.log(_LEVELS[health.status], "%s", start_line(health, self._place))

    async def _check(self) -> Health:
        await asyncio.to_thread(self._wait_for_imports)
        return await self._probe.check()


def start_line(health: Health, place: str) -> str:
    """Returns the line: the status of every part, and the problems of those that are not healthy."""
    parts = ", ".join(_part(check) for check in health.checks)
    return f"Services at the start, {place}: {health.status}. {parts}."


def _part(check: Check) -> str:
    name = check.name.replace("_", " ")
    if check.status is HealthStatus.HEALTHY:
        if check.facts.get("configured") is False:
            return f"{name} not set up"
        return f"{name} {check.status} ({check.latency_ms:.0f} ms)"
    return f"{name} {check.status} ({(check.detail or '').rstrip('.')})"
