"""Sends one batch to the ingestion service, and decides what happens to each of its items.

Protocol: a JSON array of envelopes is POSTed to `/v2.1/track`. The rules for the statuses are those of
opencensus-ext-azure. Its own `TransportMixin` is not used: it loses a batch when a call times out or its connection is
refused, and it does not read Retry-After.

This module imports opencensus and requests, so only the sending thread imports it.
"""

import contextlib
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
from urllib3.exceptions import HTTPError

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
        """The text of the token."""
        ...

    @property
    def expires_on(self) -> int:
        """The time at which the token expires, in seconds since 1970."""
        ...


class TokenCredential(Protocol):
    """The part of a credential of azure-identity that is used here."""

    def get_token(self, scope: str, /) -> AccessToken:
        """Returns a token for the scope."""
        ...


@dataclass(slots=True)
class Sent:
    """The outcome of a batch: the items to send `again`, and the number of items that are `dropped`."""

    again: list[Sendable] = field(default_factory=list)
    dropped: int = 0
    error: str | None = None
    wait_seconds: float | None = None
    """How long the service asks to wait."""
    throttled: bool = False
    """Whether the resource's quota is used up."""

    @property
    def arrived(self) -> bool:
        """Whether the service accepted the batch or a part of it. One that refuses every item accepts nothing."""
        return self.error is None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    location: str
    retry_after: str


class Transport:
    """Sends batches. Only one thread may use it at a time.

    After a redirect, later batches go to its target, too, until one does not arrive.
    """

    def __init__(
        self,
        endpoint: str,
        timeout_seconds: float,
        clock: Clock,
        make_credential: Callable[[], TokenCredential] | None = None,
    ) -> None:
        self._configured = endpoint
        self._endpoint = endpoint
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._make_credential = make_credential
        self._credential: TokenCredential | None = None
        self._token: AccessToken | None = None
        self._session = requests.Session()
        self._session.auth = _no_netrc

    def send(self, batch: Sequence[Sendable]) -> Sent:
        """Sends a batch. It never raises. It follows redirects, except from https to http."""
        sent = self._send(batch)
        if not sent.arrived:
            self._endpoint = self._configured
        return sent

    def _send(self, batch: Sequence[Sendable]) -> Sent:
        body = gzip.compress(json.dumps([item.envelope for item in batch]).encode(), 6)
        try:
            for _ in range(_MOST_REDIRECTS):
                answer = self._post(body)
                if answer.status not in REDIRECT_STATUS_CODES or not self._follow(answer.location):
                    return self._outcome(batch, answer)
        except requests.RequestException as error:
            return Sent(list(batch), error=f"no answer: {type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - credentials raise many errors; the next try may succeed
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
        """Returns a token. It is used again until shortly before it expires."""
        if not self._endpoint.startswith("https://"):
            raise ValueError("tokens are sent over https only")
        if self._token is None or self._token.expires_on - time.time() < _RENEW_SECONDS:
            if self._credential is None and self._make_credential is not None:
                self._credential = self._make_credential()
            assert self._credential is not None  # noqa: S101 - it has just been made
            self._token = self._credential.get_token(_SCOPE)
        return self._token.token

    def _follow(self, location: str) -> bool:
        """Sends this batch and all later ones to the host of a redirect; returns False if the redirect is refused."""
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
    """Returns the answer's body. A body that is too long, too slow or broken is cut: the status is what matters."""
    parts = bytearray()
    with contextlib.suppress(HTTPError):
        while len(parts) <= _MOST_ANSWER_BYTES and time.monotonic() < end:
            # this returns the bytes that have come; `iter_content` would wait for a whole block
            part = response.raw.read1(65536, decode_content=True)
            if not part:
                break
            parts += part
    return bytes(parts)


def _partly(batch: Sequence[Sendable], body: bytes) -> Sent:
    """Reads the status of each item from a 206. If the body cannot be read, the whole batch counts as dropped."""
    try:
        found = json.loads(body)["errors"]
        refused = {int(error["index"]): int(error["statusCode"]) for error in found}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return Sent(dropped=len(batch), error="HTTP 206 with an answer that cannot be read")
    again = [item for index, item in enumerate(batch) if refused.get(index) in RETRYABLE_STATUS_CODES]
    if len(again) == len(batch):
        return Sent(again, error="HTTP 206 that refuses every item")
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
    """Sends no password. Without this function, requests would use the password in the user's ~/.netrc."""
    return request
