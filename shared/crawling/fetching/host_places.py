"""Keeps the limit of requests to each host over all processes of the app.

A process takes places at a host from the host's row (see `host_rows`), and renews its claim every few seconds while it
uses them. It may fetch one image at a time from a host without a claim, if it has fewer than three downloads from the
host at the moment and has had no claim on it lately. So jobs with few images on each of many hosts make no storage
calls for this.

Two kinds of hosts always need a claim: those with a lower limit, and those that ask for pauses between requests. A host
that asks for pauses has only one place. The process that has this place makes the pauses.
"""

import asyncio
import contextvars
import logging
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field

from shared.clock import Clock
from shared.crawling.fetching.fetch_config import TIMES, PlaceTimes
from shared.crawling.fetching.host_limits import HostLimits
from shared.crawling.fetching.host_rows import HostRow, HostRows, Need

type _Waiting = Callable[[], AbstractContextManager[None]]

_log = logging.getLogger(__name__)

_MANY_HOSTS = 4096
# with fewer downloads from a host at the moment, a process may do without a claim
_MANY_DOWNLOADS = 3


class NoPlace(Exception):
    """This process may not ask the host for now, because other processes have all places."""


@dataclass(slots=True)
class _Use:
    """This process's use of a host: its downloads, of which `active` have a place, and its claim.

    The last download ended at `idle_since`. `changed` makes the process renew its claim at once. `row` is the host's
    row as this process wrote it last. `places` are its own until `ends_at`. The process had a place at `had_place_at`,
    or it began to wait then. These times are monotonic.
    """

    had_place_at: float
    downloads: int = 0
    active: int = 0
    idle_since: float = 0.0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    delay_seconds: float = 0.0
    keeper: asyncio.Task[None] | None = None
    row: HostRow | None = None
    places: int = 0
    wanted: int = 0
    ends_at: float = -math.inf
    rest_until: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_alone(self) -> bool:
        """Whether no other process is known to use the host."""
        return self.row is None or len(self.row.claims) == 1


class HostPlaces:
    """Admits this process's downloads to hosts. A host's name includes its port.

    Each host gets `limit` requests at a time from all processes together, or fewer if it is in `lower`, whose keys have
    no port. Without `rows`, this process is the only one; then `limits` alone counts its requests.
    """

    def __init__(
        self,
        limits: HostLimits,
        lower: Mapping[str, int],
        rows: HostRows | None,
        clock: Clock,
        times: PlaceTimes = TIMES,
    ) -> None:
        self._limits = limits
        self._lower = lower
        self._rows = rows
        self._clock = clock
        self._times = times
        self._uses: dict[str, _Use] = {}
        self._claimed_at: OrderedDict[str, float] = OrderedDict()

    async def enter(
        self, host: str, *, delay_seconds: float, within_seconds: float, waiting: _Waiting = nullcontext
    ) -> None:
        """Waits for a place at the host, which asks for pauses of `delay_seconds`. The caller must call `leave` after.

        If there is no place yet, `waiting` makes the context in which the call waits.

        Raises:
            NoPlace: there was no place `within_seconds`, or this process had no place for too long.
        """
        if self._rows is None:
            return
        use = self._uses.get(host)
        if use is None:
            use = self._uses[host] = _Use(self._clock.monotonic())
        use.downloads += 1
        use.delay_seconds = max(use.delay_seconds, delay_seconds)
        try:
            if not await self._enter(self._rows, host, use):
                with waiting():
                    await self._wait(use, within_seconds)
        except BaseException:
            self._end_download(host, use)
            raise

    def leave(self, host: str) -> None:
        """Gives a place back."""
        if self._rows is None:
            return
        use = self._uses[host]
        use.active -= 1
        self._admit(use)
        self._end_download(host, use)

    def rest(self, host: str, seconds: float) -> None:
        """Lets other processes know that the host rests for this many seconds from now."""
        use = self._uses.get(host)
        if use is not None and use.keeper is not None:
            use.rest_until = max(use.rest_until, self._clock.now().timestamp() + seconds)
            use.changed.set()

    def _end_download(self, host: str, use: _Use) -> None:
        use.downloads -= 1
        use.idle_since = self._clock.monotonic()
        if not use.downloads and use.keeper is None:
            del self._uses[host]

    async def _enter(self, rows: HostRows, host: str, use: _Use) -> bool:
        """Takes a place if there is one now; returns whether it did."""
        if use.keeper is None:
            # lets other downloads from the host that begin at this moment be counted
            await asyncio.sleep(0)
        if use.keeper is None and self._needs_claim(host, use):
            use.had_place_at = self._clock.monotonic()
            # the keeper serves many chunks, so its telemetry must not belong to the operation of one of them
            use.keeper = asyncio.create_task(self._keep(rows, host, use), context=contextvars.Context())
        elif use.wanted < min(2 * use.downloads, self._limits.most_at(host)):
            use.changed.set()
        if not use.waiting and use.active < self._capacity(use):
            use.active += 1
            return True
        return False

    async def _wait(self, use: _Use, within_seconds: float) -> None:
        """Waits for a place, and takes it.

        Raises:
            NoPlace: there was no place `within_seconds`, or this process had no place for too long.
        """
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        use.waiting.append(place)
        until = self._clock.monotonic() + within_seconds
        try:
            while not place.done():
                await asyncio.wait((place,), timeout=self._patience(use, until))
        except BaseException:
            if place.done():
                use.active -= 1
                self._admit(use)
            else:
                use.waiting.remove(place)
            raise

    def _patience(self, use: _Use, until: float) -> float:
        """Returns how many seconds a download should wait for a place before it looks again.

        Raises:
            NoPlace: it should wait no longer.
        """
        now = self._clock.monotonic()
        no_place_until = use.had_place_at + self._times.without_place
        if now >= until or (now >= no_place_until and not self._capacity(use)):
            raise NoPlace
        return min(until, max(no_place_until, now + 1.0)) - now

    def _admit(self, use: _Use) -> None:
        """Gives free places to downloads that wait, in the order in which they came."""
        capacity = self._capacity(use)
        if capacity:
            use.had_place_at = self._clock.monotonic()
        while use.waiting and use.active < capacity:
            use.active += 1
            use.waiting.popleft().set_result(None)

    def _capacity(self, use: _Use) -> float:
        """Returns how many downloads may have a place now."""
        if use.keeper is None:
            return 1
        if self._clock.monotonic() >= use.ends_at:
            return 0
        # a host that asks for pauses has one place, and the process that has it keeps the pauses
        return math.inf if use.delay_seconds and use.places else use.places

    def _needs_claim(self, host: str, use: _Use) -> bool:
        if use.downloads >= _MANY_DOWNLOADS or use.delay_seconds or host.rpartition(":")[0] in self._lower:
            return True
        claimed_at = self._claimed_at.get(host, -math.inf)
        return self._clock.monotonic() < claimed_at + self._times.remembered

    async def _keep(self, rows: HostRows, host: str, use: _Use) -> None:
        """Renews the claim on a host while it is used, and then releases it."""
        self._remember(host)
        while True:
            pause = await self._renew(rows, host, use)
            self._admit(use)
            if not await self._becomes_unused(use, pause):
                continue
            await self._release(rows, host, use)
            if not use.downloads:
                del self._uses[host]
                return

    async def _becomes_unused(self, use: _Use, pause: float) -> bool:
        """Waits until a claim has to be renewed or changed. Returns True as soon as it has not been used for a while.

        A host may have no download just when its claim is due. That alone is no reason to release it.
        """
        unused = self._times.unused if use.is_alone else self._times.unused_by_one
        due = self._clock.monotonic() + pause
        while (now := self._clock.monotonic()) < due:
            unused_at = now + unused if use.downloads else use.idle_since + unused
            if now >= unused_at:
                return True
            with suppress(TimeoutError):
                async with asyncio.timeout(min(due, unused_at) - now):
                    await use.changed.wait()
            if use.changed.is_set():
                return False
        return False

    async def _renew(self, rows: HostRows, host: str, use: _Use) -> float:
        """Makes or renews the claim. Returns after how many seconds it should be renewed."""
        # what changes while storage is asked is written at once after that
        use.changed.clear()
        began, now = self._clock.monotonic(), self._clock.now().timestamp()
        if began >= use.ends_at:
            use.places = 0
        need = self._need(host, use)
        try:
            use.row = await rows.claim(host, need, use.row)
        except Exception as error:  # noqa: BLE001 - without its keeper, the host would never be asked again
            _log.warning("The claim on %s was not renewed: %s", host, error)
            use.row = None
            return self._times.ask_again
        claim = use.row.claims.get(rows.process)
        share = use.row.fair_share(rows.process, need, now, rows.terms)
        use.places = min(claim.places, share) if claim else 0
        use.wanted, use.ends_at = need.wanted, began + rows.terms.claim - rows.terms.margin
        # storage may have taken a while, and a renewal must not move these times
        now = self._clock.now().timestamp()
        if use.row.rest_until > now:
            self._limits.rest(host, use.row.rest_until - now)
        if use.row.next_at > now:
            self._limits.begin_after(host, use.row.next_at - now)
        if claim and claim.places > share:
            return self._times.give_back
        return self._times.renew if use.places else self._times.ask_again

    async def _release(self, rows: HostRows, host: str, use: _Use) -> None:
        """Releases the claim. If storage does not answer, it ends by itself."""
        use.places, row, use.row = 0, use.row, None
        ahead = self._limits.seconds_until_next(host) if use.delay_seconds else 0.0
        with suppress(Exception):
            await rows.release(host, self._clock.now().timestamp() + ahead, row)

    def _need(self, host: str, use: _Use) -> Need:
        # while storage is asked, downloads may take all places, so the process must keep these until the next claim
        holds = max(use.active, use.places)
        if use.delay_seconds:
            ahead = self._limits.seconds_until_next(host)
            next_at = self._clock.now().timestamp() + ahead
            return Need(1, min(1, holds), 1, use.rest_until, next_at, use.delay_seconds)
        limit = self._limits.most_at(host)
        # nobody else needs the places, and the claim need not be written again as the downloads become more
        wanted = limit if use.is_alone else max(1, min(limit, 2 * use.downloads))
        return Need(wanted, holds, limit, use.rest_until)

    def _remember(self, host: str) -> None:
        self._claimed_at[host] = self._clock.monotonic()
        self._claimed_at.move_to_end(host)
        if len(self._claimed_at) > _MANY_HOSTS:
            self._claimed_at.popitem(last=False)
