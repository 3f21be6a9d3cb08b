"""HTTP calls of the functions as the host makes them, to an app whose stores are in memory."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import azure.functions as func

from functions.http.endpoints import datasets, health, insights, jobs
from shared.settings import Settings
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from shared.wiring import App

KEY = "the-key"
_CONTEXT = SimpleNamespace(trace_context=SimpleNamespace(trace_parent=None))
# the decorators make builders of functions, which have no public type
_FUNCTIONS: dict[tuple[str, str], Any] = {
    ("GET", "jobs"): jobs.list_jobs,
    ("POST", "jobs"): jobs.submit_job,
    ("GET", "jobs/{id}"): jobs.get_job,
    ("POST", "jobs/{id}/cancel"): jobs.cancel_job,
    ("POST", "jobs/{id}/retry"): jobs.retry_job,
    ("GET", "datasets"): datasets.list_datasets,
    ("GET", "datasets/{id}"): datasets.get_dataset,
    ("GET", "datasets/{id}/download"): datasets.download_dataset,
    ("GET", "insights"): insights.list_insights,
    ("GET", "insights/{report}"): insights.get_insight,
    ("GET", "/health"): health.health_full,
    ("GET", "/health/live"): health.health_live,
    ("GET", "/health/ready"): health.health_ready,
}
ENDPOINTS = list(_FUNCTIONS)


def memory_app() -> App:
    app = App(Settings(admin_api_key=KEY))
    vars(app).update(blobs=MemoryBlobs(app.clock), entities=MemoryEntities(), queues=MemoryQueues())
    return app


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    text: str

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

    async def call(
        self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
    ) -> Answered:
        route, params = _route(path)
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
        text = response.get_body().decode()
        content = json.loads(text) if response.mimetype.endswith("json") else {}
        return Answered(response.status_code, content, dict(response.headers), text)


def handler(method: str, route: str) -> Callable[..., Awaitable[func.HttpResponse]]:
    builder = _FUNCTIONS[method, route]
    function: Callable[..., Awaitable[func.HttpResponse]] = builder._function.get_user_function()
    return function


def _route(path: str) -> tuple[str, dict[str, str]]:
    kind, _, rest = path.partition("/")
    if not rest or path.startswith("/"):
        return path, {}
    name, _, action = rest.partition("/")
    parameter = "report" if kind == "insights" else "id"
    return f"{kind}/{{{parameter}}}" + (f"/{action}" if action else ""), {parameter: name}
