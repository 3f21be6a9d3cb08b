"""Reads a host's answer: checks its status and headers, and reads its body within limits."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

from shared.clock import Clock
from shared.errors import InvalidRequest
from shared.records.consent import Answers
from shared.records.records import Reason, Rejected
from shared.text.retry_after import retry_after_seconds
from shared.web.addresses.guard import why_forbidden
from shared.web.addresses.urls import redirect_url
from shared.web.http.client import REDIRECT_STATUSES
from shared.web.http.head_reader import limit_in
from shared.web.http.response_heads import unread_coding
from shared.web.wishes.declared import Declared
from shared.web.wishes.host_wishes import HostWishes
from shared.web.wishes.respect import Respect
from shared.web.wishes.texts.licence_links import licence_links

_BUSY = frozenset({408, 425})
_MISSING = frozenset({404, 410})
# server errors that another try does not mend
_PERMANENT = frozenset({501, 505})
# a usual ETag has some forty characters
_MAX_VERSION = 256
# a body without a declared length reserves no memory up to this size
_UNRESERVED_BYTES = 1_000_000


class TryAgain(Exception):
    """A transient failure ended this try. `wait_seconds` is the rest that the host asks for (Retry-After)."""

    def __init__(self, rejected: Rejected, wait_seconds: float | None = None) -> None:
        super().__init__(rejected.reason)
        self.rejected = rejected
        self.wait_seconds = wait_seconds


class GiveUp(Exception):
    """The download failed, and another try now would fail, too."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason)
        self.rejected = Rejected(reason, detail)


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """A body may have at most `max_bytes`. Each `window_seconds` must bring `min_bytes_per_second` on average."""

    max_bytes: int
    min_bytes_per_second: int
    window_seconds: float


def redirect_of(response: aiohttp.ClientResponse, url: URL) -> URL | None:
    """Returns the address that the answer to `url` redirects to, or None if it is no redirect.

    Raises:
        GiveUp: the redirect's address is not valid.
    """
    location = response.headers.get("location")
    if response.status not in REDIRECT_STATUSES or location is None:
        return None
    try:
        return redirect_url(url, location).with_fragment(None)
    except InvalidRequest as error:
        raise GiveUp(Reason.INVALID_URL, f"its redirect cannot be followed: {error.detail}") from None


def check_answer(response: aiohttp.ClientResponse, now: datetime) -> None:
    """Checks that the answer has a body that can be read.

    Raises:
        TryAgain: the host is busy.
        GiveUp: it does not.
    """
    status = response.status
    if status == 429:
        raise TryAgain(Rejected(Reason.RATE_LIMITED, "HTTP 429"), _retry_after(response, now))
    if status in _BUSY or (status >= 500 and status not in _PERMANENT):
        busy = Rejected(Reason.SERVER_ERROR, f"HTTP {status}")
        raise TryAgain(busy, _retry_after(response, now))
    if status != 200:
        reason = Reason.NOT_FOUND if status in _MISSING else Reason.HTTP_ERROR
        raise GiveUp(Reason.SERVER_ERROR if status >= 500 else reason, f"HTTP {status}")
    unread = unread_coding(response.headers.get("content-encoding", ""))
    if unread is not None:
        raise GiveUp(Reason.UNSUPPORTED_FORMAT, f"its content-encoding ({unread}) is not read")


async def check_consent(
    response: aiohttp.ClientResponse, respect: Respect, answers: Answers, wishes: HostWishes
) -> None:
    """Checks that the answer's headers, the licences that they name and ai.txt allow the use of the image.

    Notes what they say.

    Raises:
        GiveUp: they do not, or the host of a licence does not answer.
    """
    headers = response.headers
    declared = Declared(
        headers.getall("x-robots-tag", ()),
        headers.getall("tdm-reservation", ()),
        headers.getall("content-usage", ()),
    )
    refusal = declared.refusal(respect, answers)
    if refusal is None and respect.rsl and "link" in headers:
        names = licence_links(headers.getall("link"))
        refusal = await wishes.linked_licences.refusal(response.url, names, answers) if names else None
    if refusal is None and respect.ai_txt:
        refusal = await wishes.ai_txt.refusal_of_kind(response.url, response.content_type, answers)
    if refusal is not None:
        raise GiveUp(refusal.reason, refusal.detail)


def versions_of(response: aiohttp.ClientResponse) -> tuple[str, str]:
    """Returns the ETag and the time of the last change that the answer declares; empty texts if it has none.

    Long texts, and those with characters that no header may repeat, are left out.
    """
    etag, last_modified = (response.headers.get(name, "") for name in ("etag", "last-modified"))
    return _version(etag), _version(last_modified)


def _version(text: str) -> str:
    plain = text.isascii() and text.isprintable() and len(text) <= _MAX_VERSION
    return text if plain else ""


async def read_body(
    response: aiohttp.ClientResponse, limits: BodyLimits, take: Callable[[int], Awaitable[None]], clock: Clock
) -> bytes:
    """Returns the decompressed body.

    `take` is awaited once to reserve the memory. It gets the length if the header declares it, or else `max_bytes` as
    soon as the body exceeds a megabyte. A smaller body without a declared length reserves nothing.

    Raises:
        GiveUp: the body is empty, too large or too slow.
    """
    length = response.content_length
    if length is not None and length > limits.max_bytes:
        raise GiveUp(Reason.TOO_MANY_BYTES, f"{length} bytes are announced")
    reserved = length is not None and response.headers.get("content-encoding", "identity") == "identity"
    if length is not None and reserved:
        await take(length)
    pieces: list[bytes] = []
    size = size_before_window = 0
    window_ends = clock.monotonic() + limits.window_seconds
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > limits.max_bytes:
            raise GiveUp(Reason.TOO_MANY_BYTES, f"more than {limits.max_bytes} bytes")
        pieces.append(piece)
        if not reserved and size > _UNRESERVED_BYTES:
            await take(limits.max_bytes)
            reserved = True
            # the host is not to blame for the wait for memory
            window_ends = clock.monotonic() + limits.window_seconds
        if clock.monotonic() >= window_ends:
            if size - size_before_window < limits.min_bytes_per_second * limits.window_seconds:
                raise GiveUp(Reason.TIMED_OUT, f"slower than {limits.min_bytes_per_second} bytes a second")
            size_before_window, window_ends = size, clock.monotonic() + limits.window_seconds
    if not size:
        raise GiveUp(Reason.EMPTY_BODY)
    return b"".join(pieces)


def failure(error: BaseException) -> TryAgain | GiveUp:
    """Returns the verdict on an error of the HTTP client or of the network."""
    forbidden = why_forbidden(error)
    if forbidden is not None:
        return GiveUp(Reason.FORBIDDEN_ADDRESS, forbidden)
    limit = limit_in(error)
    if limit is not None:
        return GiveUp(Reason.TOO_MANY_BYTES, limit)
    if _is_about_encoding(error):
        if isinstance(error, aiohttp.ClientPayloadError):
            return GiveUp(Reason.HTTP_ERROR, "its content-encoding is broken")
        return GiveUp(Reason.UNSUPPORTED_FORMAT, "its content-encoding (br or zstd) was not asked for")
    for kinds, reason, detail in _REASONS:
        if isinstance(error, kinds):
            return TryAgain(Rejected(reason, detail)) if reason in _TRIED_AGAIN else GiveUp(reason, detail)
    return TryAgain(Rejected(Reason.CONNECTION_FAILED, type(error).__name__))


def _is_about_encoding(error: BaseException) -> bool:
    """Returns whether the content-encoding caused the error. The client wraps its parser's error once or twice."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ContentEncodingError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


_TRIED_AGAIN = frozenset({Reason.DNS_FAILED, Reason.TRANSFER_BROKEN, Reason.TIMED_OUT})
_REASONS: tuple[tuple[tuple[type[BaseException], ...], Reason, str], ...] = (
    ((aiohttp.ClientConnectorDNSError,), Reason.DNS_FAILED, ""),
    ((aiohttp.ClientSSLError, ssl.SSLError), Reason.TLS_FAILED, ""),
    ((aiohttp.InvalidURL,), Reason.INVALID_URL, ""),
    ((aiohttp.ClientResponseError,), Reason.HTTP_ERROR, "the answer is no valid HTTP"),
    ((aiohttp.ClientPayloadError,), Reason.TRANSFER_BROKEN, ""),
    ((TimeoutError,), Reason.TIMED_OUT, ""),
)


def _retry_after(response: aiohttp.ClientResponse, now: datetime) -> float | None:
    return retry_after_seconds(response.headers.get("retry-after", ""), now)
