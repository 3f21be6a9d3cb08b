"""Not too many requests at once for any host, and none before its turn."""

import asyncio
from collections.abc import Mapping

from shared.clock import Clock

_MANY_HOSTS = 4096


class HostLimits:
    """At most so many requests at a time for each host, apart as it asks; hosts that nobody uses are forgotten.

    Hosts are named with their port. `lower` has those, without a port, that bear fewer requests than others.
    """

    def __init__(self, per_host: int, lower: Mapping[str, int], clock: Clock) -> None:
        self._per_host = per_host
        self._lower = lower
        self._clock = clock
        self._hosts: dict[str, tuple[asyncio.Semaphore, int]] = {}
        self._turns: dict[str, float] = {}
        self._rests: dict[str, float] = {}

    def turn(self, host: str, delay_seconds: float, within_seconds: float) -> float | None:
        """Take the next turn at a host that wants `delay_seconds` between requests: the seconds until then.

        None where that is later than `within_seconds`; no turn is taken then.
        """
        now = self._clock.monotonic()
        turn = max(now, self._turns.get(host, now))
        if turn - now > within_seconds:
            return None
        self._turns = _ahead(self._turns, now)
        self._turns[host] = turn + delay_seconds
        return turn - now

    def rest(self, host: str, seconds: float) -> float:
        """Let nobody ask the host for so long; returns how many seconds longer its rest is by that."""
        now = self._clock.monotonic()
        before, until = max(now, self._rests.get(host, now)), now + seconds
        if until <= before:
            return 0.0
        self._rests = _ahead(self._rests, now)
        self._rests[host] = until
        self._turns[host] = max(until, self._turns.get(host, until))
        return until - before

    def rests(self, host: str) -> bool:
        """Whether the host is not to be asked now: it rests until its next turn."""
        until = self._rests.get(host)
        if until is None:
            return False
        if until > self._clock.monotonic():
            return True
        del self._rests[host]
        return False

    def crowded(self, host: str) -> bool:
        """Whether to enter would mean to wait."""
        known = self._hosts.get(host)
        return known is not None and known[0].locked()

    async def enter(self, host: str) -> None:
        """Wait for a place at the host."""
        semaphore, users = self._hosts.get(host) or (asyncio.Semaphore(self._places(host)), 0)
        self._hosts[host] = (semaphore, users + 1)
        try:
            await semaphore.acquire()
        except BaseException:
            self._forget(host)
            raise

    def leave(self, host: str) -> None:
        """Give the place back."""
        self._hosts[host][0].release()
        self._forget(host)

    def _places(self, host: str) -> int:
        return min(self._per_host, self._lower.get(host.rpartition(":")[0], self._per_host))

    def _forget(self, host: str) -> None:
        semaphore, users = self._hosts[host]
        if users > 1:
            self._hosts[host] = (semaphore, users - 1)
        else:
            del self._hosts[host]


def _ahead(moments: dict[str, float], now: float) -> dict[str, float]:
    """The moments that are still to come, where there are many."""
    if len(moments) < _MANY_HOSTS:
        return moments
    return {host: at for host, at in moments.items() if at > now}
