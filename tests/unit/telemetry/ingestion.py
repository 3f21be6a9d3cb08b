"""An ingestion server of Application Insights on loopback, with the faults of a real service."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

import playground.ingestion
from playground.ingestion import KEY, serving
from shared.telemetry.azure_monitor.client import AzureMonitorTelemetry
from shared.telemetry.telemetry import TelemetryState

__all__ = ["KEY"]


class Ingestion(playground.ingestion.Ingestion):
    """Accepts batches. `answers` are the answers to the next ones, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[dict[str, str]] = []
        """The headers of all requests."""
        self.answers: list[int | Callable[[web.Request, list[dict[str, Any]]], Awaitable[web.Response]]] = []

    @property
    def names(self) -> list[str]:
        return [name_of(item) for item in self.items]

    async def arrived(self, count: int) -> list[dict[str, Any]]:
        await self.until(lambda items: len(items) >= count)
        return self.items

    async def asked(self, count: int) -> None:
        await self.until(lambda _: len(self.requests) >= count)

    async def answer(self, request: web.Request, items: list[dict[str, Any]]) -> web.StreamResponse:
        self.requests.append({key.lower(): value for key, value in request.headers.items()})
        self._changed.set()
        answer = self.answers.pop(0) if self.answers else 200
        if callable(answer):
            return await answer(request, items)
        if answer == 200:
            return await super().answer(request, items)
        return web.Response(status=answer, text="no")


def partly(refused: dict[int, int], ingestion: Ingestion):
    """Returns a 206 that refuses some items, each with a status, by their positions."""

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


def name_of(item: dict[str, Any]) -> str:
    base = item["data"]["baseData"]
    if "exceptions" in base:
        return str(base["exceptions"][0]["typeName"])
    return str(base["metrics"][0]["name"] if "metrics" in base else base["name"])


@contextlib.asynccontextmanager
async def ingestion_server(port: int = 0, tls: ssl.SSLContext | None = None):
    async with serving(Ingestion(), port, tls) as state:
        yield state


COUNT = 5


def send(telemetry: AzureMonitorTelemetry, count: int = COUNT) -> None:
    """Adds events, all of which are in the next batch."""
    with telemetry._sender._buffer._changed:  # the sending thread takes no items meanwhile
        for number in range(count):
            telemetry.event(f"e{number}", {"a": "b"}, always=True)


async def settled(telemetry: AzureMonitorTelemetry) -> TelemetryState:
    """Waits until every item was sent or dropped."""
    await until(lambda: not telemetry.state().backlog)
    return telemetry.state()


async def until(condition: Callable[[], object]) -> None:
    """Waits for an effect of the sending thread."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a thread changes it, and no event of the loop
            await asyncio.sleep(0.01)
