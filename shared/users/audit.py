"""Records the changes that administrators make, and those that users make to their own accounts.

The table `audit` has a partition for each month (UTC) and a row for each action, the newest first. Rows never change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.runtime import Runtime
from shared.storage.cells import as_datetime
from shared.storage.entities import Entity, EntityStore, Put, Value
from shared.storage.newest_first import place_of
from shared.users.caller import Caller
from shared.users.quotas.usage import month_of

_TABLE = "audit"


@dataclass(frozen=True, slots=True)
class Action:
    """One change: who made it, with which key, what was changed, and in which call.

    `detail` has the new values, such as `tier=pro`. It has no secrets, and nothing that a person has typed.
    """

    at: datetime
    actor: str
    key_id: str
    action: str
    target: str
    detail: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller who makes a change, and the id of the call."""

    caller: Caller
    correlation_id: str


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """Records and reads actions."""

    entities: EntityStore
    runtime: Runtime

    async def write(self, actor: Actor, action: str, target: str, detail: str = "") -> None:
        """Record an action before it is carried out, so that none is missing. Failed actions are recorded, too.

        Raises:
            Unavailable: storage did not answer. The action must not be carried out.
        """
        now = self.runtime.clock.now()
        values: dict[str, Value] = {
            "at": now,
            "actor": actor.caller.user_id,
            "key_id": actor.caller.key_id,
            "action": action,
            "target": target,
            "detail": detail,
            "correlation_id": actor.correlation_id,
        }
        month = month_of(now)
        row = Entity(month, place_of(self.runtime.ids.nonce(), now), values)
        await self.entities.apply(_TABLE, month, [Put(row)])

    async def read(self, month: str, most: int) -> Sequence[Action]:
        """Returns the newest actions of a month such as `2026-11`, up to `most` of them."""
        found: list[Action] = []
        async for entity in self.entities.query(_TABLE, month):
            found.append(_action(entity))
            if len(found) == most:
                break
        return found


def _action(entity: Entity) -> Action:
    names = ("actor", "key_id", "action", "target", "detail", "correlation_id")
    return Action(as_datetime(entity.values["at"]), *(str(entity.values[name]) for name in names))
