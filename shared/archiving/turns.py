"""Does many small things, some at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from shared.errors import AppError


async def in_turns[Item](
    items: Iterable[Item], work: Callable[[Item], Awaitable[None]], at_a_time: int
) -> None:
    """Do the work for every item; where one fails with an error of the app, that is raised, the others cancelled."""
    turn = iter(items)

    async def take_turns() -> None:
        for item in turn:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_a_time):
                group.create_task(take_turns())
    except* AppError as failed:
        raise failed.exceptions[0] from None
