"""Records which users used the product on a day (UTC), in the table `activity`.

    partition {day}-{shard}   {user}   the user used the product on that day
    partition ~days           {day}    there are users of that day

A day's row is written before its first user's. So every day that has users is found, and can be erased.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from shared.clock import Clock, Deadline
from shared.errors import Changed
from shared.storage.entities import Delete, Entity, EntityStore, Put
from shared.users.metrics.shards import SHARDS, shard_of

TABLE: Final = "activity"
_DAYS = "~days"
_MAX_REMEMBERED = 10_000
_ANSWER_WITHIN_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Activity:
    """Records that users use the product. Each process writes a user's row once a day, or seldom again.

    The process remembers the last 10,000 users of the day.
    """

    entities: EntityStore
    clock: Clock
    _day: date = date.min
    _day_is_listed: bool = False
    _remembered: dict[str, None] = field(default_factory=dict)

    async def note(self, user_id: str) -> None:
        """Records that the user uses the product now. This takes a second at most, and never fails.

        If storage does not answer, a warning is logged, and the user's next call tries again.
        """
        day = day_of(self.clock.now())
        if day != self._day:
            self._day, self._day_is_listed = day, False
            self._remembered.clear()
        if user_id in self._remembered:
            return
        # calls at the same time need not write the row again
        self._remember(user_id)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_SECONDS):
                await self._write(day, user_id)
        except Exception as error:  # noqa: BLE001 - what the user did is done, so nothing may fail the call
            self._remembered.pop(user_id, None)
            _log.warning("The activity of a user was not recorded: %s", type(error).__name__)
        except asyncio.CancelledError:
            self._remembered.pop(user_id, None)
            raise

    async def _write(self, day: date, user_id: str) -> None:
        if not self._day_is_listed:
            await self.entities.apply(TABLE, _DAYS, [Put(Entity(_DAYS, day.isoformat()))])
            # while this waited, the next day may have begun
            self._day_is_listed = day == self._day
        partition = partition_of(day, shard_of(user_id))
        await self.entities.apply(TABLE, partition, [Put(Entity(partition, user_id))])

    def _remember(self, user_id: str) -> None:
        self._remembered[user_id] = None
        if len(self._remembered) > _MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]


def day_of(moment: datetime) -> date:
    """Returns the day (UTC)."""
    return moment.astimezone(UTC).date()


async def active_users(entities: EntityStore, day: date, shard: int, after: str) -> AsyncIterator[str]:
    """Yields the ids of a shard's users who used the product on the day, in order, from the one behind `after`."""
    async for row in entities.query(TABLE, partition_of(day, shard), after=after):
        yield row.row


async def erase_days(entities: EntityStore, before: date, deadline: Deadline) -> bool:
    """Erases the activity of all days before this one; returns whether there was time for all. It may be repeated.

    Raises:
        Unavailable: storage did not answer.
    """
    days = [row.row async for row in entities.query(TABLE, _DAYS, before=before.isoformat())]
    for day in days:
        for shard in range(SHARDS):
            if deadline.passed:
                return False
            await entities.erase(TABLE, partition_of(date.fromisoformat(day), shard))
        with contextlib.suppress(Changed):
            await entities.apply(TABLE, _DAYS, [Delete(day)])
    return True


def partition_of(day: date, shard: int) -> str:
    """Returns the partition with the active users of a shard."""
    return f"{day.isoformat()}-{shard:02}"
