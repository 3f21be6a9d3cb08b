"""Runs several asynchronous tasks at the same time."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from shared.errors import AppError


async def process_concurrently[Item](
    items: Iterable[Item], work: Callable[[Item], Awaitable[None]], at_a_time: int
) -> None:
    """Calls `work` for every item, in their order, with up to `at_a_time` calls running at the same time.

    Raises:
        AppError: the first one that a call raised. The other calls are cancelled.
    """
    waiting = iter(items)

    async def process() -> None:
        for item in waiting:
            await work(item)

    async with task_group() as group:
        for _ in range(at_a_time):
            group.create_task(process())


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that raises an `AppError` as it is, not as an exception group.

    Raises:
        AppError: the first one that a task or the block raised. The other tasks are cancelled.
    """
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except* AppError as failed:
        raise failed.exceptions[0] from None


class FairPlaces:
    """Gives places to calls of users. Users who wait are served in rotation, however often each of them calls."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, user_id: str) -> None:
        """Waits for a place. The caller must call `give_back` after."""
        if self._free:
            self._free -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user_id, deque()).append(place)
        try:
            await place
        except BaseException:
            if not place.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Gives a place to the next call that waits."""
        while self._waiting:
            user_id, calls = next(iter(self._waiting.items()))
            place = calls.popleft()
            if not calls:
                del self._waiting[user_id]
            # a call that was cancelled waits no more
            if not place.done():
                if calls:
                    self._waiting.move_to_end(user_id)
                place.set_result(None)
                return
        self._free += 1

    @asynccontextmanager
    async def place_for(self, user_id: str) -> AsyncIterator[None]:
        """Waits for a place, and holds it during the block."""
        await self.take(user_id)
        try:
            yield
        finally:
            self.give_back()
