"""Limits the calls of a user, a key or an address in a minute, counted over all instances.

The count is a sliding window: all calls of this minute, and those calls of the minute before that are less than a
minute ago, assuming that they were spread evenly
(https://blog.cloudflare.com/counting-things-a-lot-of-different-things/). One row of the table `ratelimits` has the
counts of one subject, such as a user and the user's keys.

An instance takes a share of several calls from the row at a time. They count as made, and the instance allows them
without asking again. So most calls need no round trip, other calls need one unless instances collide, and the limit is
never exceeded. But a call may be refused although another instance has not used its share. The rest of a share is lost
at the end of the minute.

    partition {day}-{shard}   {subject}   minute, and per limit the calls of this minute and of the one before

The partitions of a day are erased some nights later.
"""

import asyncio
import json
import logging
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from shared.clock import Clock
from shared.errors import AlreadyExists, Changed, Retryable
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Entity, EntityStore, Insert, Replace

WINDOW_SECONDS: Final = 60
SHARDS: Final = 16
_TABLE = "ratelimits"
_SHARE_OF_AN_INSTANCE = 20
_ANSWER_WITHIN_SECONDS = 1.0
_MAX_SUBJECTS = 10_000
_WARN_EVERY_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` calls in a minute. `name` says what the limit is for, such as `user`."""

    name: str
    calls: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may be made. `limit` is the one that allows the fewest further calls, `remaining` of them.

    `resets_in_seconds` is the time until the minute ends or, if no call is left, until one more call is possible.
    """

    allowed: bool
    limit: Limit
    remaining: int
    resets_in_seconds: float


@dataclass(frozen=True, slots=True)
class _Counts:
    """The calls of a minute, and of the minute before it, by limit."""

    minute: int
    current: Mapping[str, int]
    previous: Mapping[str, int]

    def at(self, minute: int) -> "_Counts":
        """Returns the counts as they are in a later minute."""
        if minute <= self.minute:
            return self
        return _Counts(minute, {}, self.current if minute == self.minute + 1 else {})

    def plus(self, limits: Sequence[Limit], calls: int) -> "_Counts":
        added = {limit.name: self.current.get(limit.name, 0) + calls for limit in limits}
        return _Counts(self.minute, {**self.current, **added}, self.previous)

    def room(self, limit: Limit, now: float) -> int:
        """Returns the number of calls that are left. `now` is in seconds since 1970."""
        elapsed = min(1.0, max(0.0, now / WINDOW_SECONDS - self.minute))
        before = self.previous.get(limit.name, 0) * (1.0 - elapsed)
        return max(0, int(limit.calls - self.current.get(limit.name, 0) - before))

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


@dataclass(slots=True)
class _Share:
    """The calls that this instance may still allow in a minute, and the counts when it last read the row.

    Before `empty_until`, in seconds since 1970, the row need not be read: other instances can only make the wait
    longer.
    """

    counts: _Counts
    calls: int = 0
    empty_until: float = 0.0
    etag: str = ""
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class RateLimits:
    """Counts calls. If storage fails or takes more than a second, calls are allowed, and a warning is logged."""

    def __init__(self, entities: EntityStore, clock: Clock) -> None:
        self._entities = entities
        self._clock = clock
        self._shares: OrderedDict[tuple[str, ...], _Share] = OrderedDict()
        self._warned_at = -_WARN_EVERY_SECONDS

    async def take(self, subject: str, limits: Sequence[Limit]) -> Verdict:
        """Count one call of `subject` against all `limits`. It is not counted if one of them allows no further call.

        `subject` is a plain id. A limit of a subject must have the same number of calls every time.
        """
        share = self._share((subject, *(limit.name for limit in limits)))
        now = self._clock.now().timestamp()
        minute = int(now // WINDOW_SECONDS)
        if share.counts.minute != minute:
            share.counts, share.calls = share.counts.at(minute), 0
        if share.calls == 0:
            async with share.asking:
                # another call may have taken a share while this one waited
                if share.calls == 0 and now >= share.empty_until:
                    await self._ask(subject, limits, share)
        allowed = share.calls > 0
        share.calls -= allowed
        return _verdict(share, limits, allowed=allowed, now=now)

    async def _ask(self, subject: str, limits: Sequence[Limit], share: _Share) -> None:
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_SECONDS):
                await self._take_share(subject, limits, share)
        except (Retryable, TimeoutError):
            now = self._clock.monotonic()
            if now - self._warned_at >= _WARN_EVERY_SECONDS:
                self._warned_at = now
                _log.warning("Rate limits cannot be counted, so calls are allowed: storage does not answer.")
            share.calls = 1

    async def _take_share(self, subject: str, limits: Sequence[Limit], share: _Share) -> None:
        moment = self._clock.now()
        partition = partition_of(moment, subject)

        async def read() -> Entity | None:
            return await self._entities.get(_TABLE, partition, subject)

        async def take(stored: Entity | None) -> None:
            now = self._clock.now().timestamp()
            counts = _read_counts(stored).at(int(now // WINDOW_SECONDS))
            room = min(counts.room(limit, now) for limit in limits)
            calls = min(room, max(1, min(limit.calls for limit in limits) // _SHARE_OF_AN_INSTANCE))
            if calls > 0:
                counts = counts.plus(limits, calls)
                entity = _entity(partition, subject, counts, stored.etag if stored else "")
                change = Replace(entity) if stored else Insert(entity)
                (share.etag,) = await self._entities.apply(_TABLE, partition, [change])
            share.counts, share.calls = counts, calls
            waits = [counts.wait_seconds(limit, now) for limit in limits]
            share.empty_until = 0.0 if calls > 0 else now + max(waits)

        known = _entity(partition, subject, share.counts, share.etag) if share.etag else None
        if known is not None:
            # the row is as this instance wrote it last, unless another instance has written it since
            try:
                return await take(known)
            except (AlreadyExists, Changed):
                pass
        return await compare_and_swap(read, take, busy="The rate limit is too busy.")

    def _share(self, key: tuple[str, ...]) -> _Share:
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = _Share(_Counts(0, {}, {}))
            while len(self._shares) > _MAX_SUBJECTS:
                self._shares.popitem(last=False)
        self._shares.move_to_end(key)
        return share


def partition_of(moment: datetime, subject: str) -> str:
    """Returns the partition that has the counts of a subject on the day of `moment`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}-{zlib.crc32(subject.encode()) % SHARDS:02}"


def _verdict(share: _Share, limits: Sequence[Limit], *, allowed: bool, now: float) -> Verdict:
    tightest = min(limits, key=lambda limit: share.counts.room(limit, now))
    remaining = share.counts.room(tightest, now) + share.calls
    if remaining > 0:
        return Verdict(allowed, tightest, remaining, WINDOW_SECONDS - now % WINDOW_SECONDS)
    return Verdict(allowed, tightest, 0, share.counts.wait_seconds(tightest, now))


def _entity(partition: str, subject: str, counts: _Counts, etag: str) -> Entity:
    by_limit = json.dumps([dict(counts.current), dict(counts.previous)])
    return Entity(partition, subject, {"minute": counts.minute, "counts": by_limit}, etag)


def _read_counts(entity: Entity | None) -> _Counts:
    if entity is None:
        return _Counts(0, {}, {})
    current, previous = json.loads(str(entity.values["counts"]))
    return _Counts(int(str(entity.values["minute"])), current, previous)
