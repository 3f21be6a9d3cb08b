"""A webhook of a job on real storage and real queues: it fails first, arrives signed, and is sent again on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from playground.client import ApiClient
from playground.stack import Stack


class Receiver:
    """Answers 503 to the first call and 204 to any other one, and keeps all calls."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: asyncio.Queue[tuple[bytes, dict[str, str]]] = asyncio.Queue()
        self._called = 0

    async def handle(self, request: web.Request) -> web.Response:
        self._called += 1
        self.calls.put_nowait((await request.read(), dict(request.headers)))
        return web.Response(status=503 if self._called == 1 else 204)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


async def test_an_event_arrives_signed_after_a_failure_and_again_on_demand(
    make_stack: Callable[..., Stack], receiver: Receiver, session: aiohttp.ClientSession
) -> None:
    stack = make_stack()
    api = ApiClient(session, stack.url, stack.api_key)
    old = await api.get("/api/v1/users/me/webhook-secret")
    new = await api._call("POST", "/api/v1/users/me/webhook-secret/rotate", {})
    items = [{"url": f"{receiver.url}/nothing.jpg", "label": "mug"}]
    job = await api.submit({"sources": [{"type": "urls", "items": items}], "webhook_url": receiver.url})
    path = f"/api/v1/jobs/{job['id']}/deliveries"

    calls = [await asyncio.wait_for(receiver.calls.get(), 60) for _ in range(2)]
    async with asyncio.timeout(30):
        while (await api.get(path))["items"][0]["state"] != "delivered":  # noqa: ASYNC110 - the host under test is another process
            await asyncio.sleep(0.1)
    [delivery] = (await api.get(path))["items"]
    assert [attempt["status"] for attempt in delivery["attempts"]] == [503, 204], stack.tail()

    await api._call("POST", delivery["links"]["redeliver"])
    calls.append(await asyncio.wait_for(receiver.calls.get(), 60))
    assert len({body for body, _ in calls}) == 1
    for body, headers in calls:
        named = {name.lower(): value for name, value in headers.items()}
        assert named["webhook-id"] == delivery["id"]
        assert named["x-correlation-id"]
        for secret in (old["secret"], new["secret"]):
            assert Webhook(str(secret)).verify(body, headers)["data"]["job_id"] == job["id"]
