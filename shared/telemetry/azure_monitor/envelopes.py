"""Converts items to envelopes of the ingestion service (schema version 2).

This module imports opencensus, so only the sending thread imports it.
"""

import math
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from opencensus.ext.azure.common.protocol import (
    Data,
    DataPoint,
    Envelope,
    Event,
    ExceptionData,
    MetricData,
    RemoteDependency,
)

from shared.telemetry.azure_monitor.items import EventItem, ExceptionDetails, ExceptionItem, Item, MetricItem
from shared.telemetry.correlation import Operation
from shared.telemetry.privacy import scrub
from shared.telemetry.telemetry import Dependency, Measurements

_SEVERITY_ERROR = 3
_MOST_NAME = 512


class Envelopes:
    """Makes envelopes for one Application Insights resource and one instance of the app."""

    def __init__(self, key: str, tags: Mapping[str, str]) -> None:
        self._key = key
        self._tags = tags

    def of(self, item: Item) -> Any:
        """Returns the envelope of an item.

        Raises:
            ValueError: the item has a value that the service does not accept.
        """
        name, data = _data(item)
        return Envelope(
            name=f"Microsoft.ApplicationInsights.{name}",
            time=_time(item.moment),
            iKey=self._key,
            sampleRate=item.rate * 100,
            tags={**self._tags, **_operation_tags(item)},
            data=Data(baseData=data, baseType=f"{name}Data"),
        )


def _data(item: Item) -> tuple[str, Any]:
    properties = {_clean(key): scrub(_clean(value)) for key, value in item.properties.items()}
    content = item.content
    match content:
        case EventItem():
            return "Event", Event(
                name=content.name, properties=properties, measurements=_finite(content.measurements)
            )
        case MetricItem():
            if not math.isfinite(content.value):
                raise ValueError("the value of a metric must be finite")
            point = DataPoint(name=content.name, value=content.value, count=1)
            return "Metric", MetricData(metrics=[point], properties=properties)
        case ExceptionItem():
            errors = [_error(error) for error in content.errors]
            return "Exception", ExceptionData(
                exceptions=errors, severityLevel=_SEVERITY_ERROR, properties=properties
            )
        case Dependency():
            return "RemoteDependency", _dependency(content, properties)


def _dependency(call: Dependency, properties: Mapping[str, str]) -> Any:
    return RemoteDependency(
        name=call.name[:_MOST_NAME],
        id=call.span_id or secrets.token_hex(8),
        type=call.kind,
        target=scrub(_clean(call.target))[:_MOST_NAME],
        duration=_duration(call.duration_seconds),
        success=call.success,
        resultCode=call.result_code or ("0" if call.success else "1"),
        properties=properties,
        measurements=_finite(call.measurements),
    )


def _error(error: ExceptionDetails) -> Mapping[str, Any]:
    frames = enumerate(error.frames)
    return {
        "id": error.id,
        "outerId": error.outer_id,
        "typeName": error.type_name,
        "message": scrub(_clean(error.message)),
        "hasFullStack": error.full,
        "parsedStack": [
            {"level": level, "method": method, "fileName": file, "line": line}
            for level, (method, file, line) in frames
        ],
    }


def _operation_tags(item: Item) -> dict[str, str]:
    operation = item.operation
    if operation is None:
        return {}
    own_parent = item.content.parent_id if isinstance(item.content, Dependency) else ""
    tags = {"ai.operation.id": operation.trace_id, "ai.operation.name": operation.name}
    parent = own_parent or _parent(item.content, operation)
    return {**tags, "ai.operation.parentId": parent} if parent else tags


def _parent(content: object, operation: Operation) -> str:
    """Returns the id of the parent span. The span that stands for the whole operation has the operation's parent."""
    if isinstance(content, Dependency) and content.span_id == operation.span_id:
        return operation.parent_id
    return operation.span_id


def _finite(measurements: Measurements) -> dict[str, float]:
    return {key: value for key, value in measurements.items() if math.isfinite(value)}


def _clean(text: str) -> str:
    """Replaces lone surrogates, which the service does not accept."""
    return text.encode("utf-8", "replace").decode()


def _duration(seconds: float) -> str:
    """Writes seconds as d.hh:mm:ss.fff."""
    milliseconds = round(max(0.0, seconds) * 1000)
    rest, milliseconds = divmod(milliseconds, 1000)
    rest, second = divmod(rest, 60)
    rest, minute = divmod(rest, 60)
    day, hour = divmod(rest, 24)
    return f"{day}.{hour:02}:{minute:02}:{second:02}.{milliseconds:03}"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
