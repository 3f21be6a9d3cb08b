"""A webhook whose server accepts calls but never answers, with real storage and real queues."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from playground.client import ApiClient
from playground.gallery import crop, default_photos
from playground.stack import Stack


class HangingServer:
    """Holds each webhook call until `released` is set. It serves one picture, and another that never arrives."""

    def __init__(self) -> None:
        self.base = ""
        self.released = asyncio.Event()
        self.stalled = asyncio.Event()
        self.called: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.ended: set[str] = set()
        """The jobs of which a call has ended, by an answer or because the caller gave up."""
        self._picture = crop(default_photos() / "coffee.png", 1, 90)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/hook", self._hook)
        app.router.add_get("/mug.jpg", self._mug)
        app.router.add_get("/stalls.jpg", self._stalls)
        return app

    async def _hook(self, request: web.Request) -> web.Response:
        job_id = str((await request.json())["data"]["job_id"])
        self.called[job_id].set()
        try:
            await self.released.wait()
        finally:
            self.ended.add(job_id)
        return web.Response()

    async def _mug(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._picture, content_type="image/jpeg")

    async def _stalls(self, _request: web.Request) -> web.Response:
        self.stalled.set()
        await self.released.wait()
        return web.Response(status=503)


@pytest.fixture
async def server() -> AsyncIterator[HangingServer]:
    hanging = HangingServer()
    # a handler is cancelled when its caller gives up, so that `ended` knows
    runner = web.AppRunner(
        hanging.application(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hanging.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield hanging
    hanging.released.set()
    await runner.cleanup()


async def test_a_webhook_server_that_hangs_delays_neither_the_end_of_a_job_nor_a_cancel(
    make_stack: Callable[..., Stack], server: HangingServer, session: aiohttp.ClientSession
) -> None:
    """Only one job runs at a time, so a job begins only after the end of the one before is complete."""
    stack = make_stack(RUNNING_JOBS_PER_USER="1", FETCH_TIMEOUT_SECONDS="300")
    api = ApiClient(session, stack.url, stack.api_key)

    async def submit(picture: str) -> str:
        items = [{"url": f"{server.base}/{picture}", "label": "mug"}]
        spec = {"sources": [{"type": "urls", "items": items}], "webhook_url": f"{server.base}/hook"}
        return str((await api.submit(spec))["id"])

    async def state_at_end(job_id: str) -> str:
        states = [seen["state"] async for seen in api.follow(job_id, every_seconds=0.1)]
        return str(states[-1])

    first = await submit("mug.jpg")
    assert await state_at_end(first) == "completed", stack.tail()
    assert first not in server.ended
    await asyncio.wait_for(server.called[first].wait(), 30)

    stalled = await submit("stalls.jpg")
    await asyncio.wait_for(server.stalled.wait(), 30)
    answer = await api._call("POST", f"/api/v1/jobs/{stalled}/cancel")
    assert answer["state"] == "cancelled"
    assert stalled not in server.ended
    await asyncio.wait_for(server.called[stalled].wait(), 30)

    last = await submit("mug.jpg")
    assert await state_at_end(last) == "completed", stack.tail()
    assert last not in server.ended
    assert (await api.get(f"/api/v1/jobs/{last}"))["webhook"]["state"] == "pending"
    assert (await api.get(f"/api/v1/datasets/{last}"))["image_count"] == 1

    async def until(path: str, wanted: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        async with asyncio.timeout(60):
            while not wanted(answer := await api.get(path)):  # noqa: ASYNC110 - the host under test is another process
                await asyncio.sleep(0.1)
        return answer

    server.released.set()
    for job_id in (first, stalled, last):
        listed = await until(f"/api/v1/jobs/{job_id}/deliveries", lambda answer: bool(answer["items"]))
        # the schedule may wait for minutes by now
        await api._call("POST", listed["items"][0]["links"]["redeliver"])
        job = await until(f"/api/v1/jobs/{job_id}", lambda answer: answer["webhook"]["state"] != "pending")
        assert (job["webhook"]["state"], job["webhook"]["status"]) == ("delivered", 200), stack.tail()
