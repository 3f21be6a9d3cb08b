"""Serves HTTP triggers: converts requests to invocations, and outcomes to responses."""

from collections.abc import Collection, Sequence
from http.cookies import SimpleCookie
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from devhost.bindings import scalars_of
from devhost.functions import Function, Outcome
from devhost.invoker import Invoker
from devhost.settings import HostSettings
from devhost.web.admin import Admin
from devhost.web.cors import allow, is_preflight, preflight
from devhost.web.keys import Keys
from devhost.web.local_callers import refusal
from devhost.web.routes import Route, parse_route
from devhost.worker.protos import RpcHttp, TypedData

_MAX_BODY_BYTES = 104_857_600
_ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_SAME_SITE = {1: "Lax", 2: "Strict", 3: "None"}


class HttpServer:
    """Passes each request to the first function whose route matches, in the order of their names.

    Only programs on this machine may call the host's endpoints, by a name of the machine or one of `admin_hosts`.
    Before `open` and after `shut`, every other answer is 503.
    """

    def __init__(self, settings: HostSettings, admin_hosts: Collection[str] = ()) -> None:
        self._settings = settings
        self._admin_hosts = admin_hosts
        self._routes: list[tuple[Route, tuple[str, ...], Function]] = []
        self._ready: tuple[Invoker, Admin, Keys | None] | None = None

    @property
    def routes(self) -> list[tuple[Route, tuple[str, ...], Function]]:
        """The routes with their methods and functions, in the order in which they are tried."""
        return list(self._routes)

    def open(self, functions: Sequence[Function], invoker: Invoker, admin: Admin, keys: Keys | None) -> None:
        """Begins to serve functions. Without `keys`, no call needs a key.

        Raises:
            StartError: a route is not valid.
        """
        self._routes = [
            (parse_route(_template(function, self._settings)), _methods(function), function)
            for function in functions
            if function.kind == "httptrigger"
        ]
        self._ready = invoker, admin, keys

    def shut(self) -> None:
        """Accepts no more requests."""
        self._ready = None

    def application(self) -> web.Application:
        """Returns the application of the server."""
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        # a decoded path may contain line breaks
        app.router.add_route("*", "/{path:(?s:.*)}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        # no page of another origin may call /admin, so it has no CORS
        if _is_for_admin(request):
            return refusal(request, self._admin_hosts) or await self._route(request)
        if is_preflight(request, self._settings):
            response = preflight(request)
        else:
            response = await self._route(request)
        allow(request, response, self._settings)
        return response

    async def _route(self, request: web.Request) -> web.Response:
        path = request.rel_url.raw_path.strip("/")
        asks_status = request.method == "GET" and path.lower() == "admin/host/status"
        if self._ready is None:
            if asks_status:
                return self._status("Starting")
            return web.Response(status=503, text="Function host is not running.")
        invoker, admin, keys = self._ready
        if _is_for_admin(request):
            if keys is not None and not keys.opens(request, None):
                return web.Response(status=401)
            if asks_status:
                return self._status("Running")
            return await admin.answer(request, path.lower().split("/")[1:])
        for route, methods, function in self._routes:
            params = route.match(path) if request.method in methods else None
            if params is not None:
                if keys is not None and not keys.opens(request, function):
                    return web.Response(status=401)
                return await _invoke(request, function, params, invoker)
        if not path and request.method == "GET" and self._settings.homepage:
            return web.Response(text="Your Azure Function App is up and running.\n")
        return web.Response(status=404)

    def _status(self, state: str) -> web.Response:
        return web.json_response({"id": self._settings.host_id, "state": state, "version": "4.0"})


def _is_for_admin(request: web.Request) -> bool:
    return request.rel_url.raw_path.strip("/").lower().startswith("admin/")


async def _invoke(
    request: web.Request, function: Function, params: dict[str, str], invoker: Invoker
) -> web.Response:
    try:
        body = await request.read() if request.content_length else b""
    except web.HTTPRequestEntityTooLarge:
        return web.Response(status=413)
    query = _query(request)
    http = RpcHttp(
        method=request.method,
        url=str(request.url),
        headers={key.lower(): ",".join(request.headers.getall(key)) for key in request.headers},
        query=query,
        params=params,
        body=TypedData(bytes=body) if body else TypedData(),
    )
    metadata = {name: TypedData(string=value) for name, value in (query | params).items()}
    reason = "This function was programmatically called via the host APIs."
    trace = request.headers.get("traceparent", ""), request.headers.get("tracestate", "")
    outcome = await invoker.run(
        function, TypedData(http=http), _json_keys(request, body, function) | metadata, reason, trace
    )
    return web.Response(status=500) if outcome.error is not None else _response(outcome)


def _template(function: Function, settings: HostSettings) -> str:
    """Returns a function's route with the prefix, without slashes at its start and end."""
    own = str(function.trigger.get("route") or function.name).strip("/")
    return f"{settings.route_prefix}/{own}".strip("/")


def _methods(function: Function) -> tuple[str, ...]:
    """Returns the methods of a function: all methods if it names none."""
    return tuple(str(method).upper() for method in function.trigger.get("methods") or _ALL_METHODS)


def _query(request: web.Request) -> dict[str, str]:
    """Returns the query parameters. Repeated values are joined by commas, and empty ones are dropped."""
    joined = {key: ",".join(v for v in request.query.getall(key) if v) for key in request.query}
    return {key: value for key, value in joined.items() if value}


def _json_keys(request: web.Request, body: bytes, function: Function) -> dict[str, TypedData]:
    """Returns the top-level values of a JSON body if the function's bindings have expressions.

    Only binding expressions use them. A large body may have millions of values, which would delay all calls.
    """
    others = (*function.inputs, *function.outputs)
    named = any(sign in str(value) for binding in others for value in binding.values() for sign in "{%")
    if not named or not body or not request.content_type.endswith("json"):
        return {}
    found = scalars_of(body.decode("utf-8", "replace"))
    return {key: TypedData(string=value) for key, value in found.items()}


def _response(outcome: Outcome) -> web.Response:
    value = outcome.returned
    kind = value.WhichOneof("data") if value is not None else None
    if kind is None:
        return web.Response(status=204)
    if kind != "http":
        return web.Response(text=str(value.string if kind == "string" else value.json))
    http = value.http
    headers = CIMultiDict({str(key): str(item) for key, item in (http.headers or {}).items()})
    headers.popall("content-length", None)
    headers.popall("transfer-encoding", None)
    for cookie in http.cookies or []:
        headers.add("Set-Cookie", _cookie(cookie))
    status = int(http.status_code)
    # a status below 200 would leave the caller waiting, and HTTP has none above 599
    if not 200 <= status <= 599:
        return web.Response(status=500)
    return web.Response(status=status, headers=headers, body=_body(http.body))


def _body(body: TypedData | None) -> bytes:
    kind = body.WhichOneof("data") if body is not None else None
    if kind is None:
        return b""
    # body is not None here, because it has a kind
    return bytes(body.bytes) if kind == "bytes" else str(getattr(body, kind)).encode()  # type: ignore[union-attr]


def _cookie(cookie: Any) -> str:
    """Returns the Set-Cookie value (RFC 6265) for a cookie of the worker."""
    jar: SimpleCookie = SimpleCookie()
    jar[str(cookie.name)] = str(cookie.value)
    morsel = jar[str(cookie.name)]
    for attribute in ("domain", "path", "max_age", "secure", "http_only"):
        value = getattr(cookie, attribute)
        if value is not None and value.value not in {"", False}:
            name = {"max_age": "max-age", "http_only": "httponly"}.get(attribute, attribute)
            morsel[name] = int(value.value) if attribute == "max_age" else value.value
    if cookie.expires is not None:
        from email.utils import formatdate

        morsel["expires"] = formatdate(cookie.expires.value.seconds, usegmt=True)
    if cookie.same_site in _SAME_SITE:
        morsel["samesite"] = _SAME_SITE[cookie.same_site]
    return morsel.OutputString()
