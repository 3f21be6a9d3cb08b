"""The order in which a chunk's candidates are fetched: hosts take turns, so that a slow host delays no other."""

import asyncio
from collections import deque
from collections.abc import Sequence
from urllib.parse import urlsplit

from shared.records.candidates import Candidate, NumberedCandidate


class HostTurns:
    """Hands out a chunk's candidates, one host after the other, and at most `per_host` of one host at a time.

    Many tasks share it. Each task calls `take`, works on the candidate, and then calls `done`.
    """

    def __init__(self, candidates: Sequence[NumberedCandidate], per_host: int) -> None:
        self._per_host = per_host
        self._left = len(candidates)
        self._host_of = {numbered.index: _host(numbered.candidate) for numbered in candidates}
        self._waiting: dict[str, deque[NumberedCandidate]] = {}
        for numbered in candidates:
            self._waiting.setdefault(self._host_of[numbered.index], deque()).append(numbered)
        self._active = dict.fromkeys(self._waiting, 0)
        # hosts that have a waiting candidate and a free place
        self._circle = deque(self._waiting)
        # counts the hosts in the circle; after the last candidate it lets all tasks through, one after the other
        self._ready = asyncio.Semaphore(len(self._circle) or 1)

    async def take(self) -> NumberedCandidate | None:
        """Wait until a host has a free place, and return its next candidate; None if no candidate is left."""
        await self._ready.acquire()
        if not self._left:
            self._ready.release()
            return None
        host = self._circle.popleft()
        numbered = self._waiting[host].popleft()
        self._left -= 1
        self._active[host] += 1
        if self._waiting[host] and self._active[host] < self._per_host:
            self._join(host)
        if not self._left:
            self._ready.release()
        return numbered

    def done(self, numbered: NumberedCandidate) -> None:
        """Free the candidate's place at its host."""
        host = self._host_of[numbered.index]
        if self._active[host] == self._per_host and self._waiting[host]:
            self._join(host)
        self._active[host] -= 1

    def _join(self, host: str) -> None:
        self._circle.append(host)
        # wakes one waiting task, not all
        self._ready.release()


def _host(candidate: Candidate) -> str:
    """The host that is asked for the image. An image in storage counts as a host of its own, so it never waits."""
    if candidate.in_storage:
        return f"in storage: {candidate.url}"
    try:
        return urlsplit(candidate.url).netloc
    except ValueError:
        return ""
