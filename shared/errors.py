"""The errors that modules of the app raise for each other.

```
AppError
├── InvalidRequest        the caller's input is wrong; names the fields
├── Unauthenticated       the API key is missing or not known
├── NotFound              what the caller asks for does not exist
├── Conflict              the current state does not allow the call
│   ├── AlreadyExists     a conditional create found an existing row or blob
│   ├── AlreadyMade       an earlier call with the same Idempotency-Key has made it; names it
│   └── Changed           a compare-and-swap found a newer version
├── Forbidden             the caller is known, and its key does not allow this
├── RateLimited           too many calls; says when to try again
├── QuotaExceeded         the user's tier leaves no room for it; says the limit, the use and when that resets
├── Retryable             transient: the host delivers the message again
│   └── Unavailable       a service that the app depends on did not answer
├── NotConfigured         the app lacks a setting or a role; says what its operator has to do
└── Permanent             not transient: the job fails, the message is acknowledged
    └── Damaged           data that the app has stored is gone or cannot be read; names it
```

A bad image is not an error: it becomes a rejection with a reason (`shared.records.records`).
The text of an `AppError` is written for the caller; the text of any other exception never leaves the app.
"""

from dataclasses import dataclass
from datetime import datetime


class AppError(Exception):
    """The base of all errors that the app raises on purpose. `detail` may be shown to the caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class FieldError:
    """The error of one field. `field` is its path in the input, such as `sources.0.items.3.url`.

    `message` continues the sentence that `field` begins, such as "must be a whole number".
    """

    field: str
    message: str


class InvalidRequest(AppError):
    """The input is wrong. `fields` are the errors of its fields, and may be empty."""

    def __init__(self, detail: str, fields: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.fields = fields


class Unauthenticated(AppError):
    """The call has no API key, or an unknown one."""


class Forbidden(AppError):
    """The caller is known, and its key does not allow what was asked."""


class NotFound(AppError):
    """What the caller asks for does not exist, or belongs to another user."""


class Conflict(AppError):
    """The current state of a job or a dataset does not allow the call."""


class AlreadyExists(Conflict):
    """A conditional create found an existing row or blob of that name."""


class AlreadyMade(Conflict):
    """An earlier call with the same Idempotency-Key has made `existing_id`, and its answer cannot be given again."""

    def __init__(self, detail: str, existing_id: str) -> None:
        super().__init__(detail)
        self.existing_id = existing_id


class Changed(Conflict):
    """A compare-and-swap found a newer version than the one that was read."""


class RateLimited(AppError):
    """The caller made too many calls. It may try again after `retry_after_seconds`."""

    def __init__(self, detail: str, retry_after_seconds: float) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class QuotaExceeded(AppError):
    """The user's tier does not leave enough. There is room again at `resets_at`, or as jobs end if that is None."""

    def __init__(
        self,
        detail: str,
        *,
        limit: int,
        used: int,
        resets_at: datetime | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.limit = limit
        self.used = used
        self.resets_at = resets_at
        self.retry_after_seconds = retry_after_seconds


class Retryable(AppError):
    """A transient error. It propagates out of the function, and the host delivers the message again."""


class Unavailable(Retryable):
    """A service that the app depends on did not answer, or is busy."""


class NotConfigured(AppError):
    """The app lacks a setting or a role. The text says to its operator which one."""


class Permanent(AppError):
    """Another try would fail, too. The job fails, and the message is acknowledged."""


class Damaged(Permanent):
    """Data that the app itself has stored is gone or cannot be read. The text names the data."""
