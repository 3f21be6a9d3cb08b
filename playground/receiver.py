"""A receiver of webhooks on the loopback interface, which verifies the signature of each call."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError


class Receiver:
    """Receives webhooks that `secret` has signed. `url` is the one to name in a spec.

    It answers 204 to a call that is signed right, and 401 to any other. An event that comes twice counts once.
    """

    def __init__(self, secret: str) -> None:
        self.url = ""
        self.refused = 0
        self._webhook = Webhook(secret)
        self._seen: set[str] = set()
        self._events: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()

    async def event(self) -> Mapping[str, Any]:
        """Waits for the next event, and returns its body."""
        return await self._events.get()

    async def handle(self, request: web.Request) -> web.Response:
        """Answers one call."""
        body = await request.read()
        try:
            event = self._webhook.verify(body, dict(request.headers))
        except (WebhookVerificationError, ValueError):
            self.refused += 1
            return web.Response(status=401)
        webhook_id = request.headers["webhook-id"]
        if webhook_id not in self._seen:
            self._seen.add(webhook_id)
            self._events.put_nowait(event)
        return web.Response(status=204)


@asynccontextmanager
async def receiving(secret: str) -> AsyncIterator[Receiver]:
    """Runs a receiver on a free port during the block."""
    receiver = Receiver(secret)
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield receiver
    finally:
        await runner.cleanup()
