"""A search service on loopback, and real answers of the services."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from shared.sources.kinds import SourceSettings
from shared.sources.source import Page, Query
from shared.web.http.aiohttp_client import AiohttpWebClient
from tests.unit.known_sources import open_source
from tests.unit.loopback import asking, serving
from tests.unit.manual_clock import ManualClock

RESPONSES = Path(__file__).parent / "search" / "responses"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@dataclass
class Service:
    """Gives the answers of a test in order, repeats the last one, and notes the requests."""

    answers: list[web.Response | object] = field(default_factory=list)
    asked: list[SimpleNamespace] = field(default_factory=list)
    url: str = ""

    def answer(self, *answers: object) -> None:
        """JSON, or a function that makes a whole response."""
        self.answers = list(answers)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(
            SimpleNamespace(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers=request.headers,
                body=(await request.read()).decode(),
            )
        )
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer() if callable(answer) else web.json_response(answer)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    state = Service()
    async with serving(state.serve) as state.url:
        yield state


@pytest.fixture
async def elsewhere() -> AsyncIterator[Service]:
    """A service with another origin."""
    state = Service()
    async with serving(state.serve) as state.url:
        yield state


@pytest.fixture
async def client() -> AsyncIterator[AiohttpWebClient]:
    async with asking("PixCrawler/test (+mailto:test@example.org)") as client:
        yield client


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def response() -> Callable[[str], dict[str, Any]]:
    """Returns a copy of a service's real answer to a search for cats."""

    def load(name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((RESPONSES / f"{name}.json").read_text())
        return loaded

    return load


@pytest.fixture
def search(client, clock) -> Callable[..., Awaitable[Page]]:
    """`await search(access, {"type": …}, cursor, keyword)`: one page of a source, with `access` as its settings."""

    async def run(access: Any, spec: dict[str, Any], cursor: str | None = None, keyword: str = "cat") -> Page:
        settings = SourceSettings(**{spec["type"]: access})
        source = open_source(spec, client, clock, settings=settings)
        return await anext(source.pages(Query("pets/cat", "pets", keyword), cursor))

    return run
