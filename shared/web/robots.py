"""robots.txt (RFC 9309): who may fetch what, how often, and where the sitemaps are."""

import asyncio
import ssl
from dataclasses import dataclass

import aiohttp
from protego import Protego
from yarl import URL

from shared.errors import AppError, Retryable
from shared.records import Reason, Rejected
from shared.web.client import WebClient, WebRequest
from shared.web.opt_out import AGENT_TOKEN
from shared.web.per_origin import PerOrigin
from shared.web.robots_text import concerning

_ROBOTS_BYTES = (
    500 * 1024
)  # what RFC 9309, 2.5, asks a crawler to read at least; what is behind it does not count
_ROBOTS_SECONDS = 10.0
_PAUSE_SECONDS = 1.0
_MAX_SITEMAPS = 50
_ON_THE_LOOP = 200_000  # rules times characters of the address: a millisecond
_PARSED_TO_TEXT = 50  # bytes of memory that the parser's rules take for a byte of text, at worst


@dataclass(frozen=True, slots=True)
class _Rules:
    """A host's robots.txt, or what its absence means."""

    parsed: Protego | None = None
    unreachable: Rejected | None = None
    count: int = 0
    size_bytes: int = 0

    async def allow(self, url: URL) -> bool:
        if self.parsed is None:
            return self.unreachable is None
        address = str(url)
        if self.count * len(address) <= _ON_THE_LOOP:
            return bool(self.parsed.can_fetch(address, AGENT_TOKEN))
        return await asyncio.to_thread(self.parsed.can_fetch, address, AGENT_TOKEN)


class Robots:
    """Answers from the hosts' robots.txt, each fetched once and kept for a while.

    One that cannot be had, or that the server fails to give (5xx), forbids everything for a minute; RFC 9309, 2.3.1.4.
    """

    def __init__(self, web: WebClient) -> None:
        self._web = web
        self._rules = PerOrigin(
            self._fetch, lambda rules: rules.size_bytes, passing=lambda rules: rules.unreachable is not None
        )

    async def allow(self, url: URL) -> bool:
        """Whether the URL may be fetched."""
        rules = await self._rules.get(url)
        return await rules.allow(url)

    async def refusal(self, url: URL) -> Rejected | None:
        """Why the URL may not be fetched: it is forbidden, or nobody knows, for the reason that its host gave."""
        rules = await self._rules.get(url)
        if await rules.allow(url):
            return None
        return rules.unreachable or Rejected(Reason.ROBOTS_DENIED, str(url.host))

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
        """The host's rules; asked for once more where it failed quickly."""
        rules = await self._ask(origin)
        if rules.unreachable is None or rules.unreachable.reason is Reason.TIMED_OUT:
            return rules
        await asyncio.sleep(_PAUSE_SECONDS)
        return await self._ask(origin)

    async def _ask(self, origin: str) -> _Rules:
        request = WebRequest(
            f"{origin}/robots.txt",
            max_bytes=_ROBOTS_BYTES,
            cut_at_max_bytes=True,
            timeout_seconds=_ROBOTS_SECONDS,
        )
        try:
            response = await self._web.send(request)
        except Retryable as error:
            if error.__context__ is None:  # nothing of the network's: the app is being shut down
                raise
            return _Rules(unreachable=Rejected(_reason(error.__context__), f"robots.txt: {error.detail}"))
        except AppError:
            return (
                _Rules()
            )  # no address to ask, or a circle (RFC 9309, 2.3.1.2): the image's own request tells
        if response.status >= 500:
            return _Rules(unreachable=Rejected(Reason.SERVER_ERROR, f"robots.txt: HTTP {response.status}"))
        if response.status >= 400:
            return _Rules()
        return await asyncio.to_thread(_parse, response.body)


def _reason(cause: BaseException | None) -> Reason:
    """What the image's own request would come to, as far as the client's error tells."""
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return Reason.DNS_FAILED
    if isinstance(cause, (aiohttp.ClientSSLError, ssl.SSLError)):
        return Reason.TLS_FAILED
    if isinstance(cause, aiohttp.ClientPayloadError):
        return Reason.TRANSFER_BROKEN
    return Reason.TIMED_OUT if isinstance(cause, TimeoutError) else Reason.CONNECTION_FAILED


def _parse(body: bytes) -> _Rules:
    """Takes a tenth of a second for the largest files, so it is no work for the event loop."""
    text = body.decode("utf-8-sig", "replace")
    if len(body) == _ROBOTS_BYTES:
        text = text[: text.rfind("\n") + 1]  # half a line could forbid more than the whole
    ours = concerning(AGENT_TOKEN, text)
    parsed = Protego.parse(ours)
    parsed.can_fetch("https://any.example/", AGENT_TOKEN)  # the first question sorts the rules
    return _Rules(parsed, count=ours.count("\n"), size_bytes=len(body) * _PARSED_TO_TEXT)
