"""Telemetry as the domain sees it: four kinds of signals, none of which ever fails or waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

type Property = str | int | float | bool
type Properties = Mapping[str, Property]
type Measurements = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Dependency:
    """A call to another service, or a span of the app's own work (`kind` is then "InProc").

    `kind` is Azure Monitor's dependency type. The ids of the span and of its parent are 16 lower-case hex digits. Where
    they are empty, the span gets an id of its own, and its parent is the operation that the caller runs in.
    """

    name: str
    kind: str
    target: str
    duration_seconds: float
    success: bool
    result_code: str = ""
    properties: Properties = field(default_factory=dict)
    measurements: Measurements = field(default_factory=dict)
    span_id: str = ""
    parent_id: str = ""


@dataclass(frozen=True, slots=True)
class TelemetryState:
    """How the sending goes: counts of items, and when a batch last arrived."""

    configured: bool
    backlog: int = 0
    dropped: int = 0
    last_success: datetime | None = None
    problem: str | None = None
    """Why nothing arrives at the moment, or why the settings cannot be used."""


class Telemetry(Protocol):
    """Takes signals. No method blocks or raises; what cannot be sent is dropped in the end.

    The signals' names and fields live in `shared.telemetry.signals`; call those functions rather than these.
    """

    def event(
        self,
        name: str,
        properties: Properties,
        measurements: Measurements | None = None,
        *,
        always: bool = False,
    ) -> None:
        """Something happened that the product cares about. One that is sent `always` is never sampled."""
        ...

    def metric(self, name: str, value: float, properties: Properties | None = None) -> None:
        """A number to be added up or averaged; never sampled."""
        ...

    def dependency(self, dependency: Dependency) -> None:
        """A call to another service and how it went."""
        ...

    def exception(self, error: BaseException, properties: Properties) -> None:
        """An error that nobody handled, or that a person should see; never sampled."""
        ...

    async def flush(self, seconds: float = 1.0) -> None:
        """Send what is buffered, within so many seconds. It returns at once where sending fails at the moment."""
        ...

    def state(self) -> TelemetryState:
        """How the sending goes."""
        ...
