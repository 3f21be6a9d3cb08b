"""Fetches the files in which hosts state their wishes.

The policy is that of robots.txt (RFC 9309, 2.3.1), for every such file. A client error means that there is no file. A
server error, no answer, or a status by which a host asks to come later (408, 425, 429) means that the host's wishes are
not known, and then it is not asked for anything else.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from yarl import URL

from shared.errors import AppError, Retryable
from shared.records.consent import Answer, Answers, Signal
from shared.records.records import Reason, Rejected
from shared.web.http.client import WebClient, WebRequest
from shared.web.wishes.per_origin import PerOrigin

_SECONDS = 10.0
_BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
_PAUSE_SECONDS = 1.0
# for each kind of file; a common file takes some kilobytes
_KEPT_BYTES = 40_000_000
# to parse a file of this size takes a millisecond or two
_PARSED_ON_THE_LOOP = 2_000


@dataclass(frozen=True, slots=True)
class HostFile[T]:
    """A file, or the meaning of its absence: `unreachable` is the rejection if the host did not answer."""

    content: T | None = None
    unreachable: Rejected | None = None

    def note_absence(self, signal: Signal, answers: Answers) -> Rejected | None:
        """Notes that there is no file to read a signal from. Returns the rejection if the host did not answer."""
        answers.note(signal, Answer.UNAVAILABLE if self.unreachable is not None else Answer.ABSENT)
        return self.unreachable


@dataclass(frozen=True, slots=True)
class FileKind[T]:
    """A kind of file. `name` stands in rejections, and `parse` reads its bytes; it returns None if it is no such file.

    Only the first `max_bytes` of a file are read. `size_of` returns the bytes of memory that its content takes.
    """

    name: str
    max_bytes: int
    parse: Callable[[bytes], T | None]
    size_of: Callable[[T], int]


class HostFiles[T]:
    """Fetches files of one kind, and keeps each for a while. Concurrent callers share one fetch.

    `path` is the same on all hosts. If it is None, the files are asked for by their whole addresses.
    """

    def __init__(self, web: WebClient, kind: FileKind[T], path: str | None) -> None:
        self._web = web
        self._kind = kind
        self._path = path
        self._files = PerOrigin(
            self._fetch,
            lambda file: kind.size_of(file.content) if file.content is not None else 0,
            transient=lambda file: file.unreachable is not None,
            by_address=path is None,
            max_bytes=_KEPT_BYTES,
        )

    def begin(self, url: URL) -> None:
        """Starts to fetch the file of the URL's host, and does not wait for it."""
        self._files.begin(url)

    def get(self, url: URL) -> Awaitable[HostFile[T]]:
        """Returns the file of the URL's host.

        Raises:
            Retryable: the app is being shut down.
        """
        return self._files.get(url)

    async def _fetch(self, address: str) -> HostFile[T]:
        """Fetches a file. After a quick failure it asks once more."""
        address += self._path or ""
        file = await self._ask(address)
        if file.unreachable is None or file.unreachable.reason is Reason.TIMED_OUT:
            return file
        await asyncio.sleep(_PAUSE_SECONDS)
        return await self._ask(address)

    async def _ask(self, address: str) -> HostFile[T]:
        kind = self._kind
        request = WebRequest(
            address, max_bytes=kind.max_bytes, cut_at_max_bytes=True, timeout_seconds=_SECONDS
        )
        try:
            response = await self._web.send(request)
        except Retryable as error:
            # the network is not the cause: the app is being shut down
            if error.__context__ is None:
                raise
            return HostFile(unreachable=Rejected(_reason(error.__context__), f"{kind.name}: {error.detail}"))
        except AppError:
            # there is no address to ask, or a circle (RFC 9309, 2.3.1.2); the image's own request reports it
            return HostFile()
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            return HostFile(unreachable=Rejected(Reason.RATE_LIMITED, f"{kind.name}: HTTP {response.status}"))
        if response.status >= 500 or response.status in _BUSY:
            return HostFile(unreachable=Rejected(Reason.SERVER_ERROR, f"{kind.name}: HTTP {response.status}"))
        if response.status >= 400:
            return HostFile()
        if len(response.body) <= _PARSED_ON_THE_LOOP:
            return HostFile(kind.parse(response.body))
        return HostFile(await asyncio.to_thread(kind.parse, response.body))


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
