"""Stores what is counted of a day's users, and how far the count has come.

    table activity   partition ~counts   {day}   the counts, the place, and when the metrics were sent

The rows are small and are kept: one a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from shared.storage.cells import as_datetime
from shared.storage.entities import Entity, EntityStore, Insert, Replace, Value
from shared.users.caller import TierName
from shared.users.metrics.activity import TABLE
from shared.users.metrics.shards import SHARDS

_PARTITION = "~counts"


def _none() -> dict[TierName, int]:
    return dict.fromkeys(TierName, 0)


@dataclass(frozen=True, slots=True)
class DayCounts:
    """The counts of a day so far. Users up to `after` of the shard `shard` are counted, and all of the shards before.

    `active` is the number of users who used the product on the day. `active_of` has, by tier, how many of them have the
    tier, and `users_of` how many of all users have it. Neither counts the tier free, and users who are disabled.
    """

    day: date
    shard: int = 0
    after: str = ""
    active: int = 0
    active_of: Mapping[TierName, int] = field(default_factory=_none)
    users_of: Mapping[TierName, int] = field(default_factory=_none)
    sent_at: datetime | None = None
    etag: str = ""

    @property
    def complete(self) -> bool:
        """Whether all users are counted."""
        return self.shard >= SHARDS


async def read_counts(entities: EntityStore, day: date) -> DayCounts:
    """Returns what is counted of the day so far."""
    row = await entities.get(TABLE, _PARTITION, day.isoformat())
    if row is None:
        return DayCounts(day)
    sent_at = row.values.get("sent_at")
    return DayCounts(
        day,
        shard=_number(row, "shard"),
        after=str(row.values["after"]),
        active=_number(row, "active"),
        active_of={tier: _number(row, f"active_{tier}") for tier in TierName},
        users_of={tier: _number(row, f"users_{tier}") for tier in TierName},
        sent_at=None if sent_at is None else as_datetime(sent_at),
        etag=row.etag,
    )


async def save_counts(entities: EntityStore, counts: DayCounts) -> DayCounts:
    """Stores the counts in place of those that they were made from.

    Raises:
        AlreadyExists, Changed: another run has stored counts of the day since.
    """
    values: dict[str, Value] = {"shard": counts.shard, "after": counts.after, "active": counts.active}
    values |= {f"active_{tier}": number for tier, number in counts.active_of.items()}
    values |= {f"users_{tier}": number for tier, number in counts.users_of.items()}
    if counts.sent_at is not None:
        values["sent_at"] = counts.sent_at
    row = Entity(_PARTITION, counts.day.isoformat(), values, counts.etag)
    [etag] = await entities.apply(TABLE, _PARTITION, [Replace(row) if counts.etag else Insert(row)])
    return replace(counts, etag=etag)


def _number(row: Entity, name: str) -> int:
    return int(str(row.values[name]))
