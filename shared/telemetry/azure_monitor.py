"""Telemetry to Application Insights, through opencensus-ext-azure's envelopes and transport.

The package's stock handlers are not used: they sample record by record and lose the rate, tie events to whichever
logger they went through, and give all spans of a process one operation. Here an operation is sampled whole, by a
hash of its id; what is kept carries the rate, so that the portal's counts are right; exceptions and metrics are
always sent.
"""

import asyncio
import logging
import queue
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from opencensus.ext.azure.common import parse_connection_string
from opencensus.ext.azure.common.protocol import (
    Data,
    DataPoint,
    Envelope,
    Event,
    ExceptionData,
    MetricData,
    RemoteDependency,
)
from opencensus.ext.azure.common.transport import TransportMixin, TransportStatusCode

from shared.telemetry.correlation import Operation, current_operation
from shared.telemetry.telemetry import Measurements, Properties

_log = logging.getLogger(__name__)

_MAX_TEXT = 8192
_MAX_STACK = 16_000
_FULL_RATE = 100.0


@dataclass(frozen=True, slots=True)
class AzureMonitorConfig:
    """`sampling_rate` is the share (0 to 1) of operations that are sent; the buffer drops what exceeds it."""

    connection_string: str
    environment: str
    instance: str
    role: str = "pixcrawler"
    sampling_rate: float = 0.1
    max_buffered: int = 10_000
    batch_size: int = 100
    interval_seconds: float = 2.0
    timeout_seconds: float = 10.0
    max_tries: int = 5


@dataclass(slots=True)
class _Batch:
    envelopes: list[Any]
    tries: int = 0


class _Transport(TransportMixin):  # type: ignore[misc] # the package has no types
    """The package's transport, without its statistics; what it wants stored for later is kept in `again`."""

    def __init__(self, endpoint: str, timeout_seconds: float) -> None:
        self.options = SimpleNamespace(
            endpoint=endpoint, credential=None, proxies="{}", timeout=timeout_seconds
        )
        self.storage = self
        self.again: list[Any] = []
        self._consecutive_redirects = 0

    def put(self, envelopes: list[Any]) -> None:
        """Called by the transport with what was refused for a transient reason."""
        self.again.extend(envelopes)

    def send(self, envelopes: list[Any]) -> list[Any]:
        """Send, and return what should be tried again."""
        self.again = []
        if self._transmit(envelopes) is TransportStatusCode.RETRY:
            return envelopes
        return self.again

    def _check_stats_collection(self) -> bool:
        return False


class AzureMonitorTelemetry:
    """See `Telemetry`. One daemon thread sends batches; it starts with the first signal."""

    def __init__(self, config: AzureMonitorConfig) -> None:
        parts = parse_connection_string(config.connection_string)
        self._key = str(parts.get("instrumentationkey", ""))
        endpoint = str(parts.get("ingestionendpoint", "https://dc.services.visualstudio.com")).rstrip("/")
        self._transport = _Transport(endpoint, config.timeout_seconds)
        self._config = config
        self._buffer: queue.Queue[Any] = queue.Queue(config.max_buffered)
        self._lock = threading.Lock()
        self._sender: threading.Thread | None = None
        self._busy = threading.Event()
        self.dropped = 0

    def event(self, name: str, properties: Properties, measurements: Measurements | None = None) -> None:
        """See `Telemetry.event`."""
        data = Event(name=name, properties=self._texts(properties), measurements=dict(measurements or {}))
        self._emit("Event", "EventData", data, sampled=True)

    def metric(self, name: str, value: float, properties: Properties | None = None) -> None:
        """See `Telemetry.metric`."""
        point = DataPoint(name=name, value=value, count=1)
        data = MetricData(metrics=[point], properties=self._texts(properties or {}))
        self._emit("Metric", "MetricData", data, sampled=False)

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
        operation = current_operation()
        data = RemoteDependency(
            name=name,
            id=operation.span_id if operation else "",
            type=kind,
            target=target,
            duration=_duration(duration_seconds),
            success=success,
            resultCode="0" if success else "1",
            properties=self._texts(properties or {}),
        )
        self._emit("RemoteDependency", "RemoteDependencyData", data, sampled=True)

    def exception(self, error: BaseException, properties: Properties) -> None:
        """See `Telemetry.exception`."""
        stack = "".join(traceback.format_exception(error))[-_MAX_STACK:]
        details = {
            "id": 1,
            "typeName": type(error).__name__,
            "message": str(error)[:_MAX_TEXT] or type(error).__name__,
            "hasFullStack": True,
            "stack": stack,
        }
        data = ExceptionData(exceptions=[details], severityLevel=3, properties=self._texts(properties))
        self._emit("Exception", "ExceptionData", data, sampled=False)

    async def flush(self) -> None:
        """See `Telemetry.flush`."""
        end = time.monotonic() + self._config.timeout_seconds
        while time.monotonic() < end and (not self._buffer.empty() or self._busy.is_set()):  # noqa: ASYNC110 - a thread sends
            await asyncio.sleep(0.05)

    def _emit(self, name: str, base_type: str, data: Any, *, sampled: bool) -> None:
        operation = current_operation()
        rate = self._config.sampling_rate * 100 if sampled else _FULL_RATE
        if sampled and operation is not None and _score(operation.trace_id) >= rate:
            return
        envelope = Envelope(
            name=f"Microsoft.ApplicationInsights.{name}",
            time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            iKey=self._key,
            sampleRate=rate if operation is not None else _FULL_RATE,
            tags=self._tags(operation),
            data=Data(baseData=data, baseType=base_type),
        )
        try:
            self._buffer.put_nowait(envelope)
        except queue.Full:
            self.dropped += 1
        self._ensure_sender()

    def _tags(self, operation: Operation | None) -> Mapping[str, str]:
        tags = {"ai.cloud.role": self._config.role, "ai.cloud.roleInstance": self._config.instance}
        if operation is not None:
            tags |= {
                "ai.operation.id": operation.trace_id,
                "ai.operation.parentId": operation.span_id,
                "ai.operation.name": operation.name,
            }
        return tags

    def _texts(self, properties: Properties) -> Mapping[str, str]:
        texts = {key: str(value)[:_MAX_TEXT] for key, value in properties.items()}
        texts.setdefault("environment", self._config.environment)
        operation = current_operation()
        if operation is not None:
            texts.setdefault("correlation_id", operation.correlation_id)
        return texts

    def _ensure_sender(self) -> None:
        with self._lock:
            if self._sender is None or not self._sender.is_alive():
                self._sender = threading.Thread(target=self._send_forever, name="telemetry", daemon=True)
                self._sender.start()

    def _send_forever(self) -> None:
        while True:
            batch = self._next_batch()
            try:
                self._send(batch)
            except Exception:  # noqa: BLE001 - telemetry never fails anything, its own thread included
                self.dropped += len(batch.envelopes)
                _log.debug("a batch of telemetry was dropped", exc_info=True)
            finally:
                self._busy.clear()

    def _next_batch(self) -> _Batch:
        first = self._buffer.get()
        self._busy.set()
        envelopes = [first]
        end = time.monotonic() + self._config.interval_seconds
        while len(envelopes) < self._config.batch_size:
            try:
                envelopes.append(self._buffer.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                break
        return _Batch(envelopes)

    def _send(self, batch: _Batch) -> None:
        while batch.envelopes and batch.tries < self._config.max_tries:
            batch.envelopes = self._transport.send(batch.envelopes)
            batch.tries += 1
            if batch.envelopes:
                time.sleep(min(30.0, self._config.interval_seconds * 2**batch.tries))
        self.dropped += len(batch.envelopes)


def _score(operation_id: str) -> float:
    """0 to 100, the same for one operation in every process (Application Insights' DJB hash of the id)."""
    text = operation_id
    while len(text) < 8:
        text += text
    total = 5381
    for character in text:
        total = ((total << 5) + total + ord(character)) & 0xFFFFFFFF
        total -= 0x100000000 if total & 0x80000000 else 0
    total = 0x7FFFFFFF if total == -0x80000000 else abs(total)
    return total / 0x7FFFFFFF * 100


def _duration(seconds: float) -> str:
    """As d.hh:mm:ss.fff."""
    milliseconds = round(seconds * 1000)
    rest, ms = divmod(milliseconds, 1000)
    rest, s = divmod(rest, 60)
    rest, m = divmod(rest, 60)
    d, h = divmod(rest, 24)
    return f"{d}.{h:02}:{m:02}:{s:02}.{ms:03}"
