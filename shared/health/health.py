"""What is known of the health of the app's parts, and the rule that makes one verdict of it.

A part that does not answer is unhealthy if the app needs it, since no job can be taken without it; else it is degraded.
A part that answers with a problem is degraded. The app is as healthy as its worst part.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

type Fact = str | int | float | bool | None
type Facts = Mapping[str, Fact]


class Status(StrEnum):
    """From good to bad."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a part answered: the problem that it works in spite of, and facts for whoever looks into it."""

    problem: str | None = None
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """Something that the app uses. `ask` raises an error if the part does not work."""

    name: str
    ask: Callable[[], Awaitable[Finding]]
    needed: bool = True

    @property
    def failed(self) -> Status:
        """What the part is if it does not work."""
        return Status.UNHEALTHY if self.needed else Status.DEGRADED


@dataclass(frozen=True, slots=True)
class Check:
    """How one part was when it was asked; `detail` says why it is not healthy."""

    name: str
    status: Status
    latency_ms: float
    detail: str | None = None
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """How the parts are, and so the whole."""

    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """The status of the worst part; healthy without any part."""
        order = list(Status)
        return max((check.status for check in self.checks), key=order.index, default=Status.HEALTHY)
