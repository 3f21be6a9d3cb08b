"""HTTP triggers and the host's own endpoints."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from devhost.outputs import QueueOutputs
from devhost.protos import RpcHttp, TypedData
from devhost.routes import Route, parse_route
from devhost.settings import HostSettings
from devhost.timers import TimerListener
from devhost.worker import Function, Outcome, Worker

_log = logging.getLogger("devhost")

_MAX_BODY_BYTES = 104_857_600
_ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


class HttpHost:
    """Routes requests to functions: in alphabetical order of their names, the first that matches."""

    def __init__(
        self,
        functions: Sequence[Function],
        worker: Worker,
        outputs: QueueOutputs,
        timers: Mapping[str, TimerListener],
        settings: HostSettings,
    ) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._worker = worker
        self._outputs = outputs
        self._timers = timers
        self._settings = settings
        self._background: set[asyncio.Task[None]] = set()
        self.routes = [
            (http_route(function, settings), http_methods(function), function)
            for function in functions
            if str(function.trigger["type"]).lower() == "httptrigger"
        ]
        self._compiled: list[tuple[Route, tuple[str, ...], Function]] = [
            (parse_route(template), methods, function) for template, methods, function in self.routes
        ]

    def application(self) -> web.Application:
        """The server's application."""
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("origin")
        allowed = origin is not None and ("*" in self._settings.cors or origin in self._settings.cors)
        if allowed and request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            response: web.StreamResponse = web.Response(status=204, headers=_preflight(request))
        else:
            response = await self._route(request)
        if allowed and origin is not None:
            response.headers["Access-Control-Allow-Origin"] = "*" if "*" in self._settings.cors else origin
            if self._settings.cors_credentials:
                response.headers["Access-Control-Allow-Credentials"] = "true"
        return response

    async def _route(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path.strip("/")
        if path.lower().startswith("admin/"):
            return await self._admin(request, path.lower().split("/"))
        for route, methods, function in self._compiled:
            params = route.match(path)
            if params is not None and request.method in methods:
                return await self._invoke(request, function, params)
        if not path and request.method == "GET":
            return web.Response(text="Your Azure Function App is up and running.\n")
        return web.Response(status=404)

    async def _invoke(
        self, request: web.Request, function: Function, params: dict[str, str]
    ) -> web.StreamResponse:
        try:
            body = await request.read() if request.content_length else b""
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        http = RpcHttp(
            method=request.method,
            url=str(request.url),
            headers={key.lower(): ",".join(request.headers.getall(key)) for key in request.headers},
            query=_query(request),
            params=params,
            body=TypedData(bytes=body) if body else TypedData(),
        )
        metadata = {name: TypedData(string=value) for name, value in params.items()}
        argument = str(function.trigger["name"])
        trace_parent = request.headers.get("traceparent", "")
        outcome = await self._worker.invoke(
            function, {argument: TypedData(http=http)}, metadata, trace_parent
        )
        if outcome.error is not None:
            _log.error(
                "%s failed (%s): %s\n%s", function.name, outcome.invocation_id, outcome.error, outcome.stack
            )
            return web.Response(status=500)
        await self._outputs.send(function, outcome)
        return _response(function, outcome)

    async def _admin(self, request: web.Request, path: list[str]) -> web.StreamResponse:
        match (request.method, path[1:]):
            case ("GET", ["host", "status"]):
                return web.json_response({"id": "devhost", "state": "Running"})
            case ("GET", ["functions"]):
                return web.json_response([_described(function) for function in self._functions.values()])
            case ("GET", ["functions", name]) if name in self._functions:
                return web.json_response(_described(self._functions[name]))
            case ("POST", ["functions", name]) if name in self._functions:
                return await self._start_by_hand(request, self._functions[name])
        return web.Response(status=404)

    async def _start_by_hand(self, request: web.Request, function: Function) -> web.StreamResponse:
        try:
            given = json.loads(await request.read() or b"{}")
        except ValueError:
            return web.Response(status=400)
        timer = self._timers.get(function.name)
        if timer is not None:
            self._spawn(timer.fire(past_due=False))
        elif str(function.trigger["type"]).lower() == "queuetrigger":
            text = str(given.get("input", "")) if isinstance(given, dict) else ""
            data = {str(function.trigger["name"]): TypedData(string=text)}
            self._spawn(self._run_queue_function(function, data))
        else:
            return web.Response(status=400)
        return web.Response(status=202)

    async def _run_queue_function(self, function: Function, data: dict[str, Any]) -> None:
        outcome = await self._worker.invoke(function, data)
        if outcome.error is None:
            await self._outputs.send(function, outcome)
        else:
            _log.error("%s failed (%s): %s", function.name, outcome.invocation_id, outcome.error)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def http_route(function: Function, settings: HostSettings) -> str:
    """A function's route with the prefix, without slashes about it."""
    own = str(function.trigger.get("route") or function.name).strip("/")
    return f"{settings.route_prefix}/{own}".strip("/")


def http_methods(function: Function) -> tuple[str, ...]:
    """The methods that a function answers; all where it names none."""
    return tuple(str(method).upper() for method in function.trigger.get("methods") or _ALL_METHODS)


def _query(request: web.Request) -> dict[str, str]:
    """Repeated values joined by commas, empty ones dropped."""
    joined = {key: ",".join(v for v in request.query.getall(key) if v) for key in request.query}
    return {key: value for key, value in joined.items() if value}


def _response(function: Function, outcome: Outcome) -> web.Response:
    value = outcome.returned
    if value is None:
        return web.Response(status=204)
    kind = value.WhichOneof("data")
    if kind != "http":
        return web.Response(text=str(value.string if kind == "string" else value.json))
    http = value.http
    body = http.body
    data = b""
    if body is not None and body.WhichOneof("data") is not None:
        data = body.bytes if body.WhichOneof("data") == "bytes" else str(body.string).encode()
    headers = CIMultiDict({str(key): str(item) for key, item in (http.headers or {}).items()})
    headers.popall("content-length", None)
    for cookie in http.cookies or []:
        headers.add("Set-Cookie", f"{cookie.name}={cookie.value}")
    del function
    return web.Response(status=int(http.status_code), headers=headers, body=data)


def _preflight(request: web.Request) -> dict[str, str]:
    return {
        "Access-Control-Allow-Methods": request.headers["access-control-request-method"],
        "Access-Control-Allow-Headers": request.headers.get("access-control-request-headers", "*"),
    }


def _described(function: Function) -> dict[str, Any]:
    bindings = [dict(binding) for binding in function.bindings]
    return {"name": function.name, "config": {"bindings": bindings}, "language": "python"}
