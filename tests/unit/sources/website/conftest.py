"""A website on loopback with the answers of a test, and a crawl of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from shared.errors import RateLimited
from shared.records.candidates import Candidate
from shared.sources.source import Page
from shared.sources.website.config import WebsiteConfig
from shared.sources.website.source import Website
from shared.web.wishes.respect import Respect
from tests.unit.known_sources import context, parse_source
from tests.unit.loopback import asking, serving
from tests.unit.manual_clock import ManualClock


@dataclass
class Answer:
    body: bytes = b""
    kind: str | None = "text/html"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Crawl:
    """The result of a crawl: candidates, problems, pages in order, and the waits in seconds."""

    candidates: list[Candidate]
    problems: list[str]
    pages: list[Page]
    waits: list[float]

    @property
    def urls(self):
        return [candidate.url for candidate in self.candidates]


class Site:
    """`pages` has the answers by path and query: HTML, an `Answer`, or a function that makes one from the request."""

    def __init__(self):
        self.pages = {}
        self.asked = []
        self.base = ""
        self.clock = ManualClock()
        self.client = None

    async def serve(self, request):
        path = request.path_qs
        if path not in {"/robots.txt", "/.well-known/tdmrep.json", "/ai.txt"}:
            self.asked.append(path)
        found = self.pages.get(path, self.pages.get("*", Answer(status=404)))
        found = found(request) if callable(found) else found
        if isinstance(found, str):
            found = Answer(found.replace("BASE", self.base).encode())
        headers = dict(found.headers) | ({"Content-Type": found.kind} if found.kind else {})
        return web.Response(status=found.status, body=found.body, headers=headers)

    def source(self, respect=None, **config):
        parsed = parse_source({"type": "website", "start_urls": [self.base + "/"], **config})
        assert isinstance(parsed, WebsiteConfig)
        return Website(
            parsed,
            context(self.client, self.clock, respect=respect or Respect(), formats=("jpeg",)),
        )

    async def crawl(self, cursor=None, respect=None, **config):
        """Walk to the end; where the source wants to wait, the time passes and a new source goes on."""
        crawl = Crawl([], [], [], [])
        while True:
            source = self.source(respect, **config)
            [query] = source.queries({})
            try:
                async for page in source.pages(query, cursor):
                    crawl.pages.append(page)
                    crawl.candidates += page.candidates
                    crawl.problems += page.problems
                    cursor = page.cursor
            except RateLimited as error:
                crawl.waits.append(error.retry_after_seconds)
                self.clock.advance(error.retry_after_seconds)
                continue
            return crawl


@pytest.fixture
async def site():
    state = Site()
    async with serving(state.serve) as state.base, asking() as state.client:
        yield state
