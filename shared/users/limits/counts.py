"""Counts the calls of a minute by a sliding window, and stores the counts of a subject as a row.

The window has all calls of this minute, and those calls of the minute before that are less than a minute ago, assuming
that they were spread evenly (https://blog.cloudflare.com/counting-things-a-lot-of-different-things/).

    table ratelimits   partition {day}-{shard}   {subject}   minute, and per limit the calls of this minute and of the
                                                             one before

A day's partitions are named by the day and by a shard of the subjects, so that one busy partition does not slow all
subjects down, and so that the nightly run can erase whole days.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from shared.storage.entities import Entity, Value

TABLE: Final = "ratelimits"
WINDOW_SECONDS: Final = 60
_SHARDS = 16
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` calls in a minute. `name` says what the limit is for, such as `user`."""

    name: str
    calls: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The calls of a minute, which is counted from 1970, and of the minute before it, by the name of the limit."""

    minute: int = 0
    current: Mapping[str, int] = field(default_factory=dict)
    previous: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, entity: Entity) -> "Counts":
        """Returns the counts in a row."""
        current, previous = json.loads(str(entity.values["counts"]))
        return cls(int(str(entity.values["minute"])), current, previous)

    def values(self) -> Mapping[str, Value]:
        """Returns the values of the row."""
        return {"minute": self.minute, "counts": json.dumps([dict(self.current), dict(self.previous)])}

    def at(self, minute: int) -> "Counts":
        """Returns the counts as they are in a later minute. If they are of a later minute already, they stay so."""
        if minute <= self.minute:
            return self
        return Counts(minute, {}, self.current if minute == self.minute + 1 else {})

    def plus(self, limits: Sequence[Limit], calls: int) -> "Counts":
        """Returns the counts with further calls in their minute."""
        added = {limit.name: self.current.get(limit.name, 0) + calls for limit in limits}
        return Counts(self.minute, {**self.current, **added}, self.previous)

    def room(self, limit: Limit, now: float) -> int:
        """Returns the number of calls that are left. `now` is in seconds since 1970."""
        elapsed = min(1.0, max(0.0, now / WINDOW_SECONDS - self.minute))
        before = self.previous.get(limit.name, 0) * (1.0 - elapsed)
        # a caller who waited as long as `wait_seconds` says must not be refused for an error of rounding
        return max(0, int(limit.calls - self.current.get(limit.name, 0) - before + _ROUNDING))

    def wait_seconds(self, limit: Limit, now: float) -> float:
        """Returns the time until one call is possible, if nobody makes another call."""
        left = self.minute * WINDOW_SECONDS + WINDOW_SECONDS - now
        current, previous = self.current.get(limit.name, 0), self.previous.get(limit.name, 0)
        room = limit.calls - 1 - current
        if room >= 0:
            # the calls of the minute before must fade to `room`
            return max(0.0, left - WINDOW_SECONDS * room / previous) if previous else 0.0
        # in the next minute, the calls of this minute are those of the minute before
        return left + WINDOW_SECONDS * (1 - (limit.calls - 1) / current)


def minute_of(now: float) -> int:
    """Returns the minute since 1970 that has this second since 1970."""
    return int(now // WINDOW_SECONDS)


def partition_of(moment: datetime, subject: str) -> str:
    """Returns the partition that has the counts of a subject on the day of `moment` (UTC)."""
    return _partition(moment.astimezone(UTC).date(), zlib.crc32(subject.encode()) % _SHARDS)


def partitions_of(day: date) -> Sequence[str]:
    """Returns all partitions of a day (UTC)."""
    return [_partition(day, shard) for shard in range(_SHARDS)]


def _partition(day: date, shard: int) -> str:
    return f"{day.isoformat()}-{shard:02}"
