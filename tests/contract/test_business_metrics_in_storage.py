"""The figures of a day out of real tables, by runs that stop at their deadlines, and that compete."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import Deadline, SystemClock
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.entities import AzureEntities
from shared.telemetry.recording import RecordingTelemetry
from shared.users.caller import TierName
from shared.users.metrics import activity
from shared.users.metrics.activity import Activity, active_users
from shared.users.metrics.business_metrics import BusinessMetrics
from shared.users.metrics.day_counts import read_counts
from shared.users.metrics.shards import SHARDS
from shared.users.store import UserStore
from shared.users.tiers import DEFAULT_TIERS
from tests.unit.in_memory import runtime_of
from tests.unit.manual_clock import ManualClock
from tests.unit.users.metrics.population import simulate, store_all

USERS = 2000


@pytest.fixture
async def stores(connection_string):
    made = [AzureEntities(StorageAccount(connection_string)) for _ in range(2)]
    yield made
    for store in made:
        await store.close()


@pytest.fixture
def clock():
    """One o'clock at night, of a day in the past that no other test has."""
    days = random.SystemRandom().randrange(100_000)
    return ManualClock(datetime(1700, 1, 1, 1, tzinfo=UTC) + timedelta(days=days))


async def test_thousands_of_users_are_counted_exactly_and_sent_once_by_two_hosts(stores, clock):
    telemetry, system = RecordingTelemetry(), SystemClock()
    yesterday = (clock.now() - timedelta(days=1)).date()
    hosts = [
        BusinessMetrics(UserStore(store), DEFAULT_TIERS, runtime_of(clock, telemetry)) for store in stores
    ]
    # other tests share these tables: their users are counted before
    before = yesterday - timedelta(days=1)
    clock.advance(-86_400)
    assert await hosts[0].run(Deadline.after(system, 60))
    clock.advance(86_400)
    others = await read_counts(stores[0], before)
    telemetry.signals.clear()

    seed = random.SystemRandom().randrange(1 << 30)
    population = simulate(USERS, seed)
    await store_all(stores[0], population, yesterday)
    done = [False]
    while not any(done):
        done = await asyncio.gather(*(host.run(Deadline.after(system, 0.3)) for host in hosts))

    names = [signal.name for signal in telemetry.signals]
    assert names == ["daily_active_users", "revenue_usd", "conversion_rate"]
    counts = await read_counts(stores[0], yesterday)
    assert counts.active == sum(one.active for one in population)
    for tier in (TierName.PRO, TierName.ENTERPRISE):
        having = [one for one in population if one.user.tier is tier and one.user.status == "active"]
        assert counts.users_of[tier] - others.users_of[tier] == len(having)
        assert counts.active_of[tier] == sum(one.active for one in having)


async def test_activity_is_written_by_two_hosts_as_one_row_and_erased_after_a_week(
    stores, clock, monkeypatch
):
    monkeypatch.setattr(activity, "_ANSWER_WITHIN_SECONDS", 60.0)
    today = clock.now().date()
    await asyncio.gather(*(Activity(store, clock).note("ann") for store in stores))

    async def active():
        return [
            user_id for shard in range(SHARDS) async for user_id in active_users(stores[0], today, shard, "")
        ]

    assert await active() == ["ann"]
    clock.advance(9 * 86_400)
    metrics = BusinessMetrics(
        UserStore(stores[0]), DEFAULT_TIERS, replace(runtime_of(clock), telemetry=RecordingTelemetry())
    )
    assert await metrics.run(Deadline.after(SystemClock(), 60))
    assert await active() == []
