"""Fetches a value once for each origin (scheme, host, port) or address, and keeps it for a while."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from yarl import URL

_MAX_ORIGINS = 4096
_MAX_BYTES = 128_000_000
_KEPT_SECONDS = 3600.0
_KEPT_BRIEFLY_SECONDS = 60.0


@dataclass(slots=True)
class _Entry[T]:
    task: asyncio.Task[T]
    until: float
    size_bytes: int = 0


class PerOrigin[T]:
    """Holds the results of `fetch`, one for each origin, or one for each address if `by_address`.

    Concurrent callers share one fetch.

    A result is kept for an hour, or for a minute if it is `transient`. An error of `fetch` is not kept. The oldest
    results are dropped if there are more than 4,096 of them, or if they take more than `max_bytes` of memory. `size_of`
    returns the size of one in bytes.
    """

    def __init__(
        self,
        fetch: Callable[[str], Awaitable[T]],
        size_of: Callable[[T], int],
        transient: Callable[[T], bool] = lambda _: False,
        *,
        by_address: bool = False,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        self._fetch = fetch
        self._size_of = size_of
        self._transient = transient
        self._by_address = by_address
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._size_bytes = 0

    async def get(self, url: URL) -> T:
        """Returns the result for the URL. Errors of `fetch` are raised here."""
        task = self.begin(url)
        return task.result() if task.done() else await asyncio.shield(task)

    def begin(self, url: URL) -> asyncio.Task[T]:
        """Starts the fetch if there is no result yet, and does not wait for it."""
        key: Hashable = str(url) if self._by_address else (url.scheme, url.raw_authority)
        now = asyncio.get_running_loop().time()
        entry = self._entries.get(key)
        if entry is not None and entry.until > now:
            self._entries.move_to_end(key)
            return entry.task
        self._size_bytes -= entry.size_bytes if entry is not None else 0
        address = str(url) if self._by_address else str(url.origin())
        entry = _Entry(asyncio.create_task(self._ask(key, address)), now + _KEPT_SECONDS)
        self._entries[key] = entry
        self._entries.move_to_end(key)
        self._make_room()
        return entry.task

    async def _ask(self, key: Hashable, address: str) -> T:
        try:
            answer = await self._fetch(address)
        except BaseException:
            entry = self._entries.get(key)
            if entry is not None and entry.task is asyncio.current_task():
                del self._entries[key]
            raise
        entry = self._entries.get(key)
        if entry is not None and entry.task is asyncio.current_task():
            if self._transient(answer):
                entry.until = asyncio.get_running_loop().time() + _KEPT_BRIEFLY_SECONDS
            entry.size_bytes = self._size_of(answer)
            self._size_bytes += entry.size_bytes
            self._make_room()
        return answer

    def _make_room(self) -> None:
        while len(self._entries) > _MAX_ORIGINS or self._size_bytes > self._max_bytes:
            # callers that wait for the dropped one still get its result
            _, entry = self._entries.popitem(last=False)
            self._size_bytes -= entry.size_bytes
