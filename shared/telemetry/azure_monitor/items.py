"""Signals on their way from a caller to the thread that sends them. A caller waits only for such an item to be made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.telemetry.correlation import Operation
from shared.telemetry.telemetry import Dependency, Measurements, Properties

_MOST_CHARACTERS = 8192
_MOST_PROPERTIES = 100
_BYTES_OF_AN_ITEM = 1000


@dataclass(frozen=True, slots=True)
class ExceptionDetails:
    """An error, or one of its causes; the fields are those of the ingestion schema."""

    id: int
    outer_id: int
    type_name: str
    message: str
    frames: tuple[tuple[str, str, int], ...]
    """Function, file and line, the innermost first."""
    full: bool
    """Whether no frame is left out."""


@dataclass(frozen=True, slots=True)
class EventItem:
    """See `Telemetry.event`."""

    name: str
    measurements: Measurements


@dataclass(frozen=True, slots=True)
class MetricItem:
    """See `Telemetry.metric`."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class ExceptionItem:
    """See `Telemetry.exception`."""

    errors: tuple[ExceptionDetails, ...]


type Content = EventItem | MetricItem | ExceptionItem | Dependency


@dataclass(frozen=True, slots=True)
class Item:
    """A signal, when it was emitted, and in which operation.

    `rate` is the share of operations that are sent (0 to 1).
    """

    moment: datetime
    content: Content
    properties: Mapping[str, str]
    operation: Operation | None
    rate: float

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        size = _BYTES_OF_AN_ITEM + sum(len(key) + len(value) for key, value in self.properties.items())
        if isinstance(self.content, ExceptionItem):
            for error in self.content.errors:
                size += len(error.message) + 200 * len(error.frames)
        return size


@dataclass(slots=True)
class Sendable:
    """An envelope of the ingestion service, ready to be sent."""

    envelope: Any
    size: int
    refusals: int = 0
    """How often the service refused it alone, for a reason that may pass."""


def texts_of(properties: Properties) -> dict[str, str]:
    """The first 100 properties as texts: keys of up to 150 characters, values of up to 8,192.

    These are the service's limits, but for the number: it takes 200, and the client adds some.
    """
    few = list(properties.items())[:_MOST_PROPERTIES]
    return {key[:150]: str(value)[:_MOST_CHARACTERS] for key, value in few}
