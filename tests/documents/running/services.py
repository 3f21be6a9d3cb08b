"""Servers on loopback that stand for the web and for Azure: pictures, an identity, and a log service over TLS."""

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from playground.gallery import Gallery, default_photos
from shared.insights.log_source import Scope
from shared.insights.queries import query
from shared.insights.reports import REPORTS
from tests.certificate import write_certificate

_WORKSPACE = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True, slots=True)
class Services:
    """The addresses of the servers, and the events that the app's webhooks have reported, in their order."""

    example_org: str
    logs: str
    certificate: Path
    events: list[Any] = field(default_factory=list)

    def settings(self) -> dict[str, str]:
        """Returns the settings with which the app uses the servers."""
        return {
            "OPENVERSE_BASE_URL": self.example_org,
            "LOG_ANALYTICS_WORKSPACE_ID": _WORKSPACE,
            "LOG_ANALYTICS_ENDPOINT": self.logs,
            "IDENTITY_ENDPOINT": f"{self.example_org}/token",
            "IDENTITY_HEADER": "secret",
            "SSL_CERT_FILE": str(self.certificate),
        }


@contextlib.contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Runs the servers during the block, in a thread of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    events: list[Any] = []
    certificate = folder / "certificate.pem"
    web_runner, logs_runner = _runner(_example_org(events)), _runner(_logs())
    try:
        plain = _wait(_serve(web_runner, None), loop)
        tls = _wait(_serve(logs_runner, _context(certificate)), loop)
        yield Services(f"http://{plain}", f"https://{tls}", certificate, events)
    finally:
        for runner in (web_runner, logs_runner):
            _wait(runner.cleanup(), loop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _wait(coroutine: Any, loop: asyncio.AbstractEventLoop) -> Any:
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)


def _runner(app: web.Application) -> web.AppRunner:
    return web.AppRunner(app, access_log=None, shutdown_timeout=0.1)


async def _serve(runner: web.AppRunner, context: ssl.SSLContext | None) -> str:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    return f"127.0.0.1:{runner.addresses[0][1]}"


def _context(path: Path) -> ssl.SSLContext:
    write_certificate(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _example_org(events: list[Any]) -> web.Application:
    """Serves the gallery, a page with its photos, photos by their number, and a receiver of webhooks."""

    async def receive(request: web.Request) -> web.Response:
        events.append(await request.json())
        return web.Response(status=204)

    app = Gallery(default_photos()).application()
    app.router.add_get("/gallery", _page)
    app.router.add_get("/{number:\\d+}.jpg", _photo)
    app.router.add_get("/token", _token)
    app.router.add_post("/hook", receive)
    return app


async def _page(_: web.Request) -> web.Response:
    images = "".join(f'<img src="/photos/cat/{number}.jpg" alt="a cat">' for number in range(6))
    return web.Response(text=f"<!doctype html><title>Cats</title>{images}", content_type="text/html")


async def _photo(request: web.Request) -> web.Response:
    raise web.HTTPFound(f"/photos/cat/{request.match_info['number']}.jpg")


async def _token(_: web.Request) -> web.Response:
    """Answers as the endpoint of a managed identity does."""
    return web.json_response({"access_token": "t", "expires_on": "4102444800", "resource": "r"})


def _logs() -> web.Application:
    """Answers each query of a report with a table that has its columns, and no rows.

    Form: https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format
    """

    async def answer(request: web.Request) -> web.Response:
        asked = (await request.json())["query"]
        report = next(each for each in REPORTS.values() if query(each, Scope.WORKSPACE) in asked)
        columns = [{"name": column.name, "type": "dynamic"} for column in report.columns]
        table = {"name": "PrimaryResult", "columns": columns, "rows": []}
        return web.Response(text=json.dumps({"tables": [table]}), content_type="application/json")

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    return app
