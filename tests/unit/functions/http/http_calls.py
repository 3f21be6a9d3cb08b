"""HTTP calls of the functions as the host makes them, to an app whose stores are in memory."""

import importlib
import json
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import azure.functions as func

from functions.http import endpoints
from functions.http.declared import Declared
from shared.settings import Settings
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from shared.web.addresses.lookup import HostLookup
from shared.wiring import App

KEY = "the-key"
_CONTEXT = SimpleNamespace(trace_context=SimpleNamespace(trace_parent=None))
_API = "api/v1/"


def short(route: str) -> str:
    """A route without what all calls of the API have in common; others begin with a slash."""
    return route.removeprefix(_API) if route.startswith(_API) else f"/{route}"


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(endpoints.__path__, f"{endpoints.__name__}."):
        if not found.ispkg:
            yield importlib.import_module(found.name)


DECLARED: dict[str, Declared] = {
    name: declared for module in _modules() for name, declared in module.endpoints.declared.items()
}
"""All endpoints by the names of their functions, in the order in which the host looks for the one of a path."""
# the decorators make builders of functions, which have no public type
_FUNCTIONS: dict[tuple[str, str], Any] = {
    (declared.method, short(declared.path)): getattr(module, name)
    for module in _modules()
    for name, declared in sorted(module.endpoints.declared.items())
}
ENDPOINTS = list(_FUNCTIONS)


def memory_app(**settings: Any) -> App:
    """An app with these settings."""
    app = App(Settings(admin_api_key=KEY, **settings))
    vars(app).update(blobs=MemoryBlobs(app.clock), entities=MemoryEntities(), queues=MemoryQueues())
    allow_private = app.settings.crawl_allow_private_networks
    vars(app).update(host_lookup=HostLookup(allow_private=allow_private, resolve=_resolve))
    return app


async def _resolve(host: str) -> list[str]:
    if host != "localhost":
        raise OSError("no test asks a name server")
    return ["127.0.0.1"]


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    text: str
    data: bytes = b""
    media_type: str = ""

    @property
    def errors(self) -> list[tuple[str, str]]:
        return [(error["field"], error["message"]) for error in self.body.get("errors", [])]


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls endpoints by their route; `key` is the API key."""

    app: App
    key: str = KEY
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, query: str = "", **headers: str) -> Answered:
        return await self.call("GET", path, query, b"", headers)

    async def post(self, path: str, body: object = b"", query: str = "", **headers: str) -> Answered:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.call("POST", path, query, data, headers)

    async def patch(self, path: str, body: object) -> Answered:
        return await self.call("PATCH", path, "", json.dumps(body).encode(), {})

    async def delete(self, path: str, query: str = "") -> Answered:
        return await self.call("DELETE", path, query, b"", {})

    async def call(
        self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
    ) -> Answered:
        route, params = _matched(method, path)
        found = parse_qs(query)  # as the host does, without those that are empty, and repeated ones joined
        request = func.HttpRequest(
            method=method,
            url=f"http://localhost/api/v1/{path}" + (f"?{query}" if query else ""),
            headers={
                "X-API-Key": self.key,
                **{name.replace("_", "-"): text for name, text in headers.items()},
            },
            params={name: ",".join(values) for name, values in found.items()},
            route_params=params,
            body=body,
        )
        response = await handler(method, route)(request, _CONTEXT)
        data = response.get_body()
        text = data.decode(errors="replace")
        content = json.loads(text) if response.mimetype.endswith("json") else {}
        found_headers = dict(response.headers)
        return Answered(response.status_code, content, found_headers, text, data, response.mimetype)


def handler(method: str, route: str) -> Callable[..., Awaitable[func.HttpResponse]]:
    builder = _FUNCTIONS[method, route]
    function: Callable[..., Awaitable[func.HttpResponse]] = builder._function.get_user_function()
    return function


def _matched(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The route of a path, and its parameters: the first by the name of its function, as with the host."""
    for name in sorted(DECLARED):
        declared = DECLARED[name]
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", short(declared.path))
        found = re.fullmatch(pattern, path)
        if declared.method == method and found is not None:
            return short(declared.path), found.groupdict()
    raise LookupError(f"{method} {path}")
