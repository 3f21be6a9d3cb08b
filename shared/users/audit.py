"""Records the changes that administrators make, and those that users make to their own accounts.

The table `audit` has one partition, with a row for each action, the newest first. A row is written before its action
begins, so that none is missing, and gets the outcome afterwards. If the process dies in between, or storage does not
answer, the row still says `started`: the action may have been carried out or not. The nightly run erases old rows.
"""

import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.clock import Clock, Deadline
from shared.errors import (
    AlreadyMade,
    Changed,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
    Retryable,
)
from shared.runtime import Runtime
from shared.storage.cells import as_datetime
from shared.storage.entities import Delete, Entity, EntityStore, Put, Value
from shared.storage.newest_first import Listing, end_of, place_of
from shared.users.caller import Caller

_TABLE = "audit"
_PARTITION = "actions"
# a page of a query has as many rows
_MOST_READ: Final = 1000
# a transaction has as many changes
_MOST_ERASED: Final = 100
_REFUSALS = (Conflict, Forbidden, InvalidRequest, NotFound, QuotaExceeded)

_log = logging.getLogger(__name__)


class Action(StrEnum):
    """The actions that are recorded."""

    CREATE_USER = "create_user"
    CHANGE_USER = "change_user"
    DELETE_USER = "delete_user"
    CREATE_KEY = "create_key"
    REVOKE_KEY = "revoke_key"
    READ_WEBHOOK_SECRET = "read_webhook_secret"  # noqa: S105 - the name of an action
    ROTATE_WEBHOOK_SECRET = "rotate_webhook_secret"  # noqa: S105 - the name of an action
    CHANGE_DATASET = "change_dataset"
    REFRESH_DATASET = "refresh_dataset"
    CREATE_OPTOUT = "create_optout"
    DELETE_OPTOUT = "delete_optout"


_WITHOUT_USER = frozenset({Action.CREATE_OPTOUT, Action.DELETE_OPTOUT})


class Outcome(StrEnum):
    """What became of an action. After `repeated`, an earlier call had made the same change."""

    STARTED = "started"
    DONE = "done"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One action: who began it, with which key, what was to be changed, and in which call.

    `target` is the id of a user, `{user}/{key}`, `{user}/{dataset}`, or the id of an opt-out. `detail` has the new
    values, such as `tier=pro`. It has no secrets, and nothing that a person has typed.
    """

    at: datetime
    actor: str
    key_id: str
    action: Action
    target: str
    detail: str
    outcome: Outcome
    correlation_id: str

    @property
    def target_user(self) -> str:
        """The id of the user who was to be changed, or an empty text if the action concerns no user."""
        return "" if self.action in _WITHOUT_USER else self.target.partition("/")[0]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows to read: those of a user, as actor or as target, of an action, and from a moment on. None is all."""

    user_id: str | None = None
    action: Action | None = None
    since: datetime | None = None

    def matches(self, row: AuditRow) -> bool:
        """Returns whether the row is wanted. `since` is left to the query."""
        return self.user_id in {None, row.actor, row.target_user} and self.action in {None, row.action}


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller who makes a change, and the id of the call."""

    caller: Caller
    correlation_id: str


@dataclass(slots=True)
class Attempt:
    """An action that is carried out. Set `outcome` if it is another than `done`."""

    outcome: Outcome = field(default=Outcome.DONE)


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """Records and reads actions."""

    entities: EntityStore
    runtime: Runtime

    @contextlib.asynccontextmanager
    async def record(
        self, actor: Actor, action: Action, target: str, detail: str = ""
    ) -> AsyncIterator[Attempt]:
        """Records an action that is carried out in the context.

        Its outcome is `refused` if the context ends with an error of the caller or of the state, and `repeated` after
        `AlreadyMade`. Any other error leaves it `started`.

        Raises:
            Unavailable: storage did not answer before the context began. The action is not carried out.
        """
        now = self.runtime.clock.now()
        values: dict[str, Value] = {
            "at": now,
            "actor": actor.caller.user_id,
            "key_id": actor.caller.key_id,
            "action": action,
            "target": target,
            "detail": detail,
            "outcome": Outcome.STARTED,
            "correlation_id": actor.correlation_id,
        }
        row = Entity(_PARTITION, place_of(self.runtime.ids.nonce(), now), values)
        await self.entities.apply(_TABLE, _PARTITION, [Put(row)])
        attempt = Attempt()
        try:
            yield attempt
        except AlreadyMade:
            await self._end(row, Outcome.REPEATED)
            raise
        except _REFUSALS:
            await self._end(row, Outcome.REFUSED)
            raise
        await self._end(row, attempt.outcome)

    async def page(self, after: str, size: int, wanted: AuditFilter) -> Listing[AuditRow]:
        """Returns up to `size` rows after the place `after`, newest first.

        About 1,000 rows are read. So there may be fewer than `size` though there are more after them.
        """
        found: list[tuple[str, AuditRow]] = []
        number_read = 0
        end = end_of(wanted.since) if wanted.since else ""
        async for entity in self.entities.query(_TABLE, _PARTITION, after=after, before=end):
            number_read += 1
            row = _row(entity)
            if wanted.matches(row):
                found.append((entity.row, row))
            if len(found) > size:
                return Listing([row for _, row in found[:size]], found[size - 1][0])
            if number_read == _MOST_READ:
                return Listing([row for _, row in found], entity.row)
        return Listing([row for _, row in found], None)

    async def _end(self, row: Entity, outcome: Outcome) -> None:
        ended = Entity(row.partition, row.row, {**row.values, "outcome": outcome})
        try:
            await self.entities.apply(_TABLE, _PARTITION, [Put(ended)])
        except Retryable as error:
            # the action has been carried out, and its row is there
            _log.warning("An action stays 'started' in the audit trail: %s", error.detail)


@dataclass(frozen=True, slots=True)
class OldActions:
    """The rows of actions that began more than `retention_days` ago.

    Erasing may be repeated, also at the same time, and may stop at any time: the next run continues.
    """

    entities: EntityStore
    clock: Clock
    retention_days: int

    async def erase(self, deadline: Deadline) -> bool:
        """Erases these rows; returns whether there was time for all of them. Younger rows are not read.

        Raises:
            Unavailable: storage did not answer.
        """
        # rows are in order of time, the newest first, so the old ones are those after a place
        after = end_of(self.clock.now() - timedelta(days=self.retention_days))
        while not deadline.passed:
            rows = await self._some_rows(after)
            if not rows:
                return True
            # another run may have erased some of them
            with contextlib.suppress(Changed):
                await self.entities.apply(_TABLE, _PARTITION, [Delete(row) for row in rows])
        return False

    async def _some_rows(self, after: str) -> list[str]:
        rows: list[str] = []
        async for entity in self.entities.query(_TABLE, _PARTITION, after=after):
            rows.append(entity.row)
            if len(rows) == _MOST_ERASED:
                break
        return rows


def _row(entity: Entity) -> AuditRow:
    values = entity.values
    actor, key_id, target, detail, correlation_id = (
        str(values[name]) for name in ("actor", "key_id", "target", "detail", "correlation_id")
    )
    return AuditRow(
        at=as_datetime(values["at"]),
        actor=actor,
        key_id=key_id,
        action=Action(str(values["action"])),
        target=target,
        detail=detail,
        outcome=Outcome(str(values["outcome"])),
        correlation_id=correlation_id,
    )
