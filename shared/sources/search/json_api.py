"""Search services that answer in JSON: one bounded exchange, and what goes wrong with it, in the app's own errors.

No error repeats what a service or a client library wrote: either may quote the request, and the request the key.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.clock import Clock
from shared.errors import Permanent, RateLimited, Unavailable
from shared.web.http.client import WebClient, WebRequest, WebResponse
from shared.web.http.retry_after import retry_after_seconds

_DEFAULT_WAIT_SECONDS = 60.0
_MIN_WAIT_SECONDS = (
    1.0  # whatever is told: a service that says "now" and "wait" at once would be asked in a circle
)
_MAX_WAIT_SECONDS = (
    3600.0  # who asks for more means a quota of a day or a month, and no job stands still for that
)
_FIRST_MOMENT = 1_000_000_000  # larger numbers are seconds since 1970, smaller ones seconds from now
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
            RateLimited: it asks to wait, for an hour at most.
            Unavailable: it is out of reach, out of order, or answers with something that is no JSON object.
            Refused: it will not answer this; as KeyRefused where that is for the key.
            Permanent: its address is not one that may be called; or it asks to wait for more than an hour.
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

    def list_in(self, answer: Mapping[str, object], name: str) -> Sequence[object]:
        """The list of that name in an answer, or in a part of one.

        Raises:
            Unavailable: there is none.
        """
        found = answer.get(name)
        if not isinstance(found, list):
            raise self.misshapen()
        return found

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
            if seconds > _MAX_WAIT_SECONDS:
                hours = f"{seconds / 3600:,.0f} hours" if seconds >= 5400 else "more than an hour"
                raise Permanent(f"{self.name} asks to wait for {hours}: its quota is used up.")
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
        if told:
            seconds = retry_after_seconds(told, self.clock.now())
            return _DEFAULT_WAIT_SECONDS if seconds is None else seconds
        reset = self._reset_seconds(response)
        if reset is not None:
            return reset
        text = _TOLD_WAIT.search(response.body[:10_000])
        return float(text[1]) if text else _DEFAULT_WAIT_SECONDS

    def _reset_seconds(self, response: WebResponse) -> float | None:
        """Until all quotas that are used up begin anew; None where it is not told which those are.

        Pixabay sends seconds, others a moment; Brave sends a number for the second and one for the month.
        """
        resets = [
            number - self.clock.now().timestamp() if number > _FIRST_MOMENT else number
            for number in _numbers(response, "x-ratelimit-reset")
        ]
        left = _numbers(response, "x-ratelimit-remaining")
        if len(resets) == len(left):
            used_up = (reset for reset, calls in zip(resets, left, strict=True) if calls == 0)
            return max(used_up, default=None)
        # without that, a moment far away may be the end of a quota that is not used up at all
        return resets[0] if len(resets) == 1 and resets[0] <= _MAX_WAIT_SECONDS else None


def _numbers(response: WebResponse, header: str) -> list[float]:
    """What a header lists, four numbers at most; none where there is anything else in it."""
    texts = [text.strip() for text in response.headers.get(header, "").split(",", 4)]
    plain = all(text.isascii() and text.isdigit() and len(text) <= 12 for text in texts)
    return [float(text) for text in texts] if plain else []
