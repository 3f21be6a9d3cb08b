"""The cached key that signs links with the app's identity."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError
from azure.storage.blob import UserDelegationKey

from shared.errors import NotConfigured, Unavailable
from shared.storage.azure.delegation import DelegationKeys
from tests.unit.manual_clock import ManualClock

DAY = 86_400.0


class Azure:
    """Gives keys for as long as they are asked, or raises `error`. It waits for `open`."""

    def __init__(self):
        self.asked = []
        self.error = None
        self.open = asyncio.Event()
        self.open.set()

    async def get_key(self, start, expiry):
        self.asked.append((start, expiry))
        await self.open.wait()
        if self.error is not None:
            raise self.error
        key = UserDelegationKey()
        key.signed_start, key.signed_expiry = start.isoformat(), expiry.isoformat()
        return key


def _refused():
    error: Any = HttpResponseError("This request is not authorized to perform this operation.")
    error.status_code, error.error_code = 403, "AuthorizationPermissionMismatch"
    return error


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def azure():
    return Azure()


@pytest.fixture
async def keys(azure, clock):
    made = DelegationKeys(azure.get_key, clock)
    yield made
    await made.close()


def hours(clock, number):
    return clock.now() + timedelta(hours=number)


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_key_is_valid_from_some_minutes_ago_and_never_longer_than_seven_days(azure, clock, keys):
    await keys.lasting(hours(clock, 1))
    [(start, expiry)] = azure.asked
    assert clock.now() - start == timedelta(minutes=15)
    assert expiry - start == timedelta(days=7)


async def test_calls_at_the_same_time_share_one_fetch(azure, clock, keys):
    azure.open.clear()
    calls = [asyncio.create_task(keys.lasting(hours(clock, 1))) for _ in range(50)]
    await settle()
    azure.open.set()
    assert len(set(await asyncio.gather(*calls))) == 1
    assert len(azure.asked) == 1


async def test_a_caller_that_gives_up_does_not_end_the_fetch_of_the_others(azure, clock, keys):
    azure.open.clear()
    first, second = (asyncio.create_task(keys.lasting(hours(clock, 1))) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    azure.open.set()
    assert (await second).expires_at > clock.now()
    assert len(azure.asked) == 1


@pytest.mark.parametrize("link_hours", [1, 24, 100, 6 * 24, 7 * 24])
async def test_no_key_ends_before_the_links_that_it_signs(azure, clock, keys, link_hours):
    """Links of more than seven days less an hour and a quarter end as their key does."""
    most = timedelta(days=7) - timedelta(minutes=75)
    for _ in range(4 * 24 * 10):
        until = hours(clock, link_hours)
        key = await keys.lasting(until)
        await settle()
        assert key.expires_at >= min(until, clock.now() + most)
        clock.advance(900)
    assert len(azure.asked) <= 2 * 10 * 24 + 1


async def test_a_key_is_used_for_days(azure, clock, keys):
    for _ in range(6 * 24):
        await keys.lasting(hours(clock, 1))
        clock.advance(3600)
    assert len(azure.asked) == 1


async def test_a_key_is_renewed_ahead_while_callers_go_on(azure, clock, keys):
    old = await keys.lasting(hours(clock, 1))
    clock.advance(6.5 * DAY)
    azure.open.clear()
    assert await keys.lasting(hours(clock, 1)) is old
    azure.open.set()
    await settle()
    assert (await keys.lasting(hours(clock, 1))).expires_at > old.expires_at
    assert len(azure.asked) == 2


async def test_links_are_made_while_azure_gives_no_key(azure, clock, keys, caplog):
    """Azure is asked again every five minutes, and not for every link."""
    old = await keys.lasting(hours(clock, 1))
    azure.error = ServiceRequestError("nobody answers")
    clock.advance(6.5 * DAY)
    with caplog.at_level(logging.WARNING):
        for _ in range(60):
            assert await keys.lasting(hours(clock, 1)) is old
            await settle()
            clock.advance(60)
    assert len(azure.asked) == 1 + 12
    assert "could not be fetched" in caplog.text


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (ClientAuthenticationError("no identity"), NotConfigured, "Storage Blob Delegator"),
        (_refused(), NotConfigured, "role"),
        (ServiceRequestError("nobody answers"), Unavailable, "did not answer"),
    ],
)
async def test_a_failing_fetch_is_a_clear_error_and_is_tried_again(azure, clock, keys, error, kind, text):
    azure.error = error
    with pytest.raises(kind, match=text):
        await keys.lasting(hours(clock, 1))
    azure.error = None
    assert await keys.lasting(hours(clock, 1))


async def test_a_fetch_that_hangs_ends_in_time(azure, clock):
    azure.open.clear()
    keys = DelegationKeys(azure.get_key, clock, fetch_seconds=0.01)
    with pytest.raises(Unavailable, match="in time"):
        await keys.lasting(hours(clock, 1))
