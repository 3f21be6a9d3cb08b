"""Simulated users in a store, and what their metrics must be, by plain sums over all of them."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from shared.storage.entities import Change, Entity, EntityStore, Put
from shared.users.caller import TierName
from shared.users.metrics.activity import TABLE, partition_of
from shared.users.metrics.shards import shard_of
from shared.users.store import UserStore
from shared.users.tiers import DEFAULT_TIERS
from shared.users.user import Status, User

DAY = date(2026, 2, 14)
DAYS_OF_MONTH = 28
NIGHT = datetime(2026, 2, 15, 1, 0, tzinfo=UTC)
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Simulated:
    """A user, and whether the user was active on the day."""

    user: User
    active: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be sent."""

    active: int
    revenue: float
    conversion: float


def simulate(users: int, seed: int = 1) -> Sequence[Simulated]:
    """Users of whom 5 % have a tier with a price, 2 % are disabled and 60 % were active."""
    chance = random.Random(seed)
    tiers = [TierName.FREE] * 95 + [TierName.PRO] * 4 + [TierName.ENTERPRISE]
    return [
        Simulated(
            User(
                f"{chance.getrandbits(64):016x}",
                "A user",
                chance.choice(tiers),
                NIGHT,
                Status.DISABLED if chance.random() < 0.02 else Status.ACTIVE,
            ),
            chance.random() < 0.6,
        )
        for _ in range(users)
    ]


async def store_all(entities: EntityStore, population: Sequence[Simulated], day: date = DAY) -> None:
    """Store the users who pay, and the activity of all. Users of the tier free need no rows: nobody reads them."""
    users = UserStore(entities)
    rows: dict[str, list[Change]] = defaultdict(list)
    for one in population:
        if one.user.tier is not TierName.FREE:
            await users.create(one.user)
        if one.active:
            partition = partition_of(day, shard_of(one.user.id))
            rows[partition].append(Put(Entity(partition, one.user.id)))
    for partition, changes in rows.items():
        for start in range(0, len(changes), _BATCH):
            await entities.apply(TABLE, partition, changes[start : start + _BATCH])


def expected_of(population: Sequence[Simulated]) -> Expected:
    """The metrics by their definitions."""
    active = [one for one in population if one.active]
    return Expected(
        active=len(active),
        revenue=sum(map(_price, population)) / DAYS_OF_MONTH,
        conversion=sum(_price(one) > 0 for one in active) / len(active),
    )


def _price(one: Simulated) -> float:
    return DEFAULT_TIERS[one.user.tier].monthly_price_usd if one.user.status is Status.ACTIVE else 0.0
