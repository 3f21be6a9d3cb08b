"""Implements `Telemetry` with Application Insights. Callers only make items; a thread encodes and sends them.

An operation is sampled as a whole, by a hash of its id. Each item that is sent carries the sampling rate, so the portal
shows the right counts. Metrics, exceptions, and events with `always` are never sampled.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.clock import Clock, SystemClock
from shared.telemetry.azure_monitor.exceptions import details_of
from shared.telemetry.azure_monitor.items import Content, EventItem, ExceptionItem, Item, MetricItem, texts_of
from shared.telemetry.azure_monitor.sampling import is_sampled
from shared.telemetry.azure_monitor.sender import Sender, SenderConfig
from shared.telemetry.connection_string import Destination
from shared.telemetry.correlation import current_operation
from shared.telemetry.privacy import mask_address
from shared.telemetry.telemetry import Dependency, Measurements, Properties, TelemetryState

if TYPE_CHECKING:
    from shared.telemetry.azure_monitor.transport import TokenCredential

_MOST_TARGET = 2048
_ADDRESS = "client_ip"


@dataclass(frozen=True, slots=True)
class AzureMonitorConfig:
    """Describes the app that reports. `sampling_rate` is the share of operations (0 to 1) that are sent."""

    environment: str
    role: str
    instance: str
    sampling_rate: float = 0.1
    sender: SenderConfig = field(default_factory=SenderConfig)
    masks_addresses: bool = True


class AzureMonitorTelemetry:
    """Implements `Telemetry`."""

    def __init__(
        self,
        destination: Destination,
        config: AzureMonitorConfig,
        clock: Clock | None = None,
        make_credential: "Callable[[], TokenCredential] | None" = None,
    ) -> None:
        self._config = config
        tags = {"ai.cloud.role": config.role, "ai.cloud.roleInstance": config.instance}
        self._sender = Sender(destination, tags, config.sender, clock or SystemClock(), make_credential)

    def event(
        self,
        name: str,
        properties: Properties,
        measurements: Measurements | None = None,
        *,
        always: bool = False,
    ) -> None:
        """See `Telemetry.event`."""
        self._emit(EventItem(name, dict(measurements or {})), properties, sampled=not always)

    def metric(self, name: str, value: float, properties: Properties | None = None) -> None:
        """See `Telemetry.metric`."""
        self._emit(MetricItem(name, value), properties or {}, sampled=False)

    def dependency(self, dependency: Dependency) -> None:
        """See `Telemetry.dependency`."""
        # the item's own copy of the properties is cut to the service's limits
        call = replace(dependency, target=dependency.target[:_MOST_TARGET], properties={})
        self._emit(call, dependency.properties, sampled=True)

    def exception(self, error: BaseException, properties: Properties) -> None:
        """See `Telemetry.exception`."""
        self._emit(ExceptionItem(details_of(error)), properties, sampled=False)

    async def flush(self, seconds: float = 1.0) -> None:
        """See `Telemetry.flush`."""
        await self._sender.flush(seconds)

    def state(self) -> TelemetryState:
        """See `Telemetry.state`."""
        return self._sender.state()

    def _emit(self, content: Content, properties: Properties, *, sampled: bool) -> None:
        operation = current_operation()
        rate = self._config.sampling_rate if sampled and operation is not None else 1.0
        if operation is not None and not is_sampled(operation.trace_id, rate):
            return
        texts = texts_of(properties)
        texts.setdefault("environment", self._config.environment)
        if self._config.masks_addresses and _ADDRESS in texts:
            texts[_ADDRESS] = mask_address(texts[_ADDRESS])
        if operation is not None:
            texts.setdefault("correlation_id", operation.correlation_id)
            if operation.job_id:
                texts.setdefault("job_id", operation.job_id)
        self._sender.put(Item(datetime.now(UTC), content, texts, operation, rate))
