"""Orders a chunk's candidates: one queue for each host, served round robin, so that a slow host delays no other."""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from urllib.parse import urlsplit

from shared.records.candidates import Candidate, NumberedCandidate

_PLAIN = re.compile(r"https?://([A-Za-z0-9.:_-]+)[/?#]")


class HostQueues:
    """Hands out a chunk's candidates, one host after the other, and at most `per_host` of one host at a time.

    Many tasks share it. Each task calls `take`, works on the candidate, and then calls `done`.
    """

    def __init__(self, candidates: Sequence[NumberedCandidate], per_host: int) -> None:
        self._per_host = per_host
        self._waiting_count = len(candidates)
        self._host_of = {numbered.index: _host(numbered.candidate) for numbered in candidates}
        self._queues: dict[str, deque[NumberedCandidate]] = {}
        for numbered in candidates:
            self._queues.setdefault(self._host_of[numbered.index], deque()).append(numbered)
        self._active = dict.fromkeys(self._queues, 0)
        # hosts that have a waiting candidate and fewer than `per_host` active ones
        self._circle = deque(self._queues)
        # counts the hosts in the circle; after the last candidate it wakes all tasks, one after the other
        self._ready = asyncio.Semaphore(len(self._circle) or 1)

    async def take(self) -> NumberedCandidate | None:
        """Waits until a host may get one more candidate, and returns that. Returns None if no candidate is left."""
        await self._ready.acquire()
        if not self._waiting_count:
            self._ready.release()
            return None
        host = self._circle.popleft()
        numbered = self._queues[host].popleft()
        self._waiting_count -= 1
        self._active[host] += 1
        if self._queues[host] and self._active[host] < self._per_host:
            self._join(host)
        if not self._waiting_count:
            self._ready.release()
        return numbered

    def done(self, numbered: NumberedCandidate) -> None:
        """Ends the work on a candidate, so that its host may get another one."""
        host = self._host_of[numbered.index]
        if self._active[host] == self._per_host and self._queues[host]:
            self._join(host)
        self._active[host] -= 1

    def _join(self, host: str) -> None:
        self._circle.append(host)
        # wakes one waiting task, not all
        self._ready.release()


def _host(candidate: Candidate) -> str:
    """The host that is asked for the image. An image in storage counts as a host of its own, so it never waits."""
    if candidate.in_storage and candidate.known is None:
        return f"in storage: {candidate.url}"
    plain = _PLAIN.match(candidate.url)
    if plain is not None:
        return plain[1]
    try:
        return urlsplit(candidate.url).netloc
    except ValueError:
        return ""
