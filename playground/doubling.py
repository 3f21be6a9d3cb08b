"""A proxy for Azurite's queue service that sends each new message twice.

At-least-once delivery allows this, so the app must handle it.
"""

import asyncio
import re
import threading
from collections.abc import Coroutine
from typing import Any, Self

import aiohttp
from aiohttp import web

_NEW_MESSAGE = re.compile(r"/[^/]+/[^/]+/messages")
_HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "content-encoding"})


class LoopThread:
    """Runs an event loop in its own thread, for servers that must answer while the caller blocks."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the thread, waits for it and returns its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class DoublingProxy:
    """Forwards every request to `target`. `doubled` counts the messages that were sent twice."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.doubled = 0

    async def start(self) -> str:
        """Starts to listen on a free port of the loopback interface and returns the base URL."""
        self._session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stops listening."""
        await self._runner.cleanup()
        await self._session.close()

    async def _forward(self, request: web.Request) -> web.Response:
        body = await request.read()
        twice = request.method == "POST" and _NEW_MESSAGE.fullmatch(request.path) is not None
        try:
            answer = await self._send(request, body)
            if twice and answer.status == 201:
                self.doubled += 1
                await self._send(request, body)
        except (aiohttp.ClientError, OSError):
            # the storage is stopped at the moment
            raise web.HTTPServiceUnavailable from None
        return answer

    async def _send(self, request: web.Request, body: bytes) -> web.Response:
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP}
        url = self._target + request.raw_path
        async with self._session.request(
            request.method,
            _verbatim(url),
            headers=headers,
            data=body or None,
            # the headers are signed, so none may be added
            skip_auto_headers=("Content-Type", "User-Agent", "Accept", "Accept-Encoding"),
        ) as response:
            kept = {k: v for k, v in response.headers.items() if k.lower() not in _HOP_BY_HOP}
            return web.Response(status=response.status, body=await response.read(), headers=kept)


def _verbatim(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)
