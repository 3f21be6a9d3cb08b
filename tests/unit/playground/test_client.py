"""The small client keeps to what the API says."""

import aiohttp
import pytest
from aiohttp import web

from playground.client import ApiClient


@pytest.fixture
async def url():
    """An API whose job runs, then runs on, and then has completed."""
    answers = iter([("crawling", "2"), ("crawling", "7"), ("completed", None)])

    async def job(_: web.Request) -> web.Response:
        state, seconds = next(answers)
        return web.json_response({"state": state}, headers={"Retry-After": seconds} if seconds else {})

    app = web.Application()
    app.router.add_get("/api/v1/jobs/mine", job)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(("every", "slept"), [(None, [2.0, 7.0]), (0.25, [0.25, 0.25])])
async def test_a_job_is_read_again_when_the_answer_says_so_or_as_often_as_asked(url, every, slept):
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with aiohttp.ClientSession() as session:
        api = ApiClient(session, url, "key", sleep)
        states = [job["state"] async for job in api.follow("mine", every)]
    assert states == ["crawling", "crawling", "completed"]
    assert waits == slept
