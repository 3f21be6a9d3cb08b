"""What holders of the scope `admin`, and users of themselves, have changed: one row for each such action.

The table `audit` has a partition for each month (UTC); the newest row comes first. Rows are never changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.runtime import Runtime
from shared.storage.entities import Entity, EntityStore, Put, Value
from shared.storage.newest_first import place_of
from shared.users.caller import Caller
from shared.users.usage import month_of

_TABLE = "audit"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that was changed: by whom, with which key, what, and within which call."""

    at: datetime
    actor: str
    key_id: str
    action: str
    target: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """Writes and reads the rows."""

    entities: EntityStore
    runtime: Runtime

    async def write(self, caller: Caller, action: str, target: str, correlation_id: str) -> None:
        """Note an action before it is carried out, so that none goes unseen; one that then fails is noted, too.

        Raises:
            Unavailable: storage did not answer; the action must not be carried out.
        """
        now = self.runtime.clock.now()
        values: dict[str, Value] = {
            "at": now,
            "actor": caller.user_id,
            "key_id": caller.key_id,
            "action": action,
            "target": target,
            "correlation_id": correlation_id,
        }
        month = month_of(now)
        row = Entity(month, place_of(self.runtime.ids.nonce(), now), values)
        await self.entities.apply(_TABLE, month, [Put(row)])

    async def read(self, month: str, most: int) -> Sequence[Action]:
        """The newest actions of a month such as `2026-11`, `most` at most."""
        found: list[Action] = []
        async for entity in self.entities.query(_TABLE, month):
            found.append(_action(entity))
            if len(found) == most:
                break
        return found


def _action(entity: Entity) -> Action:
    at = entity.values["at"]
    if not isinstance(at, datetime):
        raise TypeError(f"expected a time, found {type(at).__name__}")
    names = ("actor", "key_id", "action", "target", "correlation_id")
    return Action(at, *(str(entity.values[name]) for name in names))
