"""Every error that crosses a module of the app.

```
AppError
├── InvalidRequest        the caller's input is wrong; carries the fields
├── Unauthenticated       no key, or one that nobody holds
├── NotFound              no such thing for this caller
├── Conflict              the thing's state does not allow it
│   ├── AlreadyExists     a conditional create met an existing thing
│   └── Changed           a compare-and-swap met a newer version
├── Forbidden             the caller is known, and its key does not allow this
├── RateLimited           too many calls; says when to come back
├── QuotaExceeded         the user's tier leaves no room for it; says the limit, the use and when that resets
├── Retryable             transient: the host redelivers the message
│   └── Unavailable       a service that we depend on did not answer
├── NotConfigured         the app is not set up for it; says what its operator has to do
└── Permanent             not transient: the job fails, the message is acknowledged
    └── Damaged           what the app itself has stored is gone or cannot be read; says what
```

A bad image is none of these: it is a rejection with a reason (`shared.records.records`).
The text of an `AppError` is written for the caller; the text of any other exception never leaves the app.
"""

from dataclasses import dataclass
from datetime import datetime


class AppError(Exception):
    """Base of all errors that the app raises on purpose; `detail` may be shown to the caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `field` is its path in the input, such as `sources.0.items.3.url`."""

    field: str
    message: str


class InvalidRequest(AppError):
    """The input is wrong; `fields` names what and where."""

    def __init__(self, detail: str, fields: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.fields = fields


class Unauthenticated(AppError):
    """The call carries no API key, or one that nobody holds."""


class Forbidden(AppError):
    """The caller is known, and its key does not allow what was asked."""


class NotFound(AppError):
    """There is no such thing for this caller."""


class Conflict(AppError):
    """The state of the thing does not allow what was asked."""


class AlreadyExists(Conflict):
    """A conditional create met a thing of that name."""


class Changed(Conflict):
    """A compare-and-swap met a newer version than the one that was read."""


class RateLimited(AppError):
    """The caller exceeded its rate; it may come back after `retry_after_seconds`."""

    def __init__(self, detail: str, retry_after_seconds: float) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class QuotaExceeded(AppError):
    """The user's tier does not leave enough; `resets_at` is None if room comes as jobs end."""

    def __init__(self, detail: str, *, limit: int, used: int, resets_at: datetime | None) -> None:
        super().__init__(detail)
        self.limit = limit
        self.used = used
        self.resets_at = resets_at


class Retryable(AppError):
    """May pass when tried again: let it propagate, and the host redelivers the message."""


class Unavailable(Retryable):
    """A service that the app depends on did not answer, or answered that it is busy."""


class NotConfigured(AppError):
    """The app lacks a setting or a role that this needs; the text tells its operator which."""


class Permanent(AppError):
    """Another try would fail, too: the job fails and the message is acknowledged."""


class Damaged(Permanent):
    """Something that the app itself has stored is gone or cannot be read; the text names it."""
