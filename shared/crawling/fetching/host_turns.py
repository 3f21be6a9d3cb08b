"""Whose turn is next in a chunk: its hosts in a circle, so that a slow one does not hold up the others."""

import asyncio
from collections import deque
from collections.abc import Sequence


class Turns:
    """Hands out positions 0, 1, … of a chunk, host by host in a circle, never more than `per_host` of one at a time.

    `hosts[i]` is the host of position i.
    """

    def __init__(self, hosts: Sequence[str], per_host: int) -> None:
        self._hosts = hosts
        self._per_host = per_host
        self._left = len(hosts)
        self._waiting: dict[str, deque[int]] = {}
        for position, host in enumerate(hosts):
            self._waiting.setdefault(host, deque()).append(position)
        self._active = dict.fromkeys(self._waiting, 0)
        self._circle = deque(self._waiting)  # the hosts with something waiting and a place free
        self._ready = asyncio.Semaphore(len(self._circle) or 1)  # counts the circle; in the end one for all

    async def take(self) -> int | None:
        """The next position, which `done` gives back; waits while all hosts are busy. None when none is left."""
        await self._ready.acquire()
        if not self._left:
            self._ready.release()
            return None
        host = self._circle.popleft()
        position = self._waiting[host].popleft()
        self._left -= 1
        self._active[host] += 1
        if self._waiting[host] and self._active[host] < self._per_host:
            self._join(host)
        if not self._left:
            self._ready.release()
        return position

    def done(self, position: int) -> None:
        """Free the position's place at its host."""
        host = self._hosts[position]
        if self._active[host] == self._per_host and self._waiting[host]:
            self._join(host)
        self._active[host] -= 1

    def _join(self, host: str) -> None:
        self._circle.append(host)
        self._ready.release()  # wakes one that waits, not all
