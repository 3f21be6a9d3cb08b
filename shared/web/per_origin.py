"""What is fetched once for each origin (scheme, host, port), and kept for a while."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from yarl import URL

_MAX_ORIGINS = 4096
_KEPT_SECONDS = 3600.0


@dataclass(slots=True)
class _Entry[T]:
    task: asyncio.Task[T]
    until: float


class PerOrigin[T]:
    """Answers of `fetch`, one for each origin, which callers at the same time share; the oldest make room."""

    def __init__(self, fetch: Callable[[str], Awaitable[T]]) -> None:
        self._fetch = fetch
        self._entries: OrderedDict[str, _Entry[T]] = OrderedDict()

    async def get(self, url: URL) -> T:
        """The answer for the URL's origin."""
        task = self.begin(url)
        return task.result() if task.done() else await asyncio.shield(task)

    def begin(self, url: URL) -> asyncio.Task[T]:
        """Have it fetched, if it is not there yet, without waiting for it."""
        origin = str(url.origin())
        now = asyncio.get_running_loop().time()
        entry = self._entries.get(origin)
        if entry is None or entry.until < now:
            entry = _Entry(asyncio.create_task(self._ask(origin)), now + _KEPT_SECONDS)
            self._entries[origin] = entry
            if len(self._entries) > _MAX_ORIGINS:
                self._entries.popitem(last=False)  # whoever waits for it still gets its answer
        self._entries.move_to_end(origin)
        return entry.task

    async def _ask(self, origin: str) -> T:
        return await self._fetch(origin)
