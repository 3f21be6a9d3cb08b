"""Computes the business metrics of yesterday (UTC) from tables, and sends them once.

The users are counted in slices, each of which ends at a place in the order of shards and ids. After a slice, its counts
and its place are stored in one row. A run that is killed, or runs out of time, so loses one slice at most, which the
next run counts again.

A metric cannot be taken back, and sums and averages of it must not have a day twice. So the row first records that the
metrics are sent, on the condition that no other run has changed it; then they are sent. If the process is killed in
between, the metrics of that day are missing, but the row still has the counts.
"""

import asyncio
import calendar
import itertools
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from shared.clock import Deadline
from shared.errors import AlreadyExists, Changed
from shared.runtime import Runtime
from shared.telemetry import signals
from shared.users.caller import TierName
from shared.users.metrics.activity import active_users, day_of, erase_days
from shared.users.metrics.day_counts import DayCounts, read_counts, save_counts
from shared.users.metrics.paying import listed_users
from shared.users.store import UserStore
from shared.users.tiers import Tiers
from shared.users.user import Status

KEPT_DAYS: Final = 7
"""How many days the activity of users is kept."""
# a page of a query has as many rows
_SLICE_ROWS = 1000
_READS_AT_A_TIME = 25
_FLUSH_SECONDS = 20.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BusinessMetrics:
    """The metrics of a day. A run may be repeated, and may be made at the same time as others."""

    users: UserStore
    tiers: Tiers
    runtime: Runtime

    async def run(self, deadline: Deadline) -> bool:
        """Counts the users of yesterday, sends the metrics, and erases old activity, until the deadline passes.

        Returns:
            Whether all was done. If not, the next run continues, or another run is at work.

        Raises:
            Unavailable: storage did not answer.
        """
        yesterday = day_of(self.runtime.clock.now()) - timedelta(days=1)
        counts = await read_counts(self.users.entities, yesterday)
        try:
            while not counts.complete:
                if deadline.passed:
                    return False
                counts = await save_counts(self.users.entities, await self._count_slice(counts))
            if counts.sent_at is None:
                sent = replace(counts, sent_at=self.runtime.clock.now())
                await self._send(await save_counts(self.users.entities, sent))
        except (AlreadyExists, Changed):
            # another run counts the same day
            return False
        return await erase_days(self.users.entities, yesterday - timedelta(days=KEPT_DAYS - 1), deadline)

    async def _count_slice(self, counts: DayCounts) -> DayCounts:
        """Returns the counts after the next slice: up to 1,000 active users, and up to 1,000 who may be paying."""
        entities, shard, after = self.users.entities, counts.shard, counts.after
        active = await _some(active_users(entities, counts.day, shard, after))
        listed = await _some(listed_users(entities, shard, after))
        # the users behind the end of a full list are not known yet, so the slice ends with the shorter one
        ends = [ids[-1] for ids in (active, listed) if len(ids) == _SLICE_ROWS]
        end = min(ends, default=None)
        if end is not None:
            active, listed = ([user_id for user_id in ids if user_id <= end] for ids in (active, listed))
        tier_of = await self._tiers_of(listed)
        return replace(
            counts,
            shard=shard if end is not None else shard + 1,
            after=end or "",
            active=counts.active + len(active),
            active_of=_plus(counts.active_of, [tier_of[user_id] for user_id in active if user_id in tier_of]),
            users_of=_plus(counts.users_of, list(tier_of.values())),
        )

    async def _tiers_of(self, listed: Sequence[str]) -> Mapping[str, TierName]:
        """Returns the tier of each of these users whose status is active and whose tier is not free."""
        found: dict[str, TierName] = {}
        for some in itertools.batched(listed, _READS_AT_A_TIME, strict=False):
            for user in await asyncio.gather(*map(self.users.get, some)):
                if user is not None and user.status is Status.ACTIVE and user.tier is not TierName.FREE:
                    found[user.id] = user.tier
        return found

    async def _send(self, counts: DayCounts) -> None:
        prices = {tier: self.tiers[tier].monthly_price_usd for tier in TierName}
        revenue = _daily_revenue(counts, prices)
        telemetry = self.runtime.telemetry
        signals.daily_active_users(telemetry, count=counts.active)
        signals.revenue_usd(telemetry, amount=revenue)
        if counts.active:
            paying = sum(number for tier, number in counts.active_of.items() if prices[tier] > 0)
            signals.conversion_rate(telemetry, share=paying / counts.active)
        _log.info("Business metrics of %s: %d active users, %.2f USD.", counts.day, counts.active, revenue)
        # no other run sends them, so this one waits until they have arrived
        await telemetry.flush(_FLUSH_SECONDS)


async def _some(ids: AsyncIterator[str]) -> Sequence[str]:
    """Returns the first ids, up to the size of a slice."""
    found: list[str] = []
    async for user_id in ids:
        found.append(user_id)
        if len(found) == _SLICE_ROWS:
            break
    return found


def _plus(counts: Mapping[TierName, int], tiers: Sequence[TierName]) -> Mapping[TierName, int]:
    return {tier: number + tiers.count(tier) for tier, number in counts.items()}


def _daily_revenue(counts: DayCounts, prices: Mapping[TierName, float]) -> float:
    """Returns the monthly prices of all paying users, divided by the number of days of the month."""
    monthly = sum(number * prices[tier] for tier, number in counts.users_of.items())
    return monthly / _days_in_month(counts.day)


def _days_in_month(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
