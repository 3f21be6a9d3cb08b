"""Search services that answer in JSON: one bounded exchange, and what goes wrong with it, in the app's own errors.

No error repeats what a service or a client library wrote: either may quote the request, and the request the key.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

from shared.clock import Clock
from shared.errors import Permanent, RateLimited, Unavailable
from shared.web.client import WebClient, WebRequest, WebResponse

_DEFAULT_WAIT_SECONDS = 60.0
_MIN_WAIT_SECONDS = (
    1.0  # whatever is told: a service that says "now" and "wait" at once would be asked in a circle
)
_MAX_RESET_SECONDS = 3600
_TOLD_WAIT = re.compile(rb"available in (\d{1,6}) second")


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Where a service is, and the key for it; `key_setting` is where the key comes from, empty where none is needed."""

    base_url: str
    key_setting: str = ""
    key: str | None = field(default=None, repr=False)

    @property
    def missing(self) -> str | None:
        """The setting without which the service cannot be asked; None where it can."""
        return self.key_setting if self.key_setting and not self.key else None


class Refused(Permanent):
    """The service will not answer such a request, and says so with `status`."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


class KeyRefused(Refused):
    """The service does not take the key; the text names the setting that it comes from."""


@dataclass(frozen=True, slots=True)
class JsonApi:
    """One service: `name` is for people; a refusal in whose body `bad_key` is found is about the key."""

    name: str
    access: ApiAccess
    web: WebClient
    clock: Clock
    bad_key: bytes | None = None

    async def get(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        secret_params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Mapping[str, object]:
        """The object that the service answers with.

        Raises:
            RateLimited: it asks to wait.
            Unavailable: it is out of reach, out of order, or answers with something that is no JSON object.
            Refused: it will not answer this; as KeyRefused where that is for the key.
            Permanent: its address is not one that may be called.
        """
        accept = {"accept": "application/json"}
        request = WebRequest(
            self._url(path),
            params=params,
            secret_params=secret_params or {},
            headers=accept | dict(headers or {}),
        )
        return await self._ask(request)

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Mapping[str, object]:
        """As `get`, with a body."""
        return await self._ask(WebRequest(self._url(path), method="POST", headers=headers, body=body))

    def key_refused(self, status: int) -> Refused:
        """What to raise where the service does not take the key, or asks for one that it should not need."""
        setting = self.access.key_setting
        if not setting:
            return Refused(f"{self.name} refused access with status {status}.", status)
        return KeyRefused(f"{self.name} does not accept what the setting {setting} holds.", status)

    def misshapen(self) -> Unavailable:
        """What to raise where an answer has not the shape that the service documents."""
        return Unavailable(f"{self.name} answered with something else than it should.")

    def _url(self, path: str) -> str:
        return self.access.base_url.rstrip("/") + path

    async def _ask(self, request: WebRequest) -> Mapping[str, object]:
        try:
            response = await self.web.send(request)
        except (Unavailable, Permanent) as error:
            raise type(error)(f"{self.name}: {error.detail}") from None
        self._check(response)
        try:
            body = json.loads(response.body)
        except (ValueError, RecursionError):
            raise Unavailable(f"{self.name} answered with something that is not JSON.") from None
        if not isinstance(body, dict):
            raise self.misshapen()
        return body

    def _check(self, response: WebResponse) -> None:
        status = response.status
        if status == 429:
            seconds = max(_MIN_WAIT_SECONDS, self._wait_seconds(response))
            raise RateLimited(f"{self.name} asks to wait.", seconds)
        if status >= 500 or status == 408:
            raise Unavailable(f"{self.name} answered with status {status}.")
        if status in {401, 403} or (status >= 400 and self.bad_key and self.bad_key in response.body):
            raise self.key_refused(status)
        if status >= 400:
            raise Refused(f"{self.name} refused the request with status {status}.", status)

    def _wait_seconds(self, response: WebResponse) -> float:
        """As Retry-After (RFC 9110, 10.2.3), X-RateLimit-Reset in seconds or the text say; else a minute."""
        told = response.headers.get("retry-after", "").strip()
        if told.isascii() and told.isdigit():
            return float(told[:6])
        if told:
            return self._seconds_until(told)
        reset = response.headers.get("x-ratelimit-reset", "").strip()
        # Pixabay sends seconds; others send a moment, or several numbers, that may be a month away
        if reset.isascii() and reset.isdigit() and int(reset[:12]) <= _MAX_RESET_SECONDS:
            return float(reset)
        text = _TOLD_WAIT.search(response.body[:10_000])
        return float(text[1]) if text else _DEFAULT_WAIT_SECONDS

    def _seconds_until(self, http_date: str) -> float:
        try:
            moment = parsedate_to_datetime(http_date[:100])
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - self.clock.now()).total_seconds()
        except (ValueError, OverflowError):
            return _DEFAULT_WAIT_SECONDS
        return seconds
