"""An ingestion server of Application Insights on loopback, with the faults that a service has."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable

from aiohttp import web

KEY = "00000000-0000-0000-0000-000000000001"


class Ingestion:
    """Takes batches; `answers` says how the next ones are answered, one after the other."""

    def __init__(self) -> None:
        self.url = ""
        self.batches: list[list[dict]] = []
        """What arrived and was taken."""
        self.requests: list[dict[str, str]] = []
        """The headers of all requests."""
        self.answers: list = []
        self.transports: set[asyncio.Transport] = set()
        self._changed = asyncio.Event()

    @property
    def items(self) -> list[dict]:
        return [item for batch in self.batches for item in batch]

    @property
    def names(self) -> list[str]:
        return [name_of(item) for item in self.items]

    async def arrived(self, count: int) -> list[dict]:
        async with asyncio.timeout(20):
            while len(self.items) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.items

    async def asked(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.requests) < count:
                self._changed.clear()
                await self._changed.wait()

    async def track(self, request: web.Request) -> web.StreamResponse:
        # aiohttp unpacks gzip by itself
        items = json.loads(await request.read())
        self.transports.add(request.transport)
        self.requests.append({key.lower(): value for key, value in request.headers.items()})
        self._changed.set()
        answer = self.answers.pop(0) if self.answers else 200
        if callable(answer):
            return await answer(request, items)
        if answer == 200:
            self.take(items)
            return web.json_response({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []})
        return web.Response(status=answer, text="no")

    def take(self, items: list[dict]) -> None:
        self.batches.append(items)
        self._changed.set()


def partly(refused: dict[int, int], ingestion: Ingestion):
    """A 206 that refuses some items by their place, each with a status."""

    async def answer(_request, items):
        ingestion.take([item for index, item in enumerate(items) if index not in refused])
        errors = [
            {"index": index, "statusCode": status, "message": "no"} for index, status in refused.items()
        ]
        return web.json_response(
            {"itemsReceived": len(items), "itemsAccepted": len(items) - len(errors), "errors": errors},
            status=206,
        )

    return answer


def with_headers(status: int, **headers: str):
    async def answer(_request, _items):
        return web.Response(
            status=status, headers={key.replace("_", "-"): value for key, value in headers.items()}
        )

    return answer


def name_of(item: dict) -> str:
    base = item["data"]["baseData"]
    if "exceptions" in base:
        return base["exceptions"][0]["typeName"]
    return base["metrics"][0]["name"] if "metrics" in base else base["name"]


@contextlib.asynccontextmanager
async def ingestion_server(port: int = 0, tls: ssl.SSLContext | None = None):
    state = Ingestion()
    app = web.Application()
    app.router.add_post("/v2.1/track", state.track)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        scheme = "https" if tls else "http"
        state.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
        yield state
    finally:
        await runner.cleanup()
        # clients keep their connections open; these close in the loop's next rounds
        for transport in state.transports:
            transport.abort()
        for _ in range(5):
            await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that the thread that sends does."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a thread changes it, and no event of the loop
            await asyncio.sleep(0.01)
