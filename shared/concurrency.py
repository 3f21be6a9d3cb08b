"""Does several things at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from shared.errors import AppError


async def in_turns[Item](
    items: Iterable[Item], work: Callable[[Item], Awaitable[None]], at_a_time: int
) -> None:
    """Do the work for every item; where one fails with an error of the app, that is raised, the others cancelled."""
    turn = iter(items)

    async def take_turns() -> None:
        for item in turn:
            await work(item)

    async with together() as group:
        for _ in range(at_a_time):
            group.create_task(take_turns())


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group; where a task or the block fails with an error of the app, that is raised, the others cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except* AppError as failed:
        raise failed.exceptions[0] from None
