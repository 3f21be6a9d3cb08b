"""Defines telemetry for the domain: four kinds of signals. Emitting one never fails and never waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

type Property = str | int | float | bool
type Properties = Mapping[str, Property]
type Measurements = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Dependency:
    """A call of another service, or a span of the app's own work (`kind` is then "InProc").

    `kind` is Azure Monitor's dependency type. `span_id` and `parent_id` are 16 lower-case hex digits. If `span_id` is
    empty, the span gets a new id. If `parent_id` is empty, the parent is the operation in which the caller runs.
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
    """The state of sending: counts of items, and when a batch was last accepted."""

    configured: bool
    backlog: int = 0
    dropped: int = 0
    last_success: datetime | None = None
    problem: str | None = None
    """Why the service accepts nothing at the moment, or why the settings cannot be used."""


class Telemetry(Protocol):
    """Accepts signals. No method blocks or raises. Signals that cannot be sent are dropped in the end.

    `shared.telemetry.signals` defines the names and fields of all signals. Call its functions rather than these
    methods.
    """

    def event(
        self,
        name: str,
        properties: Properties,
        measurements: Measurements | None = None,
        *,
        always: bool = False,
    ) -> None:
        """Reports an event of the product. With `always` it is never sampled."""
        ...

    def metric(self, name: str, value: float, properties: Properties | None = None) -> None:
        """Reports a number that can be added up or averaged. It is never sampled."""
        ...

    def dependency(self, dependency: Dependency) -> None:
        """Reports a call of another service, or a span."""
        ...

    def exception(self, error: BaseException, properties: Properties) -> None:
        """Reports an error that nobody handled, or that a person should see. It is never sampled."""
        ...

    async def flush(self, seconds: float = 1.0) -> None:
        """Sends the waiting items, for at most `seconds`. Returns at once while sending fails."""
        ...

    def state(self) -> TelemetryState:
        """Returns the state of sending."""
        ...
