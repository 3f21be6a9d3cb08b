"""What servers ask of crawlers: robots.txt, opt-out headers, and not too many requests at once."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from protego import Protego
from yarl import URL

from shared.errors import AppError
from shared.records import Reason, Rejected
from shared.web.client import WebClient, WebRequest

_ROBOTS_BYTES = 512_000  # what RFC 9309 asks a crawler to read at least
_ROBOTS_SECONDS = 10.0
_MAX_HOSTS = 4096
_OPT_OUTS = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_AGENT_TOKEN = "pixcrawler"  # noqa: S105 - the product token of robots.txt, no secret


@dataclass(frozen=True, slots=True)
class _Rules:
    """A host's robots.txt, or what its absence means."""

    parsed: Protego | None
    allowed_without: bool = True

    def allow(self, url: URL) -> bool:
        if self.parsed is None:
            return self.allowed_without
        return bool(self.parsed.can_fetch(str(url), _AGENT_TOKEN))


class Robots:
    """Answers from the hosts' robots.txt (RFC 9309), each fetched once and kept for a while."""

    def __init__(self, web: WebClient) -> None:
        self._web = web
        self._rules: OrderedDict[str, asyncio.Task[_Rules]] = OrderedDict()

    async def allow(self, url: URL) -> bool:
        """Whether the URL may be fetched. A robots.txt that the server fails to give (5xx) forbids everything."""
        origin = str(url.origin())
        if origin not in self._rules:
            self._rules[origin] = asyncio.create_task(self._fetch(origin))
            if len(self._rules) > _MAX_HOSTS:
                _, oldest = self._rules.popitem(last=False)
                oldest.cancel()
        task = self._rules[origin]
        self._rules.move_to_end(origin)
        rules = await asyncio.shield(task)
        return rules.allow(url)

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


def opted_out(robots_tags: Iterable[str], tdm_reservation: str | None) -> Rejected | None:
    """A rejection where the response's headers forbid use in datasets.

    Read are X-Robots-Tag (also scoped to our user agent) and `tdm-reservation: 1` (TDM Reservation Protocol).
    """
    if tdm_reservation is not None and tdm_reservation.strip() == "1":
        return Rejected(Reason.OPTED_OUT, "tdm-reservation")
    for value in robots_tags:
        for directive in _directives(value):
            if directive in _OPT_OUTS:
                return Rejected(Reason.OPTED_OUT, f"X-Robots-Tag: {directive}")
    return None


def _directives(value: str) -> Iterator[str]:
    """The directives of one header value that concern us: those behind no agent's name, or behind ours."""
    concerned = True
    for part in value.lower().split(","):
        name, colon, rest = (piece.strip() for piece in part.partition(":"))
        if colon and name not in _VALUED:
            concerned = name in {_AGENT_TOKEN, "*"}
            name = rest
        if concerned:
            yield name


class HostLimits:
    """At most so many requests at a time for each host; hosts that nobody uses are forgotten."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._hosts: dict[str, tuple[asyncio.Semaphore, int]] = {}

    async def enter(self, host: str) -> None:
        """Wait for a place at the host."""
        semaphore, users = self._hosts.get(host) or (asyncio.Semaphore(self._per_host), 0)
        self._hosts[host] = (semaphore, users + 1)
        try:
            await semaphore.acquire()
        except BaseException:
            self._forget(host)
            raise

    def leave(self, host: str) -> None:
        """Give the place back."""
        self._hosts[host][0].release()
        self._forget(host)

    def _forget(self, host: str) -> None:
        semaphore, users = self._hosts[host]
        if users > 1:
            self._hosts[host] = (semaphore, users - 1)
        else:
            del self._hosts[host]
