"""Measures the nightly count of a million simulated users, undisturbed and killed again and again.

The tables are in memory. 60 % of the users were active on the day, and 5 % have a tier with a price. Either way exactly
the figures must be sent that plain sums over all users give.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import override

from bench.table import Figure, Table, verdict
from shared.clock import Deadline, SystemClock
from shared.ids import RandomIds
from shared.runtime import Runtime
from shared.storage.entities import Change, Entity, Put
from shared.storage.memory.entities import MemoryEntities
from shared.telemetry.recording import RecordingTelemetry
from shared.users.caller import TierName
from shared.users.metrics.activity import TABLE, day_of, partition_of
from shared.users.metrics.business_metrics import BusinessMetrics
from shared.users.metrics.shards import shard_of
from shared.users.store import UserStore
from shared.users.tiers import DEFAULT_TIERS
from shared.users.user import User

_USERS = 1_000_000
_NIGHT = datetime(2026, 2, 15, 1, tzinfo=UTC)
_DAYS_OF_MONTH = 28
_PAYING = (TierName.PRO,) * 4 + (TierName.ENTERPRISE,)
_KILLS = 20
# 20 runs of so many writes, one for each slice, end before all users are counted
_MOST_WRITES = 60
_MOST_SECONDS = 240
_PAGE_ROWS = 1000


class _KilledError(Exception):
    """Stands for the end of a process."""


class _Clock(SystemClock):
    @override
    def now(self) -> datetime:
        return _NIGHT


class _Tables(MemoryEntities):
    """Counts the calls that Azure would need. If `kill_at` is set, the process dies at that many writes."""

    calls = 0
    kill_at: int | None = None

    @override
    async def get(self, table: str, partition: str, row: str) -> Entity | None:
        self.calls += 1
        return await super().get(table, partition, row)

    @override
    async def query(
        self, table: str, partition: str, *, after: str = "", before: str = ""
    ) -> AsyncIterator[Entity]:
        rows = 0
        self.calls += 1
        async for row in super().query(table, partition, after=after, before=before):
            self.calls += rows > 0 and rows % _PAGE_ROWS == 0
            rows += 1
            yield row

    @override
    async def apply(self, table: str, partition: str, changes: Sequence[Change]) -> Sequence[str]:
        self.calls += 1
        if self.kill_at is None:
            return await super().apply(table, partition, changes)
        self.kill_at -= 1
        # half of the processes die when the row is written, but before they know it
        if self.kill_at > 0 or random.random() < 0.5:  # noqa: S311 - chooses a moment, keeps no secret
            etags = await super().apply(table, partition, changes)
            if self.kill_at > 0:
                return etags
        raise _KilledError


@dataclass(frozen=True, slots=True)
class _Night:
    """What a night took, over all of its runs."""

    seconds: float
    calls: int
    kills: int


def run(rounds: int) -> Sequence[Table]:
    """Counts the users twice in each round, with and without kills."""
    asyncio.run(_fill(tables := _Tables(), expected := _Expected()))
    nights: dict[str, list[_Night]] = {"undisturbed": [], "killed": []}
    for _ in range(rounds):
        for name, made in nights.items():
            made.append(asyncio.run(_night(tables, expected, kills=name == "killed")))
    rows = []
    for name, made in nights.items():
        seconds = Figure.of([night.seconds for night in made])
        rows.append(
            (
                name,
                seconds.show(1),
                Figure.of([night.calls for night in made]).show(0),
                Figure.of([night.kills for night in made]).show(0),
                "exact, sent once",
                verdict(seconds.median, _MOST_SECONDS, at_least=False),
            )
        )
    heads = ("a night's runs", "seconds", "storage calls", "kills", "figures", f"under {_MOST_SECONDS} s")
    return [Table(f"The business metrics of {_USERS:,} users", heads, rows)]


@dataclass(slots=True)
class _Expected:
    """The figures by plain sums."""

    active: int = 0
    paying_active: int = 0
    monthly_usd: float = 0.0

    def values(self) -> Sequence[float]:
        return self.active, self.monthly_usd / _DAYS_OF_MONTH, self.paying_active / self.active


async def _fill(tables: _Tables, expected: _Expected) -> None:
    """Stores the users who pay, and the activity of all."""
    chance = random.Random(1)  # noqa: S311 - simulates users, keeps no secret
    users, day = UserStore(tables), day_of(_NIGHT) - timedelta(days=1)
    waiting: dict[str, list[Change]] = defaultdict(list)
    for _ in range(_USERS):
        user_id = f"{chance.getrandbits(64):016x}"
        pays, active = chance.random() < 0.05, chance.random() < 0.6
        if pays:
            tier = chance.choice(_PAYING)
            await users.create(User(user_id, "A user", tier, _NIGHT))
            expected.monthly_usd += DEFAULT_TIERS[tier].monthly_price_usd
        if active:
            partition = partition_of(day, shard_of(user_id))
            waiting[partition].append(Put(Entity(partition, user_id)))
            if len(waiting[partition]) == 100:
                await tables.apply(TABLE, partition, waiting.pop(partition))
        expected.active += active
        expected.paying_active += active and pays
    for partition, changes in waiting.items():
        await tables.apply(TABLE, partition, changes)


async def _night(tables: _Tables, expected: _Expected, *, kills: bool) -> _Night:
    """Runs until the day is done.

    Raises:
        RuntimeError: other figures were sent than expected, or not once.
    """
    await tables.erase(TABLE, "~counts")
    telemetry, clock = RecordingTelemetry(), _Clock()
    metrics = BusinessMetrics(UserStore(tables), DEFAULT_TIERS, Runtime(clock, RandomIds(), telemetry))
    began, tables.calls, killed, done = time.perf_counter(), 0, 0, False
    while not done:
        dies = kills and killed < _KILLS
        tables.kill_at = random.randrange(1, _MOST_WRITES) if dies else None  # noqa: S311 - likewise
        try:
            done = await metrics.run(Deadline.after(clock, _MOST_SECONDS))
        except _KilledError:
            killed += 1
    sent = [signal.measurements["value"] for signal in telemetry.signals]
    if len(sent) != 3 or any(abs(a - b) > 1e-9 * b for a, b in zip(sent, expected.values(), strict=True)):
        raise RuntimeError(f"the metrics are wrong: {sent} instead of {expected.values()}")
    return _Night(time.perf_counter() - began, tables.calls, killed)
