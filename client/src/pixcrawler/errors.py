"""The errors of the client.

```
PixCrawlerError
├── WrongUse         an argument or a file of the caller is wrong
│   └── NotConfigured    the URL or the key is missing
├── Refused          the API has refused the call
├── HubRefused       the Hugging Face Hub has refused an upload
├── Unreachable      there is no answer
├── BadAnswer        the answer is not one of the API
└── BrokenDownload   a file is not what it should be, or cannot be stored
```

Texts of the server may contain anything. `pixcrawler.plain_text` makes them safe for a terminal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class PixCrawlerError(Exception):
    """The base of all errors of the client. The text says what is wrong and what to do."""


class WrongUse(PixCrawlerError):
    """An argument or a file of the caller is wrong."""


class NotConfigured(WrongUse):
    """The URL or the key is missing."""


class Unreachable(PixCrawlerError):
    """The server did not answer, also after several attempts."""


class BadAnswer(PixCrawlerError):
    """The answer is not one of PixCrawler's API: too large, not JSON, or with other fields."""


class HubRefused(PixCrawlerError):
    """The Hugging Face Hub has refused an upload."""


class BrokenDownload(PixCrawlerError):
    """A file is not what it should be, its archive is not safe, or there is no room to store it."""


@dataclass(frozen=True)
class FieldError:
    """A problem with one field. `message` continues the sentence that `field` begins."""

    field: str
    message: str


@dataclass(frozen=True)
class Problem:
    """The problem details of an answer (RFC 9457)."""

    status: int
    code: str
    detail: str
    errors: Sequence[FieldError] = ()
    retry_after_seconds: float | None = None
    correlation_id: str | None = None
    existing_id: str | None = None


_ADVICE: Mapping[str, str] = {
    "unauthenticated": "Sign in with `pixcrawler login`, or set PIXCRAWLER_API_KEY.",
    "forbidden": "Use a key that has the scope.",
    "not_found": "Check the id. What belongs to another user is not found, either.",
    "rate_limited": "Wait, then try again.",
    "quota_exceeded": "Ask for fewer images, or wait until a job ends.",
    "internal_error": "Report it with the correlation id.",
    "not_configured": "Ask the operator of the app.",
    "unavailable": "Try again later.",
}


class Refused(PixCrawlerError):
    """The API has refused the call. `problem` has its reasons."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(_text_of(problem))
        self.problem = problem


def _text_of(problem: Problem) -> str:
    lines = [f"{problem.detail} ({problem.status} {problem.code})"]
    lines += [f"  {error.field or 'the body'} {error.message}" for error in problem.errors]
    advice = _ADVICE.get(problem.code)
    if problem.retry_after_seconds is not None:
        advice = f"Try again in {problem.retry_after_seconds:g} seconds."
    if problem.existing_id:
        advice = f"An earlier call has made {problem.existing_id}."
    if advice:
        lines.append(advice)
    if problem.correlation_id and problem.status >= 500:
        lines.append(f"Correlation id: {problem.correlation_id}")
    return "\n".join(lines)
