"""The figures of a night: exact, in slices, the same after kills, sent once."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clock import Deadline
from shared.storage.memory.entities import MemoryEntities
from shared.telemetry.recording import RecordingTelemetry
from shared.users.caller import TierName
from shared.users.metrics.activity import Activity, active_users
from shared.users.metrics.business_metrics import BusinessMetrics
from shared.users.metrics.day_counts import read_counts
from shared.users.metrics.shards import SHARDS, shard_of
from shared.users.store import UserStore
from shared.users.tiers import DEFAULT_TIERS, read_tiers
from shared.users.user import Status, User
from tests.unit.in_memory import runtime_of
from tests.unit.manual_clock import ManualClock
from tests.unit.users.metrics.mortal_store import KilledError, MortalStore
from tests.unit.users.metrics.population import DAY, NIGHT, expected_of, simulate, store_all

NAMES = ("daily_active_users", "revenue_usd", "conversion_rate")


@pytest.fixture
def clock():
    return ManualClock(NIGHT)


@pytest.fixture
def telemetry():
    return RecordingTelemetry()


@pytest.fixture
def entities():
    return MemoryEntities()


@pytest.fixture
def run(entities, clock, telemetry):
    """A run of the timer, over the given store, with these prices and this time."""

    async def once(store=entities, *, tiers=DEFAULT_TIERS, seconds=60.0):
        metrics = BusinessMetrics(UserStore(store), tiers, runtime_of(clock, telemetry))
        return await metrics.run(Deadline.after(clock, seconds))

    return once


def sent(telemetry):
    """The values that were sent, by name; each name must be there once at most."""
    values = [(signal.name, signal.measurements["value"]) for signal in telemetry.signals]
    assert len(dict(values)) == len(values)
    return [dict(values).get(name) for name in NAMES]


def figures_of(population):
    expected = expected_of(population)
    return [expected.active, pytest.approx(expected.revenue, rel=1e-12), expected.conversion]


async def active_on(entities, day):
    return [user_id for shard in range(SHARDS) async for user_id in active_users(entities, day, shard, "")]


async def test_the_figures_of_a_hundred_thousand_users_are_exact(run, entities, telemetry):
    population = simulate(100_000)
    await store_all(entities, population)
    assert await run()
    assert sent(telemetry) == figures_of(population)


async def test_slices_that_end_within_a_shard_miss_nobody_and_count_nobody_twice(monkeypatch, run, telemetry):
    for size in (1, 2, 7):
        monkeypatch.setattr("shared.users.metrics.business_metrics._SLICE_ROWS", size)
        population = [
            replace(one, active=number % 3 > 0) for number, one in enumerate(simulate(2000, seed=size))
        ]
        fresh = MemoryEntities()
        await store_all(fresh, population)
        telemetry.signals.clear()
        assert await run(fresh)
        assert sent(telemetry) == figures_of(population)


async def test_a_run_that_is_killed_at_random_moments_again_and_again_has_the_same_figures(
    monkeypatch, run, entities, telemetry
):
    monkeypatch.setattr("shared.users.metrics.business_metrics._SLICE_ROWS", 50)
    population, chance, kills = simulate(20_000), random.Random(5), 0
    await store_all(entities, population)
    while not (await read_counts(entities, DAY)).complete:
        try:
            await run(MortalStore(entities, chance.randrange(120), after=chance.random() < 0.5))
        except KilledError:
            kills += 1
    assert await run()
    assert kills > 20
    assert sent(telemetry) == figures_of(population)


@pytest.mark.parametrize("after", [False, True])
async def test_a_run_that_is_killed_at_any_call_of_storage_sends_once_unless_it_had_just_recorded_that_it_sends(
    run, clock, telemetry, after
):
    population = [one for one in simulate(300) if shard_of(one.user.id) in {0, 17, SHARDS - 1}]
    lost, dies_at, kills = 0, 0, True
    while kills:
        entities = MemoryEntities()
        await store_all(entities, population)
        telemetry.signals.clear()
        try:
            await run(MortalStore(entities, dies_at, after=after))
            kills = False
        except KilledError:
            dies_at += 1
        was_sent = bool(telemetry.signals)
        recorded = (await read_counts(entities, DAY)).sent_at is not None
        assert await run(entities)
        if recorded and not was_sent:
            lost += 1
            assert not telemetry.signals
        else:
            assert sent(telemetry) == figures_of(population)
        counts = await read_counts(entities, DAY)
        assert counts.active == expected_of(population).active
        assert counts.sent_at == clock.now()
    assert dies_at > 2 * SHARDS
    assert lost == (1 if after else 0)


async def test_runs_at_the_same_time_send_once(monkeypatch, run, entities, telemetry):
    monkeypatch.setattr("shared.users.metrics.business_metrics._SLICE_ROWS", 10)

    class Yielding(MortalStore):
        async def apply(self, table, partition, changes):
            await asyncio.sleep(0)
            return await super().apply(table, partition, changes)

    population = simulate(3000)
    await store_all(entities, population)
    runs = [run(Yielding(entities, 1 << 40, after=False)) for _ in range(5)]
    done = await asyncio.gather(*runs)
    assert sum(done) == 1
    assert sent(telemetry) == figures_of(population)


async def test_a_run_stops_at_its_deadline_and_the_next_one_goes_on(run, entities, clock, telemetry):
    population = simulate(5000)
    await store_all(entities, population)
    clock.tick = 1.0
    runs = 1
    while not await run(seconds=10.0):
        runs += 1
        assert runs < 20
    assert runs > 5
    assert sent(telemetry) == figures_of(population)


async def test_a_night_sends_once_however_often_the_timer_runs(run, entities, clock, telemetry):
    await store_all(entities, simulate(500))
    for _ in range(24):
        assert await run()
        clock.advance(600)
    assert len(telemetry.signals) == len(NAMES)
    clock.advance(86_400)
    telemetry.signals.clear()
    assert await run()
    active, revenue, conversion = sent(telemetry)
    assert (active, conversion) == (0, None)
    assert revenue > 0


async def test_who_pays_is_who_has_a_tier_with_a_price_now_and_is_active(run, entities, telemetry):
    users = UserStore(entities)
    activity = Activity(entities, ManualClock(NIGHT - timedelta(hours=5)))
    for name, tier in (("up", TierName.FREE), ("down", TierName.PRO), ("off", TierName.PRO)):
        await users.create(User(name, name, tier, NIGHT))
    await users.create(User("gone", "gone", TierName.ENTERPRISE, NIGHT))
    await users.create(User("idle", "idle", TierName.PRO, NIGHT))
    for name in ("up", "down", "off", "gone", "free"):
        await activity.note(name)
    await users.change("up", lambda user: replace(user, tier=TierName.ENTERPRISE))
    await users.change("down", lambda user: replace(user, tier=TierName.FREE))
    await users.change("off", lambda user: replace(user, status=Status.DISABLED))
    await users.erase(await users.require("gone"))
    assert await run()
    assert sent(telemetry) == [5, pytest.approx((499 + 29) / 28), 1 / 5]


async def test_the_prices_are_those_of_the_tiers(run, entities, telemetry):
    users = UserStore(entities)
    activity = Activity(entities, ManualClock(NIGHT - timedelta(hours=5)))
    for number, tier in enumerate([TierName.PRO, TierName.PRO, TierName.ENTERPRISE]):
        await users.create(User(f"u{number}", "", tier, NIGHT))
        await activity.note(f"u{number}")
    tiers = read_tiers({"pro": {"monthly_price_usd": 0}, "enterprise": {"monthly_price_usd": 56.0}})
    assert await run(tiers=tiers)
    assert sent(telemetry) == [3, pytest.approx(2.0), 1 / 3]


async def test_the_activity_of_more_than_a_week_ago_is_erased_also_after_a_kill(run, entities):
    for days in (1, 7, 8, 30):
        await Activity(entities, ManualClock(NIGHT - timedelta(days=days))).note("ann")
    # the run reads both lists of each shard and saves a slice before it erases
    with pytest.raises(KilledError):
        await run(MortalStore(entities, 3 * SHARDS + SHARDS // 2, after=True))
    assert len([row async for row in entities.query("activity", "~days")]) == 4
    assert await run()
    kept = [await active_on(entities, (NIGHT - timedelta(days=days)).date()) for days in (1, 7, 8, 30)]
    assert kept == [["ann"], ["ann"], [], []]
    listed = [row.row async for row in entities.query("activity", "~days")]
    assert listed == ["2026-02-08", "2026-02-14"]
