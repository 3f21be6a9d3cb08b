"""Two instances with separate connections to storage keep one limit together."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from shared.clock import Deadline, SystemClock
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.entities import AzureEntities
from shared.users.limits import rate_limits
from shared.users.limits.addresses import AddressLimits
from shared.users.limits.counts import TABLE, WINDOW_SECONDS, Limit, partition_of
from shared.users.limits.past_days import PastDays
from shared.users.limits.rate_limits import RateLimits

CALLS = 500
LIMITS = (Limit("user", 100), Limit("key-1", 100))


class StandingClock(SystemClock):
    """The system's clock, but with a wall clock that stands still, so that no minute ends during a test."""

    def __init__(self) -> None:
        now = super().now()
        self.moment = now.replace(second=WINDOW_SECONDS // 2, microsecond=0)

    def now(self):
        return self.moment


@pytest.fixture
async def stores(connection_string: str) -> AsyncIterator[Sequence[AzureEntities]]:
    made = [AzureEntities(StorageAccount(connection_string)) for _ in range(2)]
    yield made
    for store in made:
        await store.close()


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Raises the time limit for storage. If a busy machine exceeded it, calls would not be counted."""
    monkeypatch.setattr(rate_limits, "_ANSWER_WITHIN_SECONDS", 60.0)


async def test_two_instances_under_500_calls_at_once_allow_the_limit(stores):
    clock, subject = StandingClock(), uuid.uuid4().hex
    instances = [RateLimits(store, clock) for store in stores]
    verdicts = await asyncio.gather(*(instances[number % 2].take(subject, LIMITS) for number in range(CALLS)))
    assert sum(verdict.allowed for verdict in verdicts) == 100
    assert all(verdict.standings for verdict in verdicts)


async def test_two_instances_under_500_calls_at_once_of_an_address_allow_two_percent_more_at_most(stores):
    clock, address = StandingClock(), f"2001:db8:{uuid.uuid4().hex[:4]}::"
    instances = [AddressLimits(store, clock, 100) for store in stores]
    verdicts = await asyncio.gather(*(instances[number % 2].take(address) for number in range(CALLS)))
    assert 100 <= sum(verdict.allowed for verdict in verdicts) <= 102


async def test_counts_of_past_days_are_erased(stores):
    entities, clock, subject = stores[0], StandingClock(), uuid.uuid4().hex
    await RateLimits(entities, clock).take(subject, LIMITS)
    partition = partition_of(clock.now(), subject)
    assert await entities.get(TABLE, partition, subject)
    clock.moment += timedelta(days=2)
    assert await PastDays(entities, clock).erase(Deadline.after(clock, 60))
    assert await entities.get(TABLE, partition, subject) is None
