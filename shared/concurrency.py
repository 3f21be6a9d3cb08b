"""Runs several asynchronous tasks at the same time."""

import asyncio
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
