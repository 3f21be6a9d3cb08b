"""Limits the requests to each host: how many at a time, at which intervals, and not while the host rests."""

import asyncio
from collections.abc import Mapping

from shared.clock import Clock

_MANY_HOSTS = 4096


class HostLimits:
    """Limits requests by host. A host's name includes its port.

    Each host gets `per_host` requests at a time, or fewer if it is in `lower`, whose keys have no port. Hosts that
    nobody uses any more take no memory.
    """

    def __init__(self, per_host: int, lower: Mapping[str, int], clock: Clock) -> None:
        self._per_host = per_host
        self._lower = lower
        self._clock = clock
        self._hosts: dict[str, tuple[asyncio.Semaphore, int]] = {}
        self._next_times: dict[str, float] = {}
        self._rest_ends: dict[str, float] = {}

    def reserve_time(self, host: str, delay_seconds: float, within_seconds: float) -> float | None:
        """Reserves the next time for a request to a host that wants `delay_seconds` between requests.

        Returns the seconds until then. Returns None, and reserves nothing, if they are more than `within_seconds`.
        """
        now = self._clock.monotonic()
        reserved = max(now, self._next_times.get(host, now))
        if reserved - now > within_seconds:
            return None
        self._next_times = _without_past(self._next_times, now)
        self._next_times[host] = reserved + delay_seconds
        return reserved - now

    def rest(self, host: str, seconds: float) -> float:
        """Lets the host rest for this many seconds from now. Returns by how many seconds its rest became longer."""
        now = self._clock.monotonic()
        before, until = max(now, self._rest_ends.get(host, now)), now + seconds
        if until <= before:
            return 0.0
        self._rest_ends = _without_past(self._rest_ends, now)
        self._rest_ends[host] = until
        self._next_times[host] = max(until, self._next_times.get(host, until))
        return until - before

    def begin_after(self, host: str, seconds: float) -> None:
        """Lets `reserve_time` reserve no time for the host within this many seconds from now."""
        now = self._clock.monotonic()
        self._next_times = _without_past(self._next_times, now)
        self._next_times[host] = max(now + seconds, self._next_times.get(host, now))

    def seconds_until_next(self, host: str) -> float:
        """Returns the seconds until the next time that `reserve_time` may reserve for the host."""
        now = self._clock.monotonic()
        return max(0.0, self._next_times.get(host, now) - now)

    def most_at(self, host: str) -> int:
        """Returns how many requests the host gets at a time at most."""
        return min(self._per_host, self._lower.get(host.rpartition(":")[0], self._per_host))

    def is_resting(self, host: str) -> bool:
        """Returns whether the host rests, so that it must not be asked now."""
        until = self._rest_ends.get(host)
        if until is None:
            return False
        if until > self._clock.monotonic():
            return True
        del self._rest_ends[host]
        return False

    def is_full(self, host: str) -> bool:
        """Returns whether `enter` would have to wait."""
        known = self._hosts.get(host)
        return known is not None and known[0].locked()

    async def enter(self, host: str) -> None:
        """Waits until the host may get one request more. The caller must call `leave` after the request."""
        semaphore, users = self._hosts.get(host) or (asyncio.Semaphore(self.most_at(host)), 0)
        self._hosts[host] = (semaphore, users + 1)
        try:
            await semaphore.acquire()
        except BaseException:
            self._forget(host)
            raise

    def leave(self, host: str) -> None:
        """Ends a request."""
        self._hosts[host][0].release()
        self._forget(host)

    def _forget(self, host: str) -> None:
        semaphore, users = self._hosts[host]
        if users > 1:
            self._hosts[host] = (semaphore, users - 1)
        else:
            del self._hosts[host]


def _without_past(times: dict[str, float], now: float) -> dict[str, float]:
    """Returns the times without those that have passed, if there are many hosts."""
    if len(times) < _MANY_HOSTS:
        return times
    return {host: at for host, at in times.items() if at > now}
