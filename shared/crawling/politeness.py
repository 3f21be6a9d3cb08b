"""Not too many requests at once for any host."""

import asyncio


class HostLimits:
    """At most so many requests at a time for each host; hosts that nobody uses are forgotten."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._hosts: dict[str, tuple[asyncio.Semaphore, int]] = {}

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
