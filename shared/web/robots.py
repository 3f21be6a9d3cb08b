"""robots.txt (RFC 9309), fetched once a host and kept for a while."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from protego import Protego
from yarl import URL

from shared.errors import AppError
from shared.web.client import WebClient, WebRequest
from shared.web.opt_out import AGENT_TOKEN

_ROBOTS_BYTES = 512_000  # what RFC 9309 asks a crawler to read at least
_ROBOTS_SECONDS = 10.0
_MAX_HOSTS = 4096


@dataclass(frozen=True, slots=True)
class _Rules:
    """A host's robots.txt, or what its absence means."""

    parsed: Protego | None
    allowed_without: bool = True

    def allow(self, url: URL) -> bool:
        if self.parsed is None:
            return self.allowed_without
        return bool(self.parsed.can_fetch(str(url), AGENT_TOKEN))

    @property
    def crawl_delay(self) -> float | None:
        delay = self.parsed.crawl_delay(AGENT_TOKEN) if self.parsed is not None else None
        return float(delay) if delay is not None else None


class Robots:
    """Answers from the hosts' robots.txt (RFC 9309), each fetched once and kept for a while."""

    def __init__(self, web: WebClient) -> None:
        self._web = web
        self._rules: OrderedDict[str, asyncio.Task[_Rules]] = OrderedDict()

    async def allow(self, url: URL) -> bool:
        """Whether the URL may be fetched. A robots.txt that the server fails to give (5xx) forbids everything."""
        return (await self._of(url)).allow(url)

    async def crawl_delay(self, url: URL) -> float | None:
        """Seconds that the host wants between our requests, where it says so."""
        return (await self._of(url)).crawl_delay

    async def _of(self, url: URL) -> _Rules:
        origin = str(url.origin())
        if origin not in self._rules:
            self._rules[origin] = asyncio.create_task(self._fetch(origin))
            if len(self._rules) > _MAX_HOSTS:
                self._rules.popitem(last=False)  # whoever waits for it still gets its answer
        task = self._rules[origin]
        self._rules.move_to_end(origin)
        return task.result() if task.done() else await asyncio.shield(task)

    async def _fetch(self, origin: str) -> _Rules:
        request = WebRequest(f"{origin}/robots.txt", max_bytes=_ROBOTS_BYTES, timeout_seconds=_ROBOTS_SECONDS)
        try:
            response = await self._web.send(request)
        except AppError:
            return _Rules(None)  # unreachable: the image's own request will tell why
        if response.status >= 500:
            return _Rules(None, allowed_without=False)
        if response.status >= 400:
            return _Rules(None)
        return _Rules(Protego.parse(response.body.decode("utf-8", "replace")))
