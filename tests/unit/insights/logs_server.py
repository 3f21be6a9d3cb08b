"""Azure's log service on loopback, over TLS, with answers of its true shapes.

Shapes: https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format and .../errors
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.certificate import write_certificate


@dataclass
class LogsServer:
    """Gives `answer` to every query, and stores the queries. While `hanging` is set, it does not answer."""

    url: str = ""
    certificate: Path = Path()
    status: int = 200
    answer: object = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    hanging: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def gives(self, status: int, answer: object, **headers: str) -> None:
        self.status, self.answer = status, answer
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def finds(self, columns: Iterable[tuple[str, str]], rows: Sequence[object], error: object = None) -> None:
        """Returns an answer with a table of `columns`, which are names and types.

        With `error` it is a partial result.
        """
        table = {
            "name": "PrimaryResult",
            "columns": [{"name": name, "type": kind} for name, kind in columns],
            "rows": rows,
        }
        self.gives(200, {"tables": [table], **({"error": error} if error else {})})

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append(
            {
                "path": request.path,
                "body": await request.json(),
                "authorization": request.headers.get("Authorization"),
                "prefer": request.headers.get("Prefer"),
            }
        )
        if self.hanging:
            await self.released.wait()
        text = self.answer if isinstance(self.answer, str) else json.dumps(self.answer)
        if self.status == 204:
            return web.Response(status=204)
        return web.Response(
            text=text, status=self.status, headers=self.headers, content_type="application/json"
        )


@contextlib.asynccontextmanager
async def logs_server(folder: Path) -> AsyncIterator[LogsServer]:
    server = LogsServer(certificate=folder / "certificate.pem")
    app = web.Application()
    app.router.add_post("/{path:.*}", server.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=_context(server.certificate)).start()
        server.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        server.released.set()
        await runner.cleanup()


def refusal(code: str, message: str, *inner: str) -> dict[str, Any]:
    """Returns an error in the service's form, with the codes of its inner errors."""
    error: dict[str, Any] = {
        "code": code,
        "message": message,
        "correlationId": "d6b8ae7a-0000-0000-0000-000000000000",
    }
    nested = error
    for inner_code in inner:
        nested["innererror"] = nested = {"code": inner_code, "message": message}
    return {"error": error}


def _context(path: Path) -> ssl.SSLContext:
    """Returns a server's TLS context with a new certificate, which is written to the path."""
    write_certificate(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
