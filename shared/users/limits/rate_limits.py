"""Limits the calls of a user, a key or an address in a minute, counted over all instances (see `counts`).

An instance takes a share of several calls from the subject's row at a time. They count as made, and the instance allows
them without asking again. So most calls need no round trip, other calls need one unless instances collide, and the
limit is never exceeded. But a call may be refused although another instance has not used its share. The rest of a share
is lost at the end of the minute.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from shared.clock import Clock
from shared.errors import AlreadyExists, AppError, Changed
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Entity, EntityStore, Insert, Replace
from shared.users.limits.counts import TABLE, WINDOW_SECONDS, Counts, Limit, minute_of, partition_of

SHARES: Final = 20
_ANSWER_WITHIN_SECONDS = 1.0
_OPEN_SECONDS = 5.0
_MAX_SUBJECTS = 10_000
_MAX_SHARES = 50
_WARN_EVERY_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """The remaining calls of one limit.

    `resets_in_seconds` is the time until the minute ends or, if no call is left, until one more call is possible.
    """

    limit: Limit
    remaining: int
    resets_in_seconds: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a call: whether it is allowed, and how many calls each limit has left.

    There are no `standings` if the call could not be counted; then it is allowed.

    `first_refusal` is true for the first call of a subject that this instance refuses in a minute.
    """

    allowed: bool
    standings: Sequence[Standing]
    first_refusal: bool = False

    @property
    def retry_after_seconds(self) -> float:
        """The time until a refused call is possible."""
        waits = (standing.resets_in_seconds for standing in self.standings if not standing.remaining)
        return max(waits, default=1.0)


@dataclass(slots=True)
class _Share:
    """The calls that this instance may still allow in a minute, with certain limits.

    Before `empty_until`, in seconds since 1970, the row need not be read: other instances can only make the wait
    longer.
    """

    calls: int = 0
    empty_until: float = 0.0


@dataclass(slots=True)
class _Subject:
    """The state of a subject in this instance: its row as it was read or written last, and the shares taken from it.

    Until `open_until`, a moment of the monotonic clock, all calls are allowed, because storage has not answered.
    """

    counts: Counts = field(default_factory=Counts)
    partition: str = ""
    etag: str = ""
    shares: dict[tuple[Limit, ...], _Share] = field(default_factory=dict)
    open_until: float = 0.0
    refused_in_minute: int = -1
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def share(self, limits: tuple[Limit, ...], minute: int) -> _Share:
        """Returns the share of a minute. Shares of earlier minutes are lost."""
        if self.counts.minute < minute:
            self.counts = self.counts.at(minute)
            for share in self.shares.values():
                share.calls = 0
            if len(self.shares) > _MAX_SHARES:
                # keys that were deleted, and limits of earlier tiers
                self.shares = {}
        return self.shares.setdefault(limits, _Share())

    def standings(self, limits: Sequence[Limit], share: _Share, now: float) -> Sequence[Standing]:
        """Returns what is left of each limit, as far as this instance knows."""
        found = []
        for limit in limits:
            remaining = self.counts.room(limit, now) + share.calls
            wait = WINDOW_SECONDS - now % WINDOW_SECONDS
            found.append(
                Standing(limit, remaining, wait if remaining else self.counts.wait_seconds(limit, now))
            )
        return found


class RateLimits:
    """Counts calls. If storage fails or takes more than a second, calls are allowed, and a warning is logged.

    Until a limit is reached, an instance asks the row about `shares` times a minute, and only if `may_ask` allows it.
    Otherwise the call is allowed and not counted. An instance remembers 10,000 subjects at most.
    """

    def __init__(
        self,
        entities: EntityStore,
        clock: Clock,
        shares: int = SHARES,
        may_ask: Callable[[], bool] = lambda: True,
    ) -> None:
        self._entities = entities
        self._clock = clock
        self._shares = shares
        self._may_ask = may_ask
        self._subjects: OrderedDict[str, _Subject] = OrderedDict()
        self._warned_at = -_WARN_EVERY_SECONDS

    async def take(self, subject: str, limits: Sequence[Limit]) -> Verdict:
        """Counts one call of `subject` against all `limits`. It is not counted if one of them allows no further call.

        `subject` is a plain id.
        """
        known = self._known(subject)
        now = self._clock.now().timestamp()
        share = known.share(tuple(limits), minute_of(now))
        if self._must_ask(known, share, now):
            async with known.asking:
                # another call may have taken a share while this one waited
                if self._must_ask(known, share, now):
                    if not self._may_ask():
                        return Verdict(allowed=True, standings=())
                    await self._ask(subject, known, share, tuple(limits))
        if share.calls > 0:
            share.calls -= 1
            return Verdict(allowed=True, standings=known.standings(limits, share, now))
        return self._without_share(known, share, limits, now)

    def peek(self, subject: str, limits: Sequence[Limit]) -> Verdict | None:
        """Returns the verdict that `take` would give by what is known here, or None if that is not enough."""
        known = self._subjects.get(subject)
        if known is None:
            return None
        now = self._clock.now().timestamp()
        share = known.share(tuple(limits), minute_of(now))
        if share.calls == 0 and (now >= share.empty_until or self._is_open(known)):
            return None
        return Verdict(allowed=share.calls > 0, standings=known.standings(limits, share, now))

    def _without_share(self, known: _Subject, share: _Share, limits: Sequence[Limit], now: float) -> Verdict:
        if self._is_open(known):
            return Verdict(allowed=True, standings=())
        first = known.refused_in_minute != minute_of(now)
        known.refused_in_minute = minute_of(now)
        return Verdict(allowed=False, standings=known.standings(limits, share, now), first_refusal=first)

    def _must_ask(self, known: _Subject, share: _Share, now: float) -> bool:
        return share.calls == 0 and now >= share.empty_until and not self._is_open(known)

    def _is_open(self, known: _Subject) -> bool:
        return self._clock.monotonic() < known.open_until

    async def _ask(self, subject: str, known: _Subject, share: _Share, limits: tuple[Limit, ...]) -> None:
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_SECONDS):
                await self._take_share(subject, known, share, limits)
        except (AppError, TimeoutError) as error:
            now = self._clock.monotonic()
            # calls that come soon must not wait for storage, too
            known.open_until = now + _OPEN_SECONDS
            if now - self._warned_at >= _WARN_EVERY_SECONDS:
                self._warned_at = now
                reason = error.detail if isinstance(error, AppError) else "Storage does not answer in time."
                _log.warning("Rate limits cannot be counted, so calls are allowed: %s", reason)

    async def _take_share(
        self, subject: str, known: _Subject, share: _Share, limits: tuple[Limit, ...]
    ) -> None:
        partition = partition_of(self._clock.now(), subject)

        async def take(row: tuple[Counts, str]) -> None:
            counts, etag = row
            now = self._clock.now().timestamp()
            counts = counts.at(minute_of(now))
            room = min(counts.room(limit, now) for limit in limits)
            calls = min(room, max(1, min(limit.calls for limit in limits) // self._shares))
            if calls > 0:
                counts = counts.plus(limits, calls)
                entity = Entity(partition, subject, counts.values(), etag)
                change = Replace(entity) if etag else Insert(entity)
                (etag,) = await self._entities.apply(TABLE, partition, [change])
            known.counts, known.partition, known.etag = counts, partition, etag
            share.calls = calls
            waits = [counts.wait_seconds(limit, now) for limit in limits]
            share.empty_until = 0.0 if calls > 0 else now + max(waits)

        if known.etag and known.partition == partition:
            # the row is as this instance wrote it last, unless another instance has written it since
            try:
                return await take((known.counts, known.etag))
            except (AlreadyExists, Changed):
                pass
        return await compare_and_swap(
            lambda: self._read(partition, subject), take, busy="The rate limit is too busy."
        )

    async def _read(self, partition: str, subject: str) -> tuple[Counts, str]:
        """Returns the counts of a subject, and the version of its row. There is no version if there is no row."""
        entity = await self._entities.get(TABLE, partition, subject)
        if entity is not None:
            return Counts.of(entity), entity.etag
        before = partition_of(self._clock.now() - timedelta(seconds=WINDOW_SECONDS), subject)
        earlier = await self._entities.get(TABLE, before, subject) if before != partition else None
        return (Counts.of(earlier) if earlier else Counts()), ""

    def _known(self, subject: str) -> _Subject:
        known = self._subjects.get(subject)
        if known is None:
            known = self._subjects[subject] = _Subject()
            while len(self._subjects) > _MAX_SUBJECTS:
                self._subjects.popitem(last=False)
        self._subjects.move_to_end(subject)
        return known
