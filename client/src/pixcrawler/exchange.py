"""Rules that both clients share: how a request is made, when it is sent again, and what its answer means.

Nothing here waits or reads: the clients do that, each in its own way.
"""

import json
import random
import time
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from pixcrawler import calls
from pixcrawler.answers import Answer, Job
from pixcrawler.calls import Call
from pixcrawler.errors import BadAnswer, FieldError, NotConfigured, Problem, Refused, Unreachable

T = TypeVar("T", bound=Answer)

TIMEOUT = httpx.Timeout(70.0, connect=10.0)
"""Seconds. The app answers most calls within ten, and which datasets have images that are opted out within sixty."""

MAX_ANSWER_BYTES = 32 * 1024 * 1024
MAX_ANSWER_SECONDS = 600.0
_MAX_ATTEMPTS = 6
_MAX_CONNECTS = 3
_MAX_WAIT_SECONDS = 60.0
FIRST_WAIT_SECONDS = 0.5
_READ_AGAIN_SECONDS = 5.0
_TRANSIENT = frozenset({408, 429, 502, 503, 504})
# a quota and a missing setting are answered 429 and 503, too, but do not change within a minute
_LASTING = frozenset({"quota_exceeded", "not_configured"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MAX_FIELD_ERRORS = 20
_UNCHANGED = 304
_MAX_TEXT_CHARACTERS = 2_000
_MAX_PLACE_CHARACTERS = 200


@dataclass(frozen=True)
class Account:
    """The URL of an app and the API key for it. The key is left out of `repr`.

    Raises:
        NotConfigured: the URL is none, or would send the key over the network without encryption.
    """

    url: str
    api_key: str = field(repr=False)
    allow_http: bool = False

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if (
            not host
            or parts.scheme not in {"http", "https"}
            or parts.query
            or parts.fragment
            or parts.username
        ):
            raise NotConfigured(
                f"{self.url!r} is no URL of an app. It looks like https://example.azurewebsites.net"
            )
        if parts.scheme == "http" and host not in _LOOPBACK and not self.allow_http:
            raise NotConfigured(
                f"{self.url} would send the API key without encryption. Use https, or set PIXCRAWLER_ALLOW_HTTP=1."
            )
        if (
            not self.api_key
            or not self.api_key.isascii()
            or not self.api_key.isprintable()
            or " " in self.api_key
        ):
            raise NotConfigured("The API key is missing, or has characters that no key has.")

    @property
    def headers(self) -> dict[str, str]:
        """The headers of each call. An answer that is not compressed cannot become larger than what is read."""
        return {
            "X-API-Key": self.api_key,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "pixcrawler-client",
        }

    def url_of(self, call: Call[T]) -> str:
        """Returns the URL of a call, without its query."""
        return self.url.rstrip("/") + call.path


class Attempts:
    """Decides whether a call is sent again, and after how many seconds."""

    def __init__(self, first_wait_seconds: float = FIRST_WAIT_SECONDS) -> None:
        self._first_wait = first_wait_seconds
        self._made = 0
        self.answer_was_lost = False

    def after_error(self, error: httpx.HTTPError | httpx.InvalidURL, url: str) -> float:
        """Returns the seconds to wait after an attempt without an answer.

        Raises:
            Unreachable: there is no further attempt.
        """
        connected = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
        self.answer_was_lost = self.answer_was_lost or connected
        again = self._again() and (connected or self._made < _MAX_CONNECTS)
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Unreachable(
                f"The certificate of {url} is not trusted: {error}. Check the URL. If your network has a certificate "
                "authority of its own, name the file with its certificate in SSL_CERT_FILE."
            ) from error
        if not again or isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
            why = str(error) or type(error).__name__
            raise Unreachable(f"{url} does not answer: {why}. Check the URL and the network.") from error
        return self._wait()

    def after_answer(self, status: int, retry_after: str | None, content: bytes = b"") -> float | None:
        """Returns the seconds to wait before the call is sent again, or None if the answer counts."""
        if status not in _TRANSIENT or str(_fields_of(content).get("code")) in _LASTING:
            return None
        wanted = seconds_of(retry_after)
        if wanted is not None and wanted > _MAX_WAIT_SECONDS:
            return None
        if not self._again():
            return None
        self.answer_was_lost = self.answer_was_lost or status != 429
        return self._wait() if wanted is None else wanted

    def _again(self) -> bool:
        self._made += 1
        return self._made < _MAX_ATTEMPTS

    def _wait(self) -> float:
        longest = min(_MAX_WAIT_SECONDS, self._first_wait * 2 ** min(self._made, 10))
        return float(longest * random.uniform(0.5, 1.0))  # noqa: S311 - spreads calls, protects nothing


def seconds_of(retry_after: str | None) -> float | None:
    """Returns the seconds of a `Retry-After`, or None if it has none. The app does not send dates."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit() or len(retry_after) > 9:
        return None
    return float(retry_after)


def read_again_seconds(retry_after: str | None) -> float:
    """Returns the seconds until a job that runs is read again."""
    wanted = seconds_of(retry_after)
    return min(_READ_AGAIN_SECONDS if wanted is None else wanted, _MAX_WAIT_SECONDS)


class Content:
    """The bytes of an answer, which has limits of size and time."""

    def __init__(self) -> None:
        self.received = bytearray()
        self._latest = time.monotonic() + MAX_ANSWER_SECONDS

    def add(self, piece: bytes) -> None:
        """Takes some bytes.

        Raises:
            BadAnswer: the answer is too large, or takes too long.
        """
        self.received += piece
        if len(self.received) > MAX_ANSWER_BYTES:
            raise BadAnswer(f"The answer has more than {MAX_ANSWER_BYTES:,} bytes.")
        if time.monotonic() > self._latest:
            raise BadAnswer(f"The answer takes more than {MAX_ANSWER_SECONDS:.0f} seconds.")


def refuse_encoded(response: httpx.Response) -> None:
    """Refuses an answer whose bytes would have to be decompressed.

    Raises:
        BadAnswer: the answer is compressed, which was not asked for.
    """
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise BadAnswer("The answer is compressed, though the client did not ask for that.")


def checked_link(url: str, account: Account) -> str:
    """Returns a link to storage that may be used.

    Raises:
        BadAnswer: it is no web address, or would fall back from https to http.
    """
    try:
        parts, _ = urlsplit(url), httpx.URL(url)
        host, _ = parts.hostname, parts.port
    except (ValueError, httpx.InvalidURL):
        raise BadAnswer("The app gave a link that is no web address.") from None
    if not host or parts.scheme not in {"http", "https"} or parts.username:
        raise BadAnswer("The app gave a link that is no web address.")
    if parts.scheme == "http" and account.url.lower().startswith("https:"):
        raise BadAnswer("The app gave a link without encryption.")
    return url


def read_answer(call: Call[T], response: httpx.Response, content: bytes, *, lost: bool) -> T | None:
    """Returns the answer, or None if the call has no body to read.

    Raises:
        Refused: the API has refused the call.
        BadAnswer: the answer is not one of the API.
    """
    status = response.status_code
    if status == 404 and call.deletes and lost:
        return None
    if status >= 400 and status not in call.answers_with:
        raise Refused(_problem(response, content))
    if not (200 <= status < 300 or status in call.answers_with):
        raise BadAnswer(f"{call.path} is answered with {status}. Is this the URL of the app?")
    if call.answer is None:
        return None
    try:
        return call.answer.model_validate_json(content)
    except ValidationError as error:
        if status >= 400:
            raise Refused(_problem(response, content)) from None
        first = error.errors(include_input=False, include_url=False)[0]
        # names of labels are part of it, so the server decides how long it is
        where = ".".join(map(str, first["loc"]))[:_MAX_PLACE_CHARACTERS] or "body"
        raise BadAnswer(
            f"{call.path} is not answered as PixCrawler answers ({where}: {first['msg']}). Is this the URL of the app?"
        ) from None


class JobPolls:
    """The calls that follow one job. `call` is the next one. An unchanged job is answered without a body."""

    def __init__(self, job_id: str) -> None:
        self._first = calls.job(job_id)
        self._job: Job | None = None
        self.call: Call[Job] = self._first

    def read(self, response: httpx.Response, content: bytes) -> tuple[Job, float]:
        """Returns the job, and the seconds until it is to be read again.

        Raises:
            Refused: the API has refused the call.
            BadAnswer: the answer is not one of the API.
        """
        if response.status_code != _UNCHANGED or self._job is None:
            self._job = read_answer(self._first, response, content, lost=False)
        if self._job is None:
            raise BadAnswer(f"{self.call.path} has no answer.")
        etag = response.headers.get("ETag")
        if etag is not None:
            headers = {**self._first.headers, "If-None-Match": etag}
            self.call = replace(self._first, headers=headers, answers_with=frozenset({_UNCHANGED}))
        return self._job, read_again_seconds(response.headers.get("Retry-After"))


def _fields_of(content: bytes) -> dict[str, Any]:
    """Returns the fields of a JSON object, or none if the content is no such object."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _problem(response: httpx.Response, content: bytes) -> Problem:
    """Returns the problem of an answer. What is no problem of the API gets a text of its own."""
    found = _fields_of(content)

    def text(name: str, default: str) -> str:
        value = found.get(name)
        return value[:_MAX_TEXT_CHARACTERS] if isinstance(value, str) and value else default

    errors = found.get("errors")
    return Problem(
        status=response.status_code,
        code=text("code", "unknown"),
        detail=text("detail", "The call was refused without a reason. Is this the URL of the app?"),
        errors=[
            FieldError(
                str(item.get("field", ""))[:_MAX_TEXT_CHARACTERS],
                str(item.get("message", ""))[:_MAX_TEXT_CHARACTERS],
            )
            for item in (errors if isinstance(errors, list) else [])[:_MAX_FIELD_ERRORS]
            if isinstance(item, dict)
        ],
        retry_after_seconds=seconds_of(response.headers.get("Retry-After")),
        correlation_id=text("correlation_id", "") or None,
        existing_id=text("existing_id", "") or None,
    )
