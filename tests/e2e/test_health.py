"""The health of the running app, as a platform's probe and its operator see it."""

import asyncio
from collections.abc import Callable

import aiohttp

from playground.stack import Stack

LINE = "Services at the start, local: healthy. "


async def test_the_running_app_is_healthy_and_says_so_once_at_the_start(
    make_stack: Callable[..., Stack], session: aiohttp.ClientSession
) -> None:
    stack = make_stack()
    for path in ("live", "ready"):
        async with session.get(f"{stack.url}/health/{path}") as response:
            assert (response.status, await response.json()) == (200, {"status": "healthy"})
    async with session.get(f"{stack.url}/health", headers={"X-API-Key": stack.api_key}) as response:
        body = await response.json()
        assert response.status == 200
    assert {check["status"] for check in body["checks"].values()} == {"healthy"}, body
    assert body["checks"]["queues"]["facts"]["crawl-jobs-poison"] == 0
    async with asyncio.timeout(60):
        # it is logged by the first call that ends after the check
        while LINE not in stack.log.read_text():
            async with session.get(f"{stack.url}/health/live") as response:
                assert response.status == 200
    assert stack.log.read_text().count(LINE) == 1
