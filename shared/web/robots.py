"""robots.txt (RFC 9309): who may fetch what, how often, and where the sitemaps are."""

from dataclasses import dataclass

from protego import Protego
from yarl import URL

from shared.errors import AppError
from shared.web.client import WebClient, WebRequest
from shared.web.opt_out import AGENT_TOKEN
from shared.web.per_origin import PerOrigin

_ROBOTS_BYTES = 512_000  # what RFC 9309 asks a crawler to read at least
_ROBOTS_SECONDS = 10.0
_MAX_SITEMAPS = 50
_PARSED_TO_TEXT = 50  # bytes of memory that the parser's rules take for a byte of text, at worst


@dataclass(frozen=True, slots=True)
class _Rules:
    """A host's robots.txt, or what its absence means."""

    parsed: Protego | None
    allowed_without: bool = True
    size_bytes: int = 0

    def allow(self, url: URL) -> bool:
        if self.parsed is None:
            return self.allowed_without
        return bool(self.parsed.can_fetch(str(url), AGENT_TOKEN))


class Robots:
    """Answers from the hosts' robots.txt, each fetched once and kept for a while."""

    def __init__(self, web: WebClient) -> None:
        self._web = web
        self._rules = PerOrigin(self._fetch, lambda rules: rules.size_bytes)

    async def allow(self, url: URL) -> bool:
        """Whether the URL may be fetched. A robots.txt that the server fails to give (5xx) forbids everything."""
        return (await self._rules.get(url)).allow(url)

    async def crawl_delay(self, url: URL) -> float | None:
        """Seconds that the host wants between our requests, where it says so."""
        parsed = (await self._rules.get(url)).parsed
        delay = parsed.crawl_delay(AGENT_TOKEN) if parsed is not None else None
        return max(0.0, float(delay)) if delay is not None else None

    async def sitemaps(self, url: URL) -> tuple[str, ...]:
        """The sitemaps that the host names, as it wrote them, fifty at most."""
        parsed = (await self._rules.get(url)).parsed
        return tuple(dict.fromkeys(parsed.sitemaps))[:_MAX_SITEMAPS] if parsed else ()

    async def _fetch(self, origin: str) -> _Rules:
        request = WebRequest(f"{origin}/robots.txt", max_bytes=_ROBOTS_BYTES, timeout_seconds=_ROBOTS_SECONDS)
        try:
            response = await self._web.send(request)
        except AppError:
            return _Rules(None)  # unreachable: the page's or image's own request will tell why
        if response.status >= 500:
            return _Rules(None, allowed_without=False)
        if response.status >= 400:
            return _Rules(None)
        parsed = Protego.parse(response.body.decode("utf-8", "replace"))
        return _Rules(parsed, size_bytes=len(response.body) * _PARSED_TO_TEXT)
