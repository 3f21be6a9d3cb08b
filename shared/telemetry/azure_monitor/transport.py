"""One POST to the ingestion service, and what becomes of each item of it.

Protocol: a JSON array of envelopes to `/v2.1/track`. The rules for the statuses are those of opencensus-ext-azure.
Its own `TransportMixin` is not used: it loses a batch at a time-out or a refused connection, and reads no Retry-After.

Imports opencensus and requests, so only the thread that sends imports this module.
"""

import gzip
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from opencensus.ext.azure.common.transport import (
    REDIRECT_STATUS_CODES,
    RETRYABLE_STATUS_CODES,
    THROTTLE_STATUS_CODES,
)

from shared.clock import Clock
from shared.telemetry.azure_monitor.items import Sendable
from shared.telemetry.privacy import scrub
from shared.text.retry_after import retry_after_seconds

_SCOPE = "https://monitor.azure.com//.default"
_RENEW_SECONDS = 300.0
_MOST_REDIRECTS = 5
_MOST_ANSWER_BYTES = 1 << 20
_PARTLY = 206
_TOO_LARGE = 413


class AccessToken(Protocol):
    """A token of azure-identity."""

    @property
    def token(self) -> str:
        """What is sent."""
        ...

    @property
    def expires_on(self) -> int:
        """When it expires, in seconds since 1970."""
        ...


class TokenCredential(Protocol):
    """A credential of azure-identity, as far as it is used here."""

    def get_token(self, scope: str, /) -> AccessToken:
        """A token for the scope."""
        ...


@dataclass(slots=True)
class Sent:
    """What became of a batch: items to send `again`, and how many are `dropped` for good."""

    again: list[Sendable] = field(default_factory=list)
    dropped: int = 0
    error: str | None = None
    wait_seconds: float | None = None
    """How long the service asks to wait."""
    throttled: bool = False
    """Whether the resource's quota is used up."""

    @property
    def arrived(self) -> bool:
        """Whether the service took the batch, or part of it."""
        return self.error is None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    location: str
    retry_after: str


class Transport:
    """Sends batches, by one thread at a time. A batch that meets a redirect goes on to it, and so do later ones."""

    def __init__(
        self,
        endpoint: str,
        timeout_seconds: float,
        clock: Clock,
        make_credential: Callable[[], TokenCredential] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._make_credential = make_credential
        self._credential: TokenCredential | None = None
        self._token: AccessToken | None = None
        self._session = requests.Session()
        self._session.auth = _no_netrc

    def send(self, batch: Sequence[Sendable]) -> Sent:
        """Send a batch; never raises. A redirect is followed, but never from TLS to a connection without it."""
        body = gzip.compress(json.dumps([item.envelope for item in batch]).encode(), 6)
        try:
            for _ in range(_MOST_REDIRECTS):
                answer = self._post(body)
                if answer.status not in REDIRECT_STATUS_CODES or not self._follow(answer.location):
                    return self._outcome(batch, answer)
        except requests.RequestException as error:
            return Sent(list(batch), error=f"no answer: {type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - of the credential, which has many; the next try may succeed
            return Sent(list(batch), error=f"not sent: {type(error).__name__}: {scrub(str(error))[:300]}")
        return Sent(dropped=len(batch), error="too many redirects")

    def _post(self, body: bytes) -> _Answer:
        headers = {
            "Accept": "application/json",
            "Content-Encoding": "gzip",
            "Content-Type": "application/json; charset=utf-8",
        }
        if self._make_credential is not None:
            headers["Authorization"] = f"Bearer {self._bearer()}"
        end = time.monotonic() + self._timeout_seconds
        with self._session.post(
            f"{self._endpoint}/v2.1/track",
            data=body,
            headers=headers,
            timeout=self._timeout_seconds,
            allow_redirects=False,
            stream=True,
        ) as response:
            return _Answer(
                response.status_code,
                _read(response, end),
                response.headers.get("location", ""),
                response.headers.get("retry-after", ""),
            )

    def _bearer(self) -> str:
        """A token, kept until shortly before it expires."""
        if not self._endpoint.startswith("https://"):
            raise ValueError("tokens are sent over https only")
        if self._token is None or self._token.expires_on - time.time() < _RENEW_SECONDS:
            if self._credential is None and self._make_credential is not None:
                self._credential = self._make_credential()
            assert self._credential is not None  # noqa: S101 - it has just been made
            self._token = self._credential.get_token(_SCOPE)
        return self._token.token

    def _follow(self, location: str) -> bool:
        """Go on to the host of a redirect, which stands for all later batches, too."""
        url = urlsplit(location)
        secure = url.scheme == "https" or (url.scheme == "http" and not self._endpoint.startswith("https://"))
        if not secure or not url.netloc or "@" in url.netloc:
            return False
        self._endpoint = f"{url.scheme}://{url.netloc}"
        return True

    def _outcome(self, batch: Sequence[Sendable], answer: _Answer) -> Sent:
        status = answer.status
        if status == requests.codes.ok:
            return Sent()
        if status == _PARTLY:
            return _partly(batch, answer.body)
        wait = retry_after_seconds(answer.retry_after, self._clock.now())
        if status in RETRYABLE_STATUS_CODES:
            if status == requests.codes.unauthorized:
                self._token = None
            return Sent(list(batch), error=f"HTTP {status}", wait_seconds=wait)
        if status == _TOO_LARGE and len(batch) > 1:
            half = len(batch) // 2
            return _both(self.send(batch[:half]), self.send(batch[half:]))
        throttled = status in THROTTLE_STATUS_CODES
        return Sent(dropped=len(batch), error=f"HTTP {status}", wait_seconds=wait, throttled=throttled)


def _read(response: Any, end: float) -> bytes:
    """The answer's body. One that is too long or too slow is cut: the status says what matters."""
    parts = bytearray()
    while len(parts) <= _MOST_ANSWER_BYTES and time.monotonic() < end:
        # as much as has come; `iter_content` would wait for a whole block
        part = response.raw.read1(65536, decode_content=True)
        if not part:
            break
        parts += part
    return bytes(parts)


def _partly(batch: Sequence[Sendable], body: bytes) -> Sent:
    """What a 206 says of each item. Where it cannot be read, all others count as dropped."""
    try:
        found = json.loads(body)["errors"]
        refused = {int(error["index"]): int(error["statusCode"]) for error in found}
    except (ValueError, KeyError, TypeError, AttributeError):
        return Sent(dropped=len(batch), error="HTTP 206 with an answer that cannot be read")
    again = [item for index, item in enumerate(batch) if refused.get(index) in RETRYABLE_STATUS_CODES]
    dropped = sum(index in range(len(batch)) for index in refused) - len(again)
    return Sent(again, dropped=dropped)


def _both(first: Sent, second: Sent) -> Sent:
    return Sent(
        first.again + second.again,
        first.dropped + second.dropped,
        first.error or second.error,
        max(filter(None, (first.wait_seconds, second.wait_seconds)), default=None),
        first.throttled or second.throttled,
    )


def _no_netrc(request: Any) -> Any:
    """In place of the password that requests would take from the user's ~/.netrc."""
    return request
