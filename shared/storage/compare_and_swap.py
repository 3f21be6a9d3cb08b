"""Changes rows that several writers change at the same time.

A writer reads the row, and writes it on the condition that it has not changed since. Otherwise it tries again.
"""

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
    """Changes the row that `read` returns; returns the result of `change`.

    `change` gets the stored row. It writes once, on the condition that the row is still the same version, or finds that
    there is nothing to do. If it raises `Changed` or `AlreadyExists`, another writer was faster. After a random pause
    of up to 0.1 s, which spreads the writers, it is called again with the row that is stored by then. `known` is the
    row if the caller has read it already, which saves the first read. Any other error, and any error of `read`, reaches
    the caller.

    Raises:
        Unavailable: other writers were faster a hundred times, over about five seconds. The text is `busy`.
    """
    stored = await read() if known is None else known
    for _ in range(_TRIES):
        try:
            return await change(stored)
        except (AlreadyExists, Changed):
            await sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - spreads writers, keeps no secret
        stored = await read()
    raise Unavailable(busy)
