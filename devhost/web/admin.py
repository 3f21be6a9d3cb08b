"""The host's endpoints under /admin."""

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from aiohttp import web

from devhost.functions import Function, Outcome
from devhost.triggers.queues import QueueListener
from devhost.triggers.timers import TimerListener


class Admin:
    """Lists the functions, and runs queue and timer functions on request."""

    def __init__(
        self,
        functions: Sequence[Function],
        disabled: Sequence[Function],
        queues: Mapping[str, QueueListener],
        timers: Mapping[str, TimerListener],
    ) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._disabled = {function.name for function in disabled}
        self._queues = queues
        self._timers = timers
        self._background: set[asyncio.Task[Outcome]] = set()

    async def answer(self, request: web.Request, path: Sequence[str]) -> web.Response:
        """Answers a request. `path` has the parts of the path below /admin in lower case."""
        match (request.method, *path):
            case ("GET", "functions"):
                return web.json_response([self._described(f, request) for f in self._functions.values()])
            case ("GET", "functions", name) if name in self._functions:
                return web.json_response(self._described(self._functions[name], request))
            case ("POST", "functions", name) if name in self._functions:
                return await self._start(request, self._functions[name].name)
        return web.Response(status=404)

    async def _start(self, request: web.Request, name: str) -> web.Response:
        try:
            given = json.loads(await request.read() or b"{}")
        except (ValueError, RecursionError):
            return web.Response(status=400)
        if not isinstance(given, dict):
            return web.Response(status=400)
        if name in self._timers:
            self._spawn(self._timers[name].fire(past_due=False))
        elif name in self._queues:
            self._spawn(self._queues[name].run_by_hand(str(given.get("input") or "")))
        else:
            return web.Response(status=400)
        return web.Response(status=202)

    def _spawn(self, run: Coroutine[Any, Any, Outcome]) -> None:
        task = asyncio.create_task(run)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _described(self, function: Function, request: web.Request) -> dict[str, Any]:
        return {
            "name": function.name,
            "href": str(request.url.with_path(f"/admin/functions/{function.name}").with_query(None)),
            "config": {"bindings": [dict(binding) for binding in function.bindings]},
            "isDisabled": function.name in self._disabled,
            "language": "python",
        }
