"""Calls search services that answer in JSON: one exchange within limits, with the app's own errors.

No error repeats a text of a service or a client library. Such a text may quote the request, and the request holds the
key.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.clock import Clock
from shared.errors import Permanent, RateLimited, Unavailable
from shared.text.retry_after import retry_after_seconds
from shared.web.http.client import WebClient, WebRequest, WebResponse

_DEFAULT_WAIT_SECONDS = 60.0
# a service that says "now" and "wait" at once would be called in a loop
_MIN_WAIT_SECONDS = 1.0
# a longer wait is for a quota of a day or a month, and no job waits for that
_MAX_WAIT_SECONDS = 3600.0
# larger numbers are seconds since 1970, smaller ones seconds from now
_FIRST_MOMENT = 1_000_000_000
_WAIT_IN_TEXT = re.compile(rb"available in (\d{1,6}) second")


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """A service's address and key. `key_setting` names the setting of the key, and is empty if no key is needed."""

    base_url: str
    key_setting: str = ""
    key: str | None = field(default=None, repr=False)

    @property
    def missing(self) -> str | None:
        """The setting without which the service cannot be called, or None if nothing is missing."""
        return self.key_setting if self.key_setting and not self.key else None


class Refused(Permanent):
    """The service refuses such a request with `status`."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


class KeyRefused(Refused):
    """The service refuses the key. The text names the setting of the key."""


@dataclass(frozen=True, slots=True)
class JsonApi:
    """One service. `name` is for people. A refusal whose body contains `bad_key` is about the key."""

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
        """Returns the object that the service answers with.

        Raises:
            RateLimited: the service asks to wait, for an hour at most.
            Unavailable: the service cannot be reached, reports an error of its own, or does not answer with a JSON
                object.
            Refused: the service refuses the request; a KeyRefused if it refuses the key.
            Permanent: its address may not be called, or it asks to wait for more than an hour.
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
        """Returns the answer to a body. It raises the errors of `get`."""
        return await self._ask(WebRequest(self._url(path), method="POST", headers=headers, body=body))

    def key_refused(self, status: int) -> Refused:
        """Makes the error for a service that refuses the key, or that asks for a key without need."""
        setting = self.access.key_setting
        if not setting:
            return Refused(f"{self.name} refused access with status {status}.", status)
        return KeyRefused(f"{self.name} does not accept what the setting {setting} holds.", status)

    def list_in(self, answer: Mapping[str, object], name: str) -> Sequence[object]:
        """Returns the list of that name in an answer, or in a part of one.

        Raises:
            Unavailable: there is no such list.
        """
        found = answer.get(name)
        if not isinstance(found, list):
            raise self.misshapen()
        return found

    def misshapen(self) -> Unavailable:
        """Makes the error for an answer that does not have the documented shape."""
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
        """Reads the wait from Retry-After (RFC 9110, 10.2.3), X-RateLimit-Reset or the text; otherwise a minute."""
        retry_after = response.headers.get("retry-after", "").strip()
        if retry_after:
            seconds = retry_after_seconds(retry_after, self.clock.now())
            return _DEFAULT_WAIT_SECONDS if seconds is None else seconds
        reset = self._reset_seconds(response)
        if reset is not None:
            return reset
        text = _WAIT_IN_TEXT.search(response.body[:10_000])
        return float(text[1]) if text else _DEFAULT_WAIT_SECONDS

    def _reset_seconds(self, response: WebResponse) -> float | None:
        """Returns the seconds until all used-up quotas begin anew, or None if the answer does not say which those are.

        Pixabay sends seconds, others a moment. Brave sends one number for the second and one for the month.
        """
        resets = [
            number - self.clock.now().timestamp() if number > _FIRST_MOMENT else number
            for number in _numbers(response, "x-ratelimit-reset")
        ]
        remaining = _numbers(response, "x-ratelimit-remaining")
        if len(resets) == len(remaining):
            used_up = (reset for reset, calls in zip(resets, remaining, strict=True) if calls == 0)
            return max(used_up, default=None)
        # without the remaining calls, a moment far away may be the end of a quota that is not used up
        return resets[0] if len(resets) == 1 and resets[0] <= _MAX_WAIT_SECONDS else None


def _numbers(response: WebResponse, header: str) -> list[float]:
    """Returns the numbers that a header lists, four at most, or nothing if the header holds anything else."""
    texts = [text.strip() for text in response.headers.get(header, "").split(",", 4)]
    plain = all(text.isascii() and text.isdigit() and len(text) <= 12 for text in texts)
    return [float(text) for text in texts] if plain else []
