"""Reads robots.txt (RFC 9309): which URLs may be fetched, how often, and where the sitemaps are."""

import asyncio
import codecs
import ssl
from dataclasses import dataclass

from yarl import URL

from shared.errors import AppError, Retryable
from shared.records.records import Reason, Rejected
from shared.web.http.client import WebClient, WebRequest
from shared.web.wishes.opt_out import AGENT_TOKEN
from shared.web.wishes.path_patterns import ON_THE_LOOP, OutOfTimeError, comparable_path
from shared.web.wishes.per_origin import PerOrigin
from shared.web.wishes.robots_text import RobotsText, read_robots

# RFC 9309, 2.5, asks a crawler to read at least this much; the rest is ignored
_ROBOTS_BYTES = 500 * 1024
_ROBOTS_SECONDS = 10.0
_PAUSE_SECONDS = 1.0
_CHECK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class _Rules:
    """A host's robots.txt, or the meaning of its absence. `cut` is true if the file is longer than the limit."""

    said: RobotsText | None = None
    unreachable: Rejected | None = None
    cut: bool = False

    async def refusal(self, url: URL, seconds: float) -> Rejected | None:
        """Why the URL may not be fetched, or None if it may."""
        if self.said is None:
            return self.unreachable
        rules, path = self.said.rules, comparable_path(url)
        try:
            if rules.weight * len(path) <= ON_THE_LOOP:
                allowed = rules.allow(path, seconds)
            else:
                allowed = await asyncio.to_thread(rules.allow, path, seconds)
        except OutOfTimeError:
            return Rejected(Reason.ROBOTS_DENIED, f"{url.host}: its robots.txt has too many rules to compare")
        if allowed:
            return None
        cut = f" (only the first {_ROBOTS_BYTES // 1024} KiB of its robots.txt are read)" if self.cut else ""
        return Rejected(Reason.ROBOTS_DENIED, f"{url.host}{cut}")


class Robots:
    """Fetches the hosts' robots.txt files, keeps each for a while, and answers from them.

    A file that cannot be fetched, or for which the server reports an error (5xx), forbids everything for a minute
    (RFC 9309, 2.3.1.4). A URL that cannot be compared with the rules within `check_seconds` of processor time is
    forbidden, too.
    """

    def __init__(self, web: WebClient, check_seconds: float = _CHECK_SECONDS) -> None:
        self._web = web
        self._check_seconds = check_seconds
        self._rules = PerOrigin(
            self._fetch, _size_bytes, transient=lambda rules: rules.unreachable is not None
        )

    async def allow(self, url: URL) -> bool:
        """Whether the URL may be fetched."""
        return await self.refusal(url) is None

    async def refusal(self, url: URL) -> Rejected | None:
        """Why the URL may not be fetched: it is forbidden, or its host did not serve the rules for a reason."""
        rules = await self._rules.get(url)
        return await rules.refusal(url, self._check_seconds)

    async def crawl_delay(self, url: URL) -> float | None:
        """Seconds that the host asks for between our requests, or None if it does not ask."""
        said = (await self._rules.get(url)).said
        return said.crawl_delay if said is not None else None

    async def sitemaps(self, url: URL) -> tuple[str, ...]:
        """The first fifty sitemaps that the host names, as it wrote them."""
        said = (await self._rules.get(url)).said
        return said.sitemaps if said is not None else ()

    async def _fetch(self, origin: str) -> _Rules:
        """Fetches the host's rules. After a quick failure it asks once more."""
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
            # the network is not the cause: the app is being shut down
            if error.__context__ is None:
                raise
            return _Rules(unreachable=Rejected(_reason(error.__context__), f"robots.txt: {error.detail}"))
        except AppError:
            # there is no address to ask, or a circle (RFC 9309, 2.3.1.2); the image's own request reports it
            return _Rules()
        if response.status >= 500:
            return _Rules(unreachable=Rejected(Reason.SERVER_ERROR, f"robots.txt: HTTP {response.status}"))
        if response.status >= 400:
            return _Rules()
        return await asyncio.to_thread(_parse, response.body)


def _reason(cause: BaseException | None) -> Reason:
    """Returns the reason that the image's own request would have, as far as the client's error shows it."""
    # for the cold start: the API reads this module's rules, but fetches nothing
    import aiohttp

    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return Reason.DNS_FAILED
    if isinstance(cause, (aiohttp.ClientSSLError, ssl.SSLError)):
        return Reason.TLS_FAILED
    if isinstance(cause, aiohttp.ClientPayloadError):
        return Reason.TRANSFER_BROKEN
    return Reason.TIMED_OUT if isinstance(cause, TimeoutError) else Reason.CONNECTION_FAILED


def _parse(body: bytes) -> _Rules:
    """Parses a file. This takes up to half a second for the largest files, so it must not run on the event loop."""
    # the RFC allows UTF-8 only
    wide = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = body.decode("utf-16" if wide else "utf-8-sig", "replace")
    cut = len(body) == _ROBOTS_BYTES
    if cut:
        # half a line could forbid more than the whole line does
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    return _Rules(read_robots(AGENT_TOKEN, text), cut=cut)


def _size_bytes(rules: _Rules) -> int:
    return rules.said.rules.size_bytes if rules.said is not None else 0
