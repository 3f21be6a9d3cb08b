"""Defines the items that callers pass to the sending thread. A caller only waits until its item is made."""

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
    """An error or one of its causes, with the fields of the ingestion schema."""

    id: int
    outer_id: int
    type_name: str
    message: str
    frames: tuple[tuple[str, str, int], ...]
    """The function, file and line of each frame, the innermost first."""
    full: bool
    """Whether `frames` is complete."""


@dataclass(frozen=True, slots=True)
class EventItem:
    """An event (`Telemetry.event`)."""

    name: str
    measurements: Measurements


@dataclass(frozen=True, slots=True)
class MetricItem:
    """A value of a metric (`Telemetry.metric`)."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class ExceptionItem:
    """An error with its causes (`Telemetry.exception`)."""

    errors: tuple[ExceptionDetails, ...]


type Content = EventItem | MetricItem | ExceptionItem | Dependency


@dataclass(frozen=True, slots=True)
class Item:
    """A signal, the time at which it was emitted, and its operation.

    `rate` is the share of operations (0 to 1) that are sent.
    """

    moment: datetime
    content: Content
    properties: Mapping[str, str]
    operation: Operation | None
    rate: float

    @property
    def size(self) -> int:
        """About how many bytes of memory the item takes."""
        size = _BYTES_OF_AN_ITEM + sum(len(key) + len(value) for key, value in self.properties.items())
        if isinstance(self.content, ExceptionItem):
            for error in self.content.errors:
                size += len(error.message) + 200 * len(error.frames)
        return size


@dataclass(slots=True)
class Sendable:
    """An envelope that is ready to be sent."""

    envelope: Any
    size: int
    refusals: int = 0
    """How often the service refused this item, but not its batch, for a transient reason."""


def texts_of(properties: Properties) -> dict[str, str]:
    """Returns the first 100 properties as texts. Keys are cut to 150 characters, and values to 8,192.

    These are the service's limits of length. It accepts 200 properties, but the client adds some more.
    """
    few = list(properties.items())[:_MOST_PROPERTIES]
    return {key[:150]: str(value)[:_MOST_CHARACTERS] for key, value in few}
