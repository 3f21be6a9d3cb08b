"""Defines the health of the app's parts, and the rule by which the health of the app follows from it.

A part that does not answer is unhealthy if the app needs it, since no job can be accepted without it. Otherwise it is
degraded. A part that answers with a problem is degraded. The app has the status of its worst part.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

type Fact = str | int | float | bool | None
type Facts = Mapping[str, Fact]


class HealthStatus(StrEnum):
    """The status of a part or of the app, from good to bad."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Finding:
    """A part's answer: the problem in spite of which it works, if any, and facts for the operator."""

    problem: str | None = None
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """Something that the app uses. `ask` checks it, and raises an error if it does not work."""

    name: str
    ask: Callable[[], Awaitable[Finding]]
    needed: bool = True

    @property
    def failed(self) -> HealthStatus:
        """The status of the part if it does not work."""
        return HealthStatus.UNHEALTHY if self.needed else HealthStatus.DEGRADED


@dataclass(frozen=True, slots=True)
class Check:
    """The result of checking one part. `detail` says why it is not healthy."""

    name: str
    status: HealthStatus
    latency_ms: float
    detail: str | None = None
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """The health of the parts, and of the app."""

    checks: tuple[Check, ...]

    @property
    def status(self) -> HealthStatus:
        """The status of the worst part. It is healthy if there is no part."""
        order = list(HealthStatus)
        return max((check.status for check in self.checks), key=order.index, default=HealthStatus.HEALTHY)
