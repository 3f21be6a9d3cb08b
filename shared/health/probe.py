"""Checks the parts of the app at the same time, for two seconds at most. Results are used again for some seconds."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from shared.clock import Clock
from shared.errors import AppError
from shared.health.health import Check, Finding, Health, HealthStatus, Part

_log = logging.getLogger(__name__)

# time to handle the time-out of a part
_GRACE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class ProbeLimits:
    """How long a part may take to answer, and how long its answer is used.

    A failure is used for a shorter time, so that the app soon notices that a service works again.
    """

    answer_seconds: float = 2.0
    fresh_seconds: float = 5.0
    failure_fresh_seconds: float = 1.0


class HealthProbe:
    """Checks parts. Callers that ask during a check share its result.

    A probe belongs to one event loop.
    """

    def __init__(self, parts: Sequence[Part], clock: Clock, limits: ProbeLimits | None = None) -> None:
        self._parts = [_PartProbe(part, clock, limits or ProbeLimits()) for part in parts]

    async def check(self, *, needed_only: bool = False) -> Health:
        """Returns the health of the parts, within the time that a part has to answer.

        Errors of parts are not raised.
        """
        asked = [probe.check() for probe in self._parts if probe.part.needed or not needed_only]
        return Health(tuple(await asyncio.gather(*asked)))


class _PartProbe:
    """Checks one part. It holds the check that is running, and the latest result."""

    def __init__(self, part: Part, clock: Clock, limits: ProbeLimits) -> None:
        self.part = part
        self._clock = clock
        self._limits = limits
        self._began = 0.0
        self._asking: asyncio.Task[Check] | None = None
        self._latest: Check | None = None
        self._fresh_until = 0.0

    async def check(self) -> Check:
        now = self._clock.monotonic()
        if self._latest is not None and now < self._fresh_until:
            return self._latest
        if self._asking is None or self._asking.done():
            self._began = now
            self._asking = asyncio.create_task(self._ask())
        asking = self._asking
        # A caller that is cancelled does not cancel the check. A check that does not end is not waited for.
        waiting_seconds = self._began + self._limits.answer_seconds + _GRACE_SECONDS - now
        await asyncio.wait({asking}, timeout=max(0.0, waiting_seconds))
        return asking.result() if asking.done() else self._late()

    async def _ask(self) -> Check:
        """Checks the part, and keeps the result for a while."""
        check = await self._answer()
        limits = self._limits
        fresh = limits.fresh_seconds if check.status is HealthStatus.HEALTHY else limits.failure_fresh_seconds
        self._fresh_until = self._clock.monotonic() + fresh
        self._latest = check
        return check

    async def _answer(self) -> Check:
        part = self.part
        try:
            async with asyncio.timeout(self._limits.answer_seconds):
                finding = await part.ask()
        except AppError as error:
            return self._check(part.failed, Finding(error.detail))
        except TimeoutError:
            return self._late()
        except Exception as error:  # noqa: BLE001 - any error means that the part does not work
            detail = f"failed: {type(error).__name__}"
            if self._latest is None or self._latest.detail != detail:
                _log.warning("the health of %s could not be checked", part.name, exc_info=error)
            return self._check(part.failed, Finding(detail))
        return self._check(HealthStatus.DEGRADED if finding.problem else HealthStatus.HEALTHY, finding)

    def _late(self) -> Check:
        seconds = self._limits.answer_seconds
        return self._check(self.part.failed, Finding(f"no answer within {seconds:g} seconds"))

    def _check(self, status: HealthStatus, finding: Finding) -> Check:
        latency_ms = round((self._clock.monotonic() - self._began) * 1000, 1)
        return Check(self.part.name, status, latency_ms, finding.problem, finding.facts)
