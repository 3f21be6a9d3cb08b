"""Implements `Telemetry` for tests, which read the signals, and for apps that send none."""

from dataclasses import dataclass, field

from shared.telemetry.telemetry import Dependency, Measurements, Properties, TelemetryState


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal that was emitted. `kind` is event, metric, dependency or exception."""

    kind: str
    name: str
    properties: Properties
    measurements: Measurements = field(default_factory=dict)
    always: bool = True


class RecordingTelemetry:
    """Keeps every signal in `signals`, in order."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []

    def event(
        self,
        name: str,
        properties: Properties,
        measurements: Measurements | None = None,
        *,
        always: bool = False,
    ) -> None:
        """See `Telemetry.event`."""
        self.signals.append(Signal("event", name, dict(properties), dict(measurements or {}), always))

    def metric(self, name: str, value: float, properties: Properties | None = None) -> None:
        """See `Telemetry.metric`."""
        self.signals.append(Signal("metric", name, dict(properties or {}), {"value": value}))

    def dependency(self, dependency: Dependency) -> None:
        """See `Telemetry.dependency`."""
        properties = {
            **dependency.properties,
            "type": dependency.kind,
            "target": dependency.target,
            "success": dependency.success,
        }
        measurements = {**dependency.measurements, "duration": dependency.duration_seconds}
        self.signals.append(Signal("dependency", dependency.name, properties, measurements, always=False))

    def exception(self, error: BaseException, properties: Properties) -> None:
        """See `Telemetry.exception`."""
        self.signals.append(Signal("exception", type(error).__name__, dict(properties)))

    async def flush(self, seconds: float = 1.0) -> None:
        """See `Telemetry.flush`."""

    def state(self) -> TelemetryState:
        """See `Telemetry.state`."""
        return TelemetryState(configured=True)

    def named(self, name: str) -> list[Signal]:
        """Returns the signals of this name."""
        return [signal for signal in self.signals if signal.name == name]


class NoTelemetry:
    """Drops all signals, because no Application Insights is set up, or because of the `problem` with its setting."""

    def __init__(self, problem: str | None = None) -> None:
        self._problem = problem

    def event(
        self,
        name: str,
        properties: Properties,
        measurements: Measurements | None = None,
        *,
        always: bool = False,
    ) -> None:
        """See `Telemetry.event`."""

    def metric(self, name: str, value: float, properties: Properties | None = None) -> None:
        """See `Telemetry.metric`."""

    def dependency(self, dependency: Dependency) -> None:
        """See `Telemetry.dependency`."""

    def exception(self, error: BaseException, properties: Properties) -> None:
        """See `Telemetry.exception`."""

    async def flush(self, seconds: float = 1.0) -> None:
        """See `Telemetry.flush`."""

    def state(self) -> TelemetryState:
        """See `Telemetry.state`."""
        return TelemetryState(configured=False, problem=self._problem)
