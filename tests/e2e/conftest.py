"""The whole product on free ports: Azurite, the Functions host, a gallery of real photos."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from playground.gallery import default_photos, start_gallery
from playground.stack import Stack


@pytest.fixture
async def gallery() -> AsyncIterator[str]:
    runner, base = await start_gallery(default_photos())
    yield base
    await runner.cleanup()


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    made: list[Stack] = []

    def make(*, message_lease_seconds: int = 30, **settings: str) -> Stack:
        stack = Stack(
            tmp_path,
            settings={"CRAWL_ALLOW_PRIVATE_NETWORKS": "true", **settings},
            message_lease_seconds=message_lease_seconds,
        )
        stack.folder.mkdir(exist_ok=True)
        made.append(stack)
        stack.start()
        return stack

    yield make
    for stack in made:
        stack.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened
