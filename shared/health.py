"""How the app's parts are, told by asking each of them something small."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.clock import Clock
from shared.errors import AppError

type Status = Literal["healthy", "degraded", "unhealthy"]

_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Part:
    """Something that the app uses. `ask` raises where it does not answer; without a `needed` part nothing works."""

    name: str
    ask: Callable[[], Awaitable[object]]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """How one part is."""

    name: str
    status: Status
    latency_ms: float
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How the parts are, and so the whole: as bad as the worst of them."""

    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """Unhealthy where a needed part fails, degraded where another does."""
        found = {check.status for check in self.checks}
        return next((status for status in ("unhealthy", "degraded") if status in found), "healthy")


class HealthProbe:
    """Asks the parts, all at once, each for five seconds at most."""

    def __init__(self, parts: Sequence[Part], clock: Clock) -> None:
        self._parts = parts
        self._clock = clock

    async def look(self, *, only_needed: bool) -> Health:
        """The health of the parts."""
        asked = [part for part in self._parts if part.needed or not only_needed]
        return Health(tuple(await asyncio.gather(*(self._check(part) for part in asked))))

    async def _check(self, part: Part) -> Check:
        began = self._clock.monotonic()
        failed: Status = "unhealthy" if part.needed else "degraded"
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await part.ask()
        except AppError as error:
            return Check(part.name, failed, self._since(began), error.detail)
        except TimeoutError:
            return Check(part.name, failed, self._since(began), "no answer within 5 seconds")
        return Check(part.name, "healthy", self._since(began))

    def _since(self, began: float) -> float:
        return round((self._clock.monotonic() - began) * 1000, 1)
