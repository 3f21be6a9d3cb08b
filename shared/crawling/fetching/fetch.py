"""Fetches one image's bytes: safely, politely, within limits, and with a reason where it cannot be had."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from shared.clock import Clock, SystemClock
from shared.crawling.fetching.accept import headers_for
from shared.crawling.fetching.answer import (
    BodyLimits,
    GiveUp,
    TryAgain,
    check_answer,
    failure,
    read_body,
    redirect_of,
)
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.host_limits import HostLimits
from shared.crawling.fetching.patience import Patience, Postponed
from shared.crawling.options import Filters
from shared.errors import InvalidRequest
from shared.records.records import Reason, Rejected
from shared.web.addresses.urls import parse_url
from shared.web.http.session import Sessions
from shared.web.wishes.host_wishes import HostWishes
from shared.web.wishes.respect import Respect

_UNANSWERED = frozenset({Reason.DNS_FAILED, Reason.CONNECTION_FAILED, Reason.TIMED_OUT})
_STOP_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class FetchConfig:
    """Limits of one image's fetch; `total_seconds` covers all of its redirects and tries, not its waits in line.

    Pauses between tries are random up to `first_pause_seconds`, doubled each time. A host that asks for a rest
    (Retry-After) gets it from all who would ask it; one that asks for more than `max_retry_after_seconds` is left alone
    for the rest of the chunk. One that asks for a pause between requests (robots.txt, Crawl-delay) gets up to
    `max_crawl_delay_seconds`. `lower_per_host` names hosts that get fewer than `per_host` requests at a time.
    """

    total_seconds: float = 30.0
    tries: int = 3
    first_pause_seconds: float = 0.5
    max_retry_after_seconds: float = 20.0
    max_crawl_delay_seconds: float = 60.0
    max_redirects: int = 8
    per_host: int = 8
    lower_per_host: Mapping[str, int] = field(default_factory=dict)
    min_bytes_per_second: int = 1000
    slow_window_seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the time and the chance come from."""

    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform


_TIMING = Timing()


@dataclass(frozen=True, slots=True)
class Fetched:
    """An image's bytes, and the address that they came from in the end."""

    body: bytes
    url: str


@dataclass(slots=True)
class _Errand:
    """One fetch: what it may do, its shares of the byte budget, the time it has left, the host it is at, its pauses."""

    filters: Filters
    respect: Respect
    patience: Patience
    shares: list[int] = field(default_factory=list)
    timeout: asyncio.Timeout | None = None
    host: str = ""
    delay_seconds: float = 0.0

    @contextmanager
    def off_the_clock(self) -> Iterator[None]:
        """For waits that are not the host's fault: they cost the fetch no time."""
        when = self.timeout.when() if self.timeout is not None else None
        if self.timeout is None or when is None:
            yield
            return
        loop = asyncio.get_running_loop()
        left = when - loop.time()
        self.timeout.reschedule(None)
        try:
            yield
        finally:
            self.timeout.reschedule(loop.time() + left)

    @property
    def seconds_left(self) -> float:
        """Of the time that the fetch may take."""
        when = self.timeout.when() if self.timeout is not None else None
        return 0.0 if when is None else when - asyncio.get_running_loop().time()


class Fetcher:
    """Fetches images over one session; holds the limits that all of its users share."""

    def __init__(
        self,
        sessions: Sessions,
        wishes: HostWishes,
        budget: ByteBudget,
        config: FetchConfig,
        timing: Timing = _TIMING,
    ) -> None:
        self._sessions = sessions
        self._robots = wishes.robots
        self._reservations = wishes.reservations
        self._budget = budget
        self._limits = HostLimits(config.per_host, config.lower_per_host, timing.clock)
        self._config = config
        self._timing = timing

    @property
    def per_host(self) -> int:
        """Requests that one host gets at a time."""
        return self._config.per_host

    @asynccontextmanager
    async def fetch(
        self, url: str, filters: Filters, respect: Respect, patience: Patience
    ) -> AsyncIterator[Fetched | Rejected]:
        """The image's bytes, or why there are none; their share of the byte budget is held within the block.

        Raises:
            Postponed: the chunk's time ends before the host may be asked.
        """
        errand = _Errand(filters, respect, patience)
        try:
            yield await self._within_time(url, errand)
        finally:
            self._give_back(errand)

    async def _within_time(self, url: str, errand: _Errand) -> Fetched | Rejected:
        last = Rejected(Reason.TIMED_OUT, "no time was left")
        try:
            async with asyncio.timeout(self._config.total_seconds) as errand.timeout:
                start = parse_url(url)
                for attempt in range(self._config.tries):
                    try:
                        return await self._follow(start, errand)
                    except TryAgain as again:
                        last = again.rejected
                        self._give_back(errand)
                        if not await self._pause(attempt, again, errand):
                            return last
        except TimeoutError:
            slow = Rejected(Reason.TIMED_OUT, f"after {self._config.total_seconds:g} seconds")
            errand.patience.failed(errand.host, slow)
            return slow if last.reason is Reason.TIMED_OUT else last
        except InvalidRequest as error:
            return Rejected(Reason.INVALID_URL, error.detail)
        except GiveUp as over:
            return over.rejected
        return last

    async def _pause(self, attempt: int, again: TryAgain, errand: _Errand) -> bool:
        """Wait before the next try; whether there is one."""
        pause = self._timing.uniform(0, self._config.first_pause_seconds * 2**attempt)
        if attempt + 1 >= self._config.tries or pause >= errand.seconds_left:
            return False
        patience = errand.patience
        # a host's rest is bounded for it alone: no other host's tries are spent on it
        if again.wait_seconds:
            granted = not patience.ended and patience.refusal(errand.host) is None
        else:
            granted = patience.grant(pause)
        if not granted:
            return False
        await self._timing.sleep(pause)
        return True

    async def _follow(self, url: URL, errand: _Errand) -> Fetched:
        for _ in range(self._config.max_redirects + 1):
            errand.host = f"{url.host}:{url.port}"
            self._check_aside(errand)
            if errand.respect.opt_out:
                self._reservations.begin(url)  # while robots.txt is on its way
            if errand.respect.robots:
                refusal = await self._robots.refusal(url)
                if refusal is not None:
                    raise GiveUp(refusal.reason, refusal.detail)
                delay_seconds = await self._robots.crawl_delay(url) or 0.0
                errand.delay_seconds = min(delay_seconds, self._config.max_crawl_delay_seconds)
                if delay_seconds:
                    await self._wait_for_turn(errand)
            reserved = await self._reservations.refusal(url) if errand.respect.opt_out else None
            if reserved is not None:
                raise GiveUp(Reason.OPTED_OUT, reserved)
            found = await self._hop(url, errand)
            if isinstance(found, Fetched):
                return found
            url = found
        raise GiveUp(Reason.TOO_MANY_REDIRECTS, f"more than {self._config.max_redirects}")

    async def _wait_for_turn(self, errand: _Errand) -> None:
        """Wait for the turn at a host that wants a pause between requests, or a rest."""
        wait = self._limits.turn(errand.host, errand.delay_seconds, errand.patience.remaining_seconds)
        with errand.off_the_clock():
            while wait is not None and wait > 0 and not errand.patience.ended:
                await self._timing.sleep(min(wait, _STOP_POLL_SECONDS))
                wait -= _STOP_POLL_SECONDS
        if wait is None or wait > 0:
            raise Postponed

    async def _hop(self, url: URL, errand: _Errand) -> Fetched | URL:
        """One request: the image, or where it is said to be."""
        host = errand.host
        await self._enter(errand)
        try:
            self._check_aside(errand)
            found = await self._exchange(url, errand)
        except (TryAgain, GiveUp) as verdict:
            if verdict.rejected.reason in _UNANSWERED:
                errand.patience.failed(host, verdict.rejected)
            else:
                errand.patience.answered(host)
            if isinstance(verdict, TryAgain) and verdict.wait_seconds:
                self._let_rest(verdict.wait_seconds, verdict.rejected, errand)
            raise
        finally:
            self._limits.leave(host)
        errand.patience.answered(host)
        return found

    async def _enter(self, errand: _Errand) -> None:
        """Wait for a place at the host, at a time when it does not rest."""
        while True:
            if self._limits.crowded(errand.host):
                with errand.off_the_clock():
                    await self._limits.enter(errand.host)
            else:
                await self._limits.enter(errand.host)
            if not self._limits.rests(errand.host):
                return
            self._limits.leave(errand.host)
            self._check_aside(errand)
            await self._wait_for_turn(errand)

    def _let_rest(self, seconds: float, rejected: Rejected, errand: _Errand) -> None:
        """Give the host the rest that it asks for, from all who would ask it, within what the chunk puts up with."""
        if seconds > self._config.max_retry_after_seconds:
            errand.patience.set_aside(errand.host, rejected)
        else:
            errand.patience.rested(errand.host, self._limits.rest(errand.host, seconds), rejected)

    async def _exchange(self, url: URL, errand: _Errand) -> Fetched | URL:
        try:
            headers = headers_for(errand.filters)
            async with self._sessions.get().get(url, headers=headers, allow_redirects=False) as response:
                target = redirect_of(response, url)
                if target is not None:
                    return target
                check_answer(response, errand.respect, self._timing.clock.now())
                return Fetched(await self._read(response, errand), str(url))
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            raise failure(error) from error

    def _check_aside(self, errand: _Errand) -> None:
        refusal = errand.patience.refusal(errand.host)
        if refusal is not None:
            raise GiveUp(refusal.reason, refusal.detail)

    async def _read(self, response: aiohttp.ClientResponse, errand: _Errand) -> bytes:
        async def take(size_bytes: int) -> None:
            share = self._budget.take_now(size_bytes)
            if share is None:
                with errand.off_the_clock():
                    share = await self._budget.take(size_bytes)
            errand.shares.append(share)

        config = self._config
        limits = BodyLimits(errand.filters.max_bytes, config.min_bytes_per_second, config.slow_window_seconds)
        return await read_body(response, limits, take, self._timing.clock)

    def _give_back(self, errand: _Errand) -> None:
        while errand.shares:
            self._budget.give_back(errand.shares.pop())
