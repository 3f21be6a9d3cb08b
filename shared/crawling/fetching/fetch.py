"""Fetches the bytes of one image, within limits and as its host wishes, or says why they cannot be fetched."""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from http import HTTPStatus

import aiohttp
from yarl import URL

from shared.crawling.fetching.accept import headers_for
from shared.crawling.fetching.answer import (
    BodyLimits,
    GiveUp,
    TryAgain,
    check_answer,
    check_consent,
    failure,
    read_body,
    redirect_of,
    versions_of,
)
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.download import Download, Fetched, HeldDownload
from shared.crawling.fetching.fetch_config import FetchConfig, Timing
from shared.crawling.fetching.host_limits import HostLimits
from shared.crawling.fetching.host_places import HostPlaces, NoPlace
from shared.crawling.fetching.host_rows import HostRows
from shared.crawling.fetching.patience import Patience, Postponed
from shared.crawling.options import Filters
from shared.errors import InvalidRequest
from shared.records.consent import Answers
from shared.records.records import Reason, Rejected
from shared.web.addresses.urls import parse_url
from shared.web.http.names import NameCounts
from shared.web.http.session import Sessions
from shared.web.wishes.host_wishes import HostWishes
from shared.web.wishes.respect import Respect

_UNANSWERED = frozenset({Reason.DNS_FAILED, Reason.CONNECTION_FAILED, Reason.TIMED_OUT})
_STOP_POLL_SECONDS = 2.0
_TIMING = Timing()
_TIMED_OUT = Rejected(Reason.TIMED_OUT)
_NO_CONDITIONS: Mapping[str, str] = {}


class Fetcher:
    """Fetches images over one session. All users of a fetcher share its limits.

    With `rows`, all processes of the app share the limits of hosts.
    """

    def __init__(
        self,
        sessions: Sessions,
        wishes: HostWishes,
        budget: ByteBudget,
        config: FetchConfig,
        timing: Timing = _TIMING,
        rows: HostRows | None = None,
    ) -> None:
        self._sessions = sessions
        self._wishes = wishes
        self._budget = budget
        self._limits = HostLimits(config.per_host, config.lower_per_host, timing.clock)
        self._places = HostPlaces(self._limits, config.lower_per_host, rows, timing.clock)
        self._config = config
        self._timing = timing

    @property
    def per_host(self) -> int:
        """The number of requests that one host gets at a time."""
        return self._config.per_host

    def take_name_counts(self) -> NameCounts:
        """Returns how often names were looked up since this was called last."""
        return self._sessions.look_ups.take()

    def fetch(
        self,
        url: str,
        filters: Filters,
        respect: Respect,
        patience: Patience,
        answers: Answers,
        conditions: Mapping[str, str] = _NO_CONDITIONS,
    ) -> AbstractAsyncContextManager[Fetched | Rejected]:
        """Returns the context of an image or its rejection. It fetches the image when it is entered.

        The byte budget counts the image until the context ends.
        With `conditions`, which are headers, the host may answer that the image is unchanged.
        `answers` gets the answers of the signals that are looked for, for all addresses that the host redirects to.

        Raises:
            Postponed: the chunk's time ends before the host may be asked.
        """
        try:
            start = parse_url(url)
        except InvalidRequest as error:
            return nullcontext(Rejected(Reason.INVALID_URL, error.detail))
        timeout = asyncio.timeout(self._config.total_seconds)
        download = Download(start, filters, respect, patience, timeout, answers, conditions)
        return HeldDownload(download, self._within_time, self._give_back)

    async def refusal(self, url: str, respect: Respect, answers: Answers) -> Rejected | None:
        """Returns why a host's own files forbid the use of an image, or None. Does not request the image."""
        return await self._wishes.refusal(parse_url(url), respect, answers)

    async def _within_time(self, download: Download) -> Fetched | Rejected:
        last = _TIMED_OUT
        try:
            async with download.timeout:
                for attempt in range(self._config.tries):
                    try:
                        return await self._follow(download)
                    except TryAgain as again:
                        last = again.rejected
                        self._give_back(download)
                        if not await self._pause(attempt, again, download):
                            return last
        except TimeoutError:
            slow = Rejected(Reason.TIMED_OUT, f"after {self._config.total_seconds:g} seconds")
            download.patience.note_failure(download.host, slow)
            return slow if last.reason is Reason.TIMED_OUT else last
        except GiveUp as over:
            return over.rejected
        return last

    async def _pause(self, attempt: int, again: TryAgain, download: Download) -> bool:
        """Waits before the next try. Returns False if there is no further try."""
        pause = self._timing.uniform(0, self._config.first_pause_seconds * 2**attempt)
        if attempt + 1 >= self._config.tries or pause >= download.seconds_left:
            return False
        patience = download.patience
        # each host has its own limit of rests, so a rest takes nothing from the budget that all hosts share
        if again.wait_seconds:
            granted = not patience.ended and patience.refusal(download.host) is None
        else:
            granted = patience.grant_retry(pause)
        if not granted:
            return False
        await self._timing.sleep(pause)
        return True

    async def _follow(self, download: Download) -> Fetched:
        """Requests the image, and follows redirects until it comes."""
        for _ in range(self._config.max_redirects + 1):
            self._check_set_aside(download)
            await self._check_wishes(download)
            found = await self._ask(download)
            if isinstance(found, Fetched):
                return found
            download.move_to(found)
        raise GiveUp(Reason.TOO_MANY_REDIRECTS, f"more than {self._config.max_redirects}")

    async def _check_wishes(self, download: Download) -> None:
        """Finds out what the host wishes, and which pauses between requests it asks for.

        Raises:
            GiveUp: one of the host's files forbids the address, or could not be read.
        """
        url, respect = download.url, download.respect
        refusal = await self._wishes.refusal(url, respect, download.answers)
        if refusal is not None:
            raise GiveUp(refusal.reason, refusal.detail)
        if respect.robots:
            delay_seconds = await self._wishes.robots.crawl_delay(url) or 0.0
            download.delay_seconds = min(delay_seconds, self._config.max_crawl_delay_seconds)

    async def _ask(self, download: Download) -> Fetched | URL:
        """Sends one request when the host may get it. Returns the image, or the address that the host redirects to.

        Raises:
            Postponed: the chunk's time ends first, or other processes ask the host all the time.
        """
        host, patience = download.host, download.patience
        if patience.is_postponed(host):
            raise Postponed
        try:
            await self._places.enter(
                host,
                delay_seconds=download.delay_seconds,
                within_seconds=patience.remaining_seconds,
                waiting=download.clock_stopped,
            )
        except NoPlace:
            patience.postpone(host)
            raise Postponed from None
        try:
            if download.delay_seconds:
                await self._wait_for_host(download)
            return await self._request(download)
        finally:
            self._places.leave(host)

    async def _wait_for_host(self, download: Download) -> None:
        """Waits for a host that asks for pauses between requests or for a rest.

        Raises:
            Postponed: the chunk's time ends first.
        """
        wait = self._limits.reserve_time(
            download.host, download.delay_seconds, download.patience.remaining_seconds
        )
        with download.clock_stopped():
            while wait is not None and wait > 0 and not download.patience.ended:
                await self._timing.sleep(min(wait, _STOP_POLL_SECONDS))
                wait -= _STOP_POLL_SECONDS
        if wait is None or wait > 0:
            raise Postponed

    async def _request(self, download: Download) -> Fetched | URL:
        """Sends one request. Returns the image, or the address that the host redirects to."""
        host = download.host
        await self._enter(download)
        try:
            self._check_set_aside(download)
            found = await self._exchange(download)
        except (TryAgain, GiveUp) as verdict:
            if verdict.rejected.reason in _UNANSWERED:
                download.patience.note_failure(host, verdict.rejected)
            else:
                download.patience.note_answer(host)
            if isinstance(verdict, TryAgain) and verdict.wait_seconds:
                self._let_rest(verdict.wait_seconds, verdict.rejected, download)
            raise
        finally:
            self._limits.leave(host)
        download.patience.note_answer(host)
        return found

    async def _enter(self, download: Download) -> None:
        """Waits until the host may get one request more and does not rest."""
        host = download.host
        while True:
            if self._limits.is_full(host):
                with download.clock_stopped():
                    await self._limits.enter(host)
            else:
                await self._limits.enter(host)
            if not self._limits.is_resting(host):
                return
            self._limits.leave(host)
            self._check_set_aside(download)
            await self._wait_for_host(download)

    def _let_rest(self, seconds: float, rejected: Rejected, download: Download) -> None:
        """Gives the host the rest that it asks for, or sets it aside if it asks for too long a rest."""
        if seconds > self._config.max_retry_after_seconds:
            download.patience.set_aside(download.host, rejected)
        else:
            self._places.rest(download.host, seconds)
            download.patience.note_rest(download.host, self._limits.rest(download.host, seconds), rejected)

    async def _exchange(self, download: Download) -> Fetched | URL:
        url = download.url
        try:
            headers = headers_for(download.filters.formats)
            if download.conditions:
                headers = {**headers, **download.conditions}
            async with self._sessions.get().get(url, headers=headers, allow_redirects=False) as response:
                target = redirect_of(response, url)
                unchanged = response.status == HTTPStatus.NOT_MODIFIED and bool(download.conditions)
                if target is None and not unchanged:
                    check_answer(response, self._timing.clock.now())
                await check_consent(response, download.respect, download.answers, self._wishes)
                if target is not None:
                    return target
                body = b"" if unchanged else await self._read(response, download)
                return Fetched(body, str(url), *versions_of(response), unchanged, tuple(download.passed))
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            raise failure(error) from error

    def _check_set_aside(self, download: Download) -> None:
        refusal = download.patience.refusal(download.host)
        if refusal is not None:
            raise GiveUp(refusal.reason, refusal.detail)

    async def _read(self, response: aiohttp.ClientResponse, download: Download) -> bytes:
        async def take(size_bytes: int) -> None:
            share = self._budget.take_now(size_bytes)
            if share is None:
                with download.clock_stopped():
                    share = await self._budget.take(size_bytes)
            download.shares.append(share)

        config = self._config
        limits = BodyLimits(
            download.filters.max_bytes, config.min_bytes_per_second, config.slow_window_seconds
        )
        return await read_body(response, limits, take, self._timing.clock)

    def _give_back(self, download: Download) -> None:
        while download.shares:
            self._budget.give_back(download.shares.pop())
