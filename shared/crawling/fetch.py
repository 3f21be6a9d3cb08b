"""Fetches one image's bytes: safely, politely, within limits, and with a reason where it cannot be had."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from shared.crawling.byte_budget import ByteBudget
from shared.crawling.politeness import HostLimits
from shared.errors import InvalidRequest
from shared.records import Reason, Rejected
from shared.web.guard import was_forbidden
from shared.web.opt_out import opted_out
from shared.web.respect import Respect
from shared.web.robots import Robots
from shared.web.session import Sessions
from shared.web.urls import parse_url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_NO_SUCH = frozenset({404, 410})
_UNCOUNTED_BYTES = 1_000_000
_ACCEPT = "image/avif,image/webp,image/png,image/jpeg,image/*;q=0.8,*/*;q=0.5"


@dataclass(frozen=True, slots=True)
class FetchConfig:
    """Limits of one image's fetch; `total_seconds` covers all of its redirects and tries."""

    total_seconds: float = 30.0
    tries: int = 3
    first_pause_seconds: float = 0.5
    max_redirects: int = 8
    per_host: int = 8


@dataclass(frozen=True, slots=True)
class Fetched:
    """An image's bytes, and the address that they came from in the end."""

    body: bytes
    url: str


class _Again(Exception):
    def __init__(self, rejected: Rejected, wait_seconds: float | None = None) -> None:
        self.rejected = rejected
        self.wait_seconds = wait_seconds


class _Over(Exception):
    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.rejected = Rejected(reason, detail)


@dataclass(slots=True)
class _Holdings:
    """What one fetch holds: its shares of the byte budget, and the time that it has left."""

    shares: list[int] = field(default_factory=list)
    timeout: asyncio.Timeout | None = None


class Fetcher:
    """Fetches images over one session; holds the limits that all of its users share."""

    def __init__(self, sessions: Sessions, robots: Robots, budget: ByteBudget, config: FetchConfig) -> None:
        self._sessions = sessions
        self._robots = robots
        self._budget = budget
        self._limits = HostLimits(config.per_host)
        self._config = config

    @asynccontextmanager
    async def fetch(self, url: str, max_bytes: int, respect: Respect) -> AsyncIterator[Fetched | Rejected]:
        """The image's bytes, or why there are none; their share of the byte budget is held within the block."""
        holdings = _Holdings()
        try:
            yield await self._within_time(url, max_bytes, respect, holdings)
        finally:
            await self._give_back(holdings)

    async def _within_time(
        self, url: str, max_bytes: int, respect: Respect, holdings: _Holdings
    ) -> Fetched | Rejected:
        last = Rejected(Reason.TIMED_OUT, "no time was left")
        try:
            async with asyncio.timeout(self._config.total_seconds) as holdings.timeout:
                for attempt in range(self._config.tries):
                    try:
                        return await self._follow(parse_url(url), max_bytes, respect, holdings)
                    except _Again as again:
                        last = again.rejected
                        await self._give_back(holdings)
                        if again.wait_seconds is not None and again.wait_seconds > self._config.total_seconds:
                            break
                        if attempt + 1 < self._config.tries:
                            await asyncio.sleep(self._pause(attempt, again.wait_seconds))
        except TimeoutError:
            return Rejected(Reason.TIMED_OUT) if last.reason is Reason.TIMED_OUT else last
        except InvalidRequest as error:
            return Rejected(Reason.INVALID_URL, error.detail)
        except _Over as over:
            return over.rejected
        return last

    def _pause(self, attempt: int, wanted_seconds: float | None) -> float:
        """The server's own wish, or exponential back-off with full jitter."""
        if wanted_seconds is not None:
            return wanted_seconds
        return random.uniform(0, self._config.first_pause_seconds * 2**attempt)  # noqa: S311 - spreads load

    async def _follow(self, url: URL, max_bytes: int, respect: Respect, holdings: _Holdings) -> Fetched:
        for _ in range(self._config.max_redirects + 1):
            if respect.robots and not await self._robots.allow(url):
                raise _Over(Reason.ROBOTS_DENIED, str(url.host))
            found = await self._hop(url, max_bytes, respect, holdings)
            if isinstance(found, Fetched):
                return found
            url = found
        raise _Over(Reason.TOO_MANY_REDIRECTS, f"more than {self._config.max_redirects}")

    async def _hop(self, url: URL, max_bytes: int, respect: Respect, holdings: _Holdings) -> Fetched | URL:
        """One request: the image, or where it is said to be."""
        host = str(url.host)
        await self._limits.enter(host)
        try:
            async with self._sessions.get().get(
                url, headers={"Accept": _ACCEPT}, allow_redirects=False
            ) as response:
                if response.status in _REDIRECTS and "location" in response.headers:
                    return _target(url, response.headers["location"])
                _check_status(response)
                _check_opt_out(response, respect)
                return Fetched(await self._read(response, max_bytes, holdings), str(url))
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            raise _failure(error) from error
        finally:
            self._limits.leave(host)

    async def _read(self, response: aiohttp.ClientResponse, max_bytes: int, holdings: _Holdings) -> bytes:
        length = response.content_length
        if length is not None and length > max_bytes:
            raise _Over(Reason.TOO_MANY_BYTES, f"{length} bytes are announced")
        encoded = response.headers.get("content-encoding", "identity") != "identity"
        if length is not None and not encoded:
            await self._take(length, holdings)
        pieces: list[bytes] = []
        size = 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > max_bytes:
                raise _Over(Reason.TOO_MANY_BYTES, f"more than {max_bytes} bytes")
            pieces.append(piece)
            if not holdings.shares and size > _UNCOUNTED_BYTES:  # it did not say how much there is
                await self._take(max_bytes, holdings)
        if not size:
            raise _Over(Reason.EMPTY_BODY)
        return b"".join(pieces)

    async def _take(self, size_bytes: int, holdings: _Holdings) -> None:
        """Take a share of the budget; the wait for it is not the server's fault and costs the fetch no time."""
        loop = asyncio.get_running_loop()
        left: float | None = None
        if holdings.timeout is not None:
            left = (holdings.timeout.when() or loop.time()) - loop.time()
            holdings.timeout.reschedule(None)
        holdings.shares.append(await self._budget.take(size_bytes))
        if holdings.timeout is not None and left is not None:
            holdings.timeout.reschedule(loop.time() + left)

    async def _give_back(self, holdings: _Holdings) -> None:
        while holdings.shares:
            await self._budget.give_back(holdings.shares.pop())


def _target(url: URL, location: str) -> URL:
    try:
        return parse_url(str(url.join(URL(location)))).with_fragment(None)
    except (ValueError, InvalidRequest):
        raise _Over(Reason.INVALID_URL, "it redirects to what is no http(s) URL") from None


def _check_status(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status == 429:
        wait = _retry_after(response)
        raise _Again(Rejected(Reason.RATE_LIMITED, "HTTP 429"), wait)
    if status in _BUSY:
        raise _Again(Rejected(Reason.SERVER_ERROR, f"HTTP {status}"), _retry_after(response))
    if status in _NO_SUCH:
        raise _Over(Reason.NOT_FOUND, f"HTTP {status}")
    if status >= 500:
        raise _Over(Reason.SERVER_ERROR, f"HTTP {status}")
    if status != 200:
        raise _Over(Reason.HTTP_ERROR, f"HTTP {status}")


def _check_opt_out(response: aiohttp.ClientResponse, respect: Respect) -> None:
    if not respect.opt_out:
        return
    tags = response.headers.getall("x-robots-tag", [])
    refusal = opted_out(tags, response.headers.get("tdm-reservation"))
    if refusal is not None:
        raise _Over(refusal.reason, refusal.detail)


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds to wait by the Retry-After header (RFC 9110, 10.2.3), a number or a date; None without one."""
    text = response.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return float(text[:6])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _failure(error: BaseException) -> _Again | _Over:
    """The reason for an error of the client or of the network."""
    if was_forbidden(error):
        return _Over(Reason.FORBIDDEN_ADDRESS)
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return _Again(Rejected(reason)) if reason.passing else _Over(reason)
    return _Again(Rejected(Reason.CONNECTION_FAILED, type(error).__name__))


_REASONS: tuple[tuple[tuple[type[BaseException], ...], Reason], ...] = (
    ((aiohttp.ClientConnectorDNSError,), Reason.DNS_FAILED),
    ((aiohttp.ClientSSLError, ssl.SSLError), Reason.TLS_FAILED),
    ((aiohttp.InvalidURL,), Reason.INVALID_URL),
    ((aiohttp.ClientPayloadError,), Reason.TRANSFER_BROKEN),
    ((TimeoutError,), Reason.TIMED_OUT),
)
