"""Telemetry that remembers, for tests, and telemetry that goes nowhere."""

from dataclasses import dataclass, field

from shared.telemetry.telemetry import Measurements, Properties


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal as it was emitted; `kind` is event, metric, dependency or exception."""

    kind: str
    name: str
    properties: Properties
    measurements: Measurements = field(default_factory=dict)


class RecordingTelemetry:
    """Keeps every signal in `signals`, in order."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []

    def event(self, name: str, properties: Properties, measurements: Measurements | None = None) -> None:
        """See `Telemetry.event`."""
        self.signals.append(Signal("event", name, dict(properties), dict(measurements or {})))

    def metric(self, name: str, value: float, properties: Properties | None = None) -> None:
        """See `Telemetry.metric`."""
        self.signals.append(Signal("metric", name, dict(properties or {}), {"value": value}))

    def dependency(
        self,
        name: str,
        kind: str,
        target: str,
        duration_seconds: float,
        *,
        success: bool,
        properties: Properties | None = None,
    ) -> None:
        """See `Telemetry.dependency`."""
        told = {**(properties or {}), "type": kind, "target": target, "success": success}
        self.signals.append(Signal("dependency", name, told, {"duration": duration_seconds}))

    def exception(self, error: BaseException, properties: Properties) -> None:
        """See `Telemetry.exception`."""
        self.signals.append(Signal("exception", type(error).__name__, dict(properties)))

    async def flush(self) -> None:
        """See `Telemetry.flush`."""

    def named(self, name: str) -> list[Signal]:
        """The signals of that name."""
        return [signal for signal in self.signals if signal.name == name]


class NoTelemetry:
    """Drops everything: where no Application Insights is set up."""

    def event(self, name: str, properties: Properties, measurements: Measurements | None = None) -> None:
        """See `Telemetry.event`."""

    def metric(self, name: str, value: float, properties: Properties | None = None) -> None:
        """See `Telemetry.metric`."""

    def dependency(
        self,
        name: str,
        kind: str,
        target: str,
        duration_seconds: float,
        *,
        success: bool,
        properties: Properties | None = None,
    ) -> None:
        """See `Telemetry.dependency`."""

    def exception(self, error: BaseException, properties: Properties) -> None:
        """See `Telemetry.exception`."""

    async def flush(self) -> None:
        """See `Telemetry.flush`."""
