"""Not too many requests at once for any host, and none before its turn."""

import asyncio

from shared.clock import Clock

_MANY_HOSTS = 4096


class HostLimits:
    """At most so many requests at a time for each host, apart as it asks; hosts that nobody uses are forgotten."""

    def __init__(self, per_host: int, clock: Clock) -> None:
        self._per_host = per_host
        self._clock = clock
        self._hosts: dict[str, tuple[asyncio.Semaphore, int]] = {}
        self._turns: dict[str, float] = {}

    def turn(self, host: str, delay_seconds: float, within_seconds: float) -> float | None:
        """Take the next turn at a host that wants `delay_seconds` between requests: the seconds until then.

        None where that is later than `within_seconds`; no turn is taken then.
        """
        now = self._clock.monotonic()
        turn = max(now, self._turns.get(host, now))
        if turn - now > within_seconds:
            return None
        if len(self._turns) >= _MANY_HOSTS:
            self._turns = {known: at for known, at in self._turns.items() if at > now}
        self._turns[host] = turn + delay_seconds
        return turn - now

    def crowded(self, host: str) -> bool:
        """Whether to enter would mean to wait."""
        known = self._hosts.get(host)
        return known is not None and known[0].locked()

    async def enter(self, host: str) -> None:
        """Wait for a place at the host."""
        semaphore, users = self._hosts.get(host) or (asyncio.Semaphore(self._per_host), 0)
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

    def _forget(self, host: str) -> None:
        semaphore, users = self._hosts[host]
        if users > 1:
            self._hosts[host] = (semaphore, users - 1)
        else:
            del self._hosts[host]
