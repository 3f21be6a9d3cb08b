"""The client session of all outgoing requests."""

import asyncio

from aiohttp import web

from shared.web.http.client import WebRequest
from tests.unit.loopback import asking, serving


async def test_requests_do_not_wait_for_each_other():
    at_once = 200
    all_there = asyncio.Barrier(at_once)

    async def meet(_):
        await all_there.wait()
        return web.Response()

    async with serving(meet) as base, asking() as client, asyncio.timeout(20):
        requests = [client.send(WebRequest(f"{base}/{number}")) for number in range(at_once)]
        assert {response.status for response in await asyncio.gather(*requests)} == {200}
