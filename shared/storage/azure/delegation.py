"""Fetches the user delegation key that signs links, and keeps it.

An app that has an identity and no key of the storage account asks Azure for such a key. It ends after at most seven
days, and so do the links that it signs.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from azure.storage.blob import UserDelegationKey

from shared.clock import Clock
from shared.errors import NotConfigured, Permanent, Unavailable
from shared.storage.azure.account import translated

CLOCK_SKEW: Final = timedelta(minutes=15)
"""How far the clock of the app may be ahead of Azure's: keys and links are valid from so much earlier on."""
# Azure counts the seven days from the start of a key, and from now
_KEY_LIFETIME = timedelta(days=7) - CLOCK_SKEW
# a link that asks for nearly seven days gets up to so much less, so that it does not need a key of its own
_LESS_THAN_ASKED = timedelta(hours=1)
_RENEWED_AHEAD = timedelta(hours=12)
_PAUSE_SECONDS = 300.0
_FETCH_SECONDS = 30.0
_ROLES = "Storage Blob Data Owner or Storage Blob Delegator"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DelegationKey:
    """A user delegation key, which signs links that end by `expires_at`."""

    key: UserDelegationKey
    expires_at: datetime


type FetchKey = Callable[[datetime, datetime], Awaitable[UserDelegationKey]]
"""Asks Azure for a key that is valid from one time to another."""


class DelegationKeys:
    """One cached key. Callers at the same time share a fetch.

    The key is renewed up to twelve hours before it is too short, while callers go on with it. So links can still be
    made while Azure gives no keys for some hours.
    """

    def __init__(self, fetch: FetchKey, clock: Clock, *, fetch_seconds: float = _FETCH_SECONDS) -> None:
        self._fetch = fetch
        self._clock = clock
        self._fetch_seconds = fetch_seconds
        self._current: DelegationKey | None = None
        self._fetching: asyncio.Task[DelegationKey] | None = None
        self._fetch_after = 0.0

    async def lasting(self, until: datetime) -> DelegationKey:
        """Returns a key that does not end before `until`, or a whole hour before a key that is new would end.

        Raises:
            NotConfigured: the app's identity may not have a key.
            Unavailable: Azure did not give a key in time.
        """
        now = self._clock.now()
        needed = min(until, now + _KEY_LIFETIME - _LESS_THAN_ASKED)
        key = self._current
        if key is None or key.expires_at < needed:
            # a caller that gives up does not end the fetch of the others
            return await asyncio.shield(self._fetched())
        # for long links there is less time between a new key and one that is too short
        ahead = min(_RENEWED_AHEAD, (now + _KEY_LIFETIME - needed) / 2)
        if key.expires_at < needed + ahead and self._clock.monotonic() >= self._fetch_after:
            self._fetched()
        return key

    async def close(self) -> None:
        """Ends a fetch that runs."""
        if self._fetching is not None and not self._fetching.done():
            self._fetching.cancel()
            await asyncio.wait({self._fetching})

    def _fetched(self) -> "asyncio.Task[DelegationKey]":
        """Returns the fetch that runs, or a new one."""
        if self._fetching is None or self._fetching.done():
            self._fetch_after = self._clock.monotonic() + _PAUSE_SECONDS
            self._fetching = asyncio.create_task(self._renew())
            self._fetching.add_done_callback(_log_failure)
        return self._fetching

    async def _renew(self) -> DelegationKey:
        now = self._clock.now()
        try:
            async with asyncio.timeout(self._fetch_seconds):
                with translated("The user delegation key"):
                    key = await self._fetch(now - CLOCK_SKEW, now + _KEY_LIFETIME)
        except TimeoutError:
            raise Unavailable("Azure gave no key to sign links with in time.") from None
        except Permanent as error:
            raise NotConfigured(
                f"Links cannot be made: the app's identity may not have a user delegation key of the storage "
                f"account. It needs the role {_ROLES} on the account."
            ) from error
        self._current = DelegationKey(key, datetime.fromisoformat(str(key.signed_expiry)))
        return self._current


def _log_failure(fetch: "asyncio.Task[DelegationKey]") -> None:
    error = None if fetch.cancelled() else fetch.exception()
    if error is not None:
        _log.warning("The key that signs links could not be fetched: %s", error)
