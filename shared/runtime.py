"""The process that a service runs in: its time, its identifiers, its telemetry."""

from dataclasses import dataclass

from shared.clock import Clock
from shared.ids import Ids
from shared.telemetry.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a service gets from its process: what time it is, new identifiers, and where its signals go."""

    clock: Clock
    ids: Ids
    telemetry: Telemetry
