"""Changes of what several writers change at the same time: read, write if nobody else has, otherwise again."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from shared.errors import AlreadyExists, Changed, Unavailable

_TRIES = 100
_PAUSE_SECONDS = 0.005, 0.1


async def compare_and_swap[Stored, Result](
    read: Callable[[], Awaitable[Stored]],
    change: Callable[[Stored], Awaitable[Result]],
    *,
    busy: str,
    known: Stored | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Result:
    """Change what `read` returns, on the version that was read; returns what `change` returns.

    `change` writes once, on the condition that nobody else has written since, or sees that there is nothing to do.
    Where it raises `Changed` or `AlreadyExists`, another writer was first: after a random pause of up to 0.1 s, which
    spreads the writers, it is called again with what is stored then. `known` is what the caller has read already; it
    spares the first read. Any other error, and any error of `read`, goes to the caller.

    Raises:
        Unavailable: other writers were first a hundred times, over about five seconds; the text is `busy`.
    """
    stored = await read() if known is None else known
    for _ in range(_TRIES):
        try:
            return await change(stored)
        except (AlreadyExists, Changed):
            await sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - spreads writers, keeps no secret
        stored = await read()
    raise Unavailable(busy)
