"""A server on the loopback interface in place of Application Insights' ingestion service. It keeps what it receives."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from aiohttp import web

KEY = "00000000-0000-0000-0000-000000000001"
"""The instrumentation key of the resource."""


class Ingestion:
    """Accepts every batch. `batches` are the arrays of envelopes in the order of their arrival."""

    def __init__(self) -> None:
        self.url = ""
        self.batches: list[list[dict[str, Any]]] = []
        self.transports: set[asyncio.Transport] = set()
        """The connections of all clients."""
        self._changed = asyncio.Event()

    @property
    def connection_string(self) -> str:
        """The connection string for apps that send to this server."""
        return f"InstrumentationKey={KEY};IngestionEndpoint={self.url}/"

    @property
    def items(self) -> list[dict[str, Any]]:
        """All envelopes, in the order of their arrival."""
        return [item for batch in self.batches for item in batch]

    def take(self, items: list[dict[str, Any]]) -> None:
        """Stores a batch."""
        self.batches.append(items)
        self._changed.set()

    async def until(self, holds: Callable[[Sequence[dict[str, Any]]], object], seconds: float = 20.0) -> None:
        """Waits until `holds` is true of the items.

        Raises:
            TimeoutError: it is not, within `seconds`.
        """
        async with asyncio.timeout(seconds):
            while not holds(self.items):
                self._changed.clear()
                await self._changed.wait()

    async def track(self, request: web.Request) -> web.StreamResponse:
        """Answers one POST. aiohttp decompresses the body."""
        items = json.loads(await request.read())
        if request.transport is not None:
            self.transports.add(request.transport)
        return await self.answer(request, items)

    async def answer(self, request: web.Request, items: list[dict[str, Any]]) -> web.StreamResponse:
        """Stores a batch, and answers that all its items are accepted."""
        del request
        self.take(items)
        return web.json_response({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []})


@contextlib.asynccontextmanager
async def serving[T: Ingestion](
    ingestion: T, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[T]:
    """Serves at `ingestion.url` during the block. With port 0 it takes a free port."""
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v2.1/track", ingestion.track)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        scheme = "https" if tls else "http"
        ingestion.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
        yield ingestion
    finally:
        await runner.cleanup()
        # clients keep their connections open; the loop closes aborted ones in its next rounds
        for transport in ingestion.transports:
            transport.abort()
        for _ in range(5):
            await asyncio.sleep(0)
