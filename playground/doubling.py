"""A queue service that delivers everything twice: a proxy before Azurite's, which sends each new message again.

At-least-once delivery allows just that, and more often than anybody tests for it.
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
    """An event loop in a thread of its own, for servers that must answer while the caller blocks."""

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
        """Run a coroutine there, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class DoublingProxy:
    """Passes everything on to `target`; `doubled` counts the messages that it sent twice."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.doubled = 0

    async def start(self) -> str:
        """Listen on a free port of loopback; returns the base URL."""
        self._session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()
        await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        twice = request.method == "POST" and _NEW_MESSAGE.fullmatch(request.path) is not None
        try:
            answer = await self._send(request, body)
            if twice and answer.status == 201:
                self.doubled += 1
                await self._send(request, body)
        except (aiohttp.ClientError, OSError):
            raise web.HTTPServiceUnavailable from None  # the storage is down: as its clients would see it
        return answer

    async def _send(self, request: web.Request, body: bytes) -> web.Response:
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP}
        url = self._target + request.raw_path
        async with self._session.request(
            request.method,
            _exactly(url),
            headers=headers,
            data=body or None,
            skip_auto_headers=("Content-Type", "User-Agent", "Accept", "Accept-Encoding"),  # all is signed
        ) as response:
            kept = {k: v for k, v in response.headers.items() if k.lower() not in _HOP_BY_HOP}
            return web.Response(status=response.status, body=await response.read(), headers=kept)


def _exactly(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)
