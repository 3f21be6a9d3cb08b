"""Stores in which other tasks run between two calls, and which fail on demand."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from typing import cast

from shared.errors import Unavailable

_WRITES = {"put", "commit", "stage", "delete", "apply", "send"}
_STREAMS = {"query", "scan", "list", "stream"}


class Weather:
    """Lets other tasks run between two calls of storage, and makes writes fail before or after they took effect.

    `calls` counts the calls by method. `failed` lists the writes that failed: each method with the table, the queue or
    the blob that it wrote to.
    """

    def __init__(self) -> None:
        self.chance: random.Random | None = None
        self.writes_left = -1
        self.after = False
        self.deaths = 0
        self.failed: list[str] = []
        self.calls: Counter[str] = Counter()

    async def pause(self) -> None:
        """Lets other tasks run, if `chance` is set."""
        for _ in range(self.chance.choice((0, 0, 0, 1, 3)) if self.chance else 0):
            await asyncio.sleep(0)

    def writes(self) -> bool:
        """Count a write; whether it is the one to fail."""
        self.writes_left -= 1
        self.deaths += self.writes_left == 0
        return self.writes_left == 0


def stormy[Store](store: Store, weather: Weather) -> Store:
    """The store in this weather."""
    return cast("Store", _Stormy(store, weather))


class _Stormy:
    """A store in its weather."""

    def __init__(self, inner: object, weather: Weather) -> None:
        self._inner = inner
        self._weather = weather

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._inner, name)
        if name in _STREAMS:

            async def stream(*args: object, **kwargs: object) -> AsyncGenerator[object]:
                self._weather.calls[name] += 1
                await self._weather.pause()
                async for item in method(*args, **kwargs):
                    yield item
                    await self._weather.pause()

            return stream

        async def call(*args: object, **kwargs: object) -> object:
            self._weather.calls[name] += 1
            await self._weather.pause()
            fails = name in _WRITES and self._weather.writes()
            if fails:
                self._weather.failed.append(f"{name} {args[0]}")
            if fails and not self._weather.after:
                raise Unavailable("died before the write")
            result = await method(*args, **kwargs)
            if fails:
                raise Unavailable("died after the write")
            return result

        return call
