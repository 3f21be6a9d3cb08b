"""Groups the objects that services get from their process."""

from dataclasses import dataclass

from shared.clock import Clock
from shared.ids import Ids
from shared.telemetry.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Runtime:
    """The clock, the source of new identifiers, and the receiver of telemetry."""

    clock: Clock
    ids: Ids
    telemetry: Telemetry
