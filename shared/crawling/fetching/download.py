"""Holds the state of one download (its current address, its time and its memory), and its result."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from typing import override

from yarl import URL

from shared.crawling.fetching.patience import Patience
from shared.crawling.options import Filters
from shared.records.consent import Answers
from shared.records.records import Rejected
from shared.web.wishes.respect import Respect


@dataclass(frozen=True, slots=True)
class Fetched:
    """An image's bytes, and the address that they came from after all redirects.

    `passed` are the addresses that redirected to it, in order. `etag` and `last_modified` are the version that the host
    gave. If the image is `unchanged`, it has no body.
    """

    body: bytes
    url: str
    etag: str = ""
    last_modified: str = ""
    unchanged: bool = False
    passed: tuple[str, ...] = ()


@dataclass(slots=True)
class Download:
    """The state of one download. `url` is the current address, and `host` is its host, with the port.

    `answers` are those of the signals that were looked for. `timeout` ends the download. `conditions` are headers that
    ask for the image only if it has changed. `delay_seconds` is the pause between requests that the current host asks
    for. `passed` are the addresses before the current one. `shares` are the parts of the byte budget that the download
    holds.
    """

    url: URL
    filters: Filters
    respect: Respect
    patience: Patience
    timeout: asyncio.Timeout
    answers: Answers
    conditions: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    passed: list[str] = field(default_factory=list)
    shares: list[int] = field(default_factory=list)
    host: str = field(init=False)

    def __post_init__(self) -> None:
        self.host = f"{self.url.host}:{self.url.port}"

    def move_to(self, url: URL) -> None:
        """Changes the current address, as a redirect asks for."""
        self.passed.append(str(self.url))
        self.url = url
        self.host = f"{url.host}:{url.port}"

    @property
    def seconds_left(self) -> float:
        """The seconds until the download has to end. They are infinite while its clock is stopped."""
        ends_at = self.timeout.when()
        return math.inf if ends_at is None else ends_at - asyncio.get_running_loop().time()

    @contextmanager
    def clock_stopped(self) -> Iterator[None]:
        """Stops the clock during this block, because the host is not to blame for that time."""
        seconds_left = self.seconds_left
        self.timeout.reschedule(None)
        try:
            yield
        finally:
            self.timeout.reschedule(asyncio.get_running_loop().time() + seconds_left)


class HeldDownload(AbstractAsyncContextManager[Fetched | Rejected]):
    """Runs a download when it is entered, and gives its memory back when it ends."""

    __slots__ = ("_download", "_give_back", "_run")

    def __init__(
        self,
        download: Download,
        run: Callable[[Download], Awaitable[Fetched | Rejected]],
        give_back: Callable[[Download], None],
    ) -> None:
        self._download = download
        self._run = run
        self._give_back = give_back

    @override
    async def __aenter__(self) -> Fetched | Rejected:
        try:
            return await self._run(self._download)
        except BaseException:
            self._give_back(self._download)
            raise

    @override
    async def __aexit__(self, *_: object) -> None:
        self._give_back(self._download)
