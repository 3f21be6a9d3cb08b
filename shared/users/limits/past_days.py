"""Erases the counts of past days from the table `ratelimits`.

The row `until` of the partition `~erased` has the last day whose counts are erased.
"""

from dataclasses import dataclass
from datetime import UTC, date, timedelta

from shared.clock import Clock, Deadline
from shared.storage.entities import Entity, EntityStore, Put
from shared.users.limits.counts import TABLE, partitions_of

_PARTITION, _ROW = "~erased", "until"
_DAY = timedelta(days=1)
# how far back the first run looks
_FIRST_RUN_DAYS = 7


@dataclass(frozen=True, slots=True)
class PastDays:
    """The counts of past days. Erasing may be repeated, and may stop at any time: the next run continues."""

    entities: EntityStore
    clock: Clock

    async def erase(self, deadline: Deadline) -> bool:
        """Erases the counts of all days before yesterday (UTC); returns whether there was time for all of them.

        The counts of yesterday are kept, as calls of the first minute of a day read them.

        Raises:
            Unavailable: storage did not answer.
        """
        last = self.clock.now().astimezone(UTC).date() - 2 * _DAY
        row = await self.entities.get(TABLE, _PARTITION, _ROW)
        erased = date.fromisoformat(str(row.values["day"])) if row else last - _FIRST_RUN_DAYS * _DAY
        while erased < last:
            day = erased + _DAY
            for partition in partitions_of(day):
                if deadline.passed:
                    return False
                await self.entities.erase(TABLE, partition)
            done = Entity(_PARTITION, _ROW, {"day": day.isoformat()})
            await self.entities.apply(TABLE, _PARTITION, [Put(done)])
            erased = day
        return True
