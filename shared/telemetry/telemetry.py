"""Telemetry as the domain sees it: four kinds of signals, none of which ever fails or waits."""

from collections.abc import Mapping
from typing import Protocol

type Property = str | int | float | bool
type Properties = Mapping[str, Property]
type Measurements = Mapping[str, float]


class Telemetry(Protocol):
    """Takes signals. No method blocks or raises; what cannot be sent is dropped in the end.

    The signals' names and fields live in `shared.telemetry.signals`; call those functions rather than these.
    """

    def event(self, name: str, properties: Properties, measurements: Measurements | None = None) -> None:
        """Something happened that the product cares about."""
        ...

    def metric(self, name: str, value: float, properties: Properties | None = None) -> None:
        """A number to be added up or averaged."""
        ...

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
        """A call to another service and how it went; `kind` is Azure Monitor's dependency type."""
        ...

    def exception(self, error: BaseException, properties: Properties) -> None:
        """An error that nobody handled, or that a person should see."""
        ...

    async def flush(self) -> None:
        """Send what is buffered, within a few seconds."""
        ...
