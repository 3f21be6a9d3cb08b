"""Limits the calls of an address that nobody has identified: calls without a valid key, and public calls.

Such calls cost little to make. So they must cost the app little, too:

- An instance allows the first few calls of an address in a minute without counting them anywhere else.
- It takes large shares of the limit from storage, and asks storage a limited number of times in a minute for all
  addresses together. After that, and while storage does not answer, it counts each address by itself.
- It looks up a few keys at the same time for one address, and none while the address has used up its limit. Keys that
  can be judged without storage are judged all the same. So somebody who tries out keys does not lock out those who use
  the app from the same address.

Where the app cannot know addresses, all of these calls are counted together, and look-ups are not refused: otherwise
one attacker could lock everybody out.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Final

from shared.clock import Clock
from shared.storage.entities import EntityStore
from shared.users.limits.counts import WINDOW_SECONDS, Limit, minute_of
from shared.users.limits.rate_limits import RateLimits, Standing, Verdict

ADDRESS: Final = "address"
_UNCOUNTED_PART = 50
_SHARES = 4
_ASKS_PER_MINUTE = 600
_MAX_ADDRESSES = 10_000
_LOOK_UPS_AT_ONCE = 8

# stands for all addresses that the app cannot know
_UNKNOWN = "unknown"


@dataclass(slots=True)
class _Address:
    """The calls of an address in a minute, as this instance has seen them."""

    minute: int = -1
    calls: int = 0
    refused: bool = False
    looking_up: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_LOOK_UPS_AT_ONCE))


class AddressLimits:
    """Counts the calls of addresses, and allows `calls` of each in a minute. An instance remembers 10,000 addresses."""

    def __init__(self, entities: EntityStore, clock: Clock, calls: int) -> None:
        self._clock = clock
        self._limit = Limit(ADDRESS, calls)
        self._uncounted = max(1, calls // _UNCOUNTED_PART)
        self._counted = Limit(ADDRESS, max(1, calls - self._uncounted))
        self._shared = RateLimits(entities, clock, _SHARES, self._may_ask)
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self._asks: tuple[int, int] = (-1, 0)

    async def take(self, address: str | None) -> Verdict:
        """Counts one call of an address, which is None if the app cannot know it."""
        known = self._known(address)
        known.calls += 1
        if known.calls <= self._uncounted:
            return self._alone(known)
        verdict = await self._shared.take(_subject(address), (self._counted,))
        return self._shown(verdict) if verdict.standings else self._alone(known)

    def refusal(self, address: str | None) -> Verdict | None:
        """Returns the verdict on a look-up for an address that has used up its limit, or None. It is not counted."""
        known = self._known(address)
        if address is None or known.calls < self._uncounted:
            return None
        verdict = self._shared.peek(_subject(address), (self._counted,))
        if verdict is None:
            verdict = self._alone(replace(known, calls=known.calls + 1))
        return None if verdict.allowed else self._shown(verdict)

    @contextlib.asynccontextmanager
    async def looking_up(self, address: str | None) -> AsyncIterator[None]:
        """Looks up a key for the address. Only a few look-ups for one address run at the same time."""
        async with self._known(address).looking_up:
            yield

    def _shown(self, verdict: Verdict) -> Verdict:
        """Returns the verdict with the limit that callers know, which includes the calls that are not counted."""
        standings = [replace(standing, limit=self._limit) for standing in verdict.standings]
        return replace(verdict, standings=standings)

    def _alone(self, known: _Address) -> Verdict:
        """Returns the verdict by the calls that this instance has seen in the minute."""
        resets = WINDOW_SECONDS - self._clock.now().timestamp() % WINDOW_SECONDS
        remaining = max(0, self._limit.calls - known.calls)
        allowed = known.calls <= self._limit.calls
        first = not allowed and not known.refused
        known.refused = known.refused or not allowed
        return Verdict(allowed, [Standing(self._limit, remaining, resets)], first_refusal=first)

    def _may_ask(self) -> bool:
        minute, asks = self._asks
        now = minute_of(self._clock.now().timestamp())
        asks = asks + 1 if now == minute else 1
        self._asks = now, asks
        return asks <= _ASKS_PER_MINUTE

    def _known(self, address: str | None) -> _Address:
        known = self._addresses.setdefault(address or _UNKNOWN, _Address())
        self._addresses.move_to_end(address or _UNKNOWN)
        if len(self._addresses) > _MAX_ADDRESSES:
            self._addresses.popitem(last=False)
        minute = minute_of(self._clock.now().timestamp())
        if known.minute != minute:
            known.minute, known.calls, known.refused = minute, 0, False
        return known


def _subject(address: str | None) -> str:
    return f"address-{address or _UNKNOWN}"
