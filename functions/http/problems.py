"""Turns the app's errors into HTTP answers with problem details (RFC 9457)."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import azure.functions as func

from functions.http.declared import Model
from shared import errors


class MethodNotAllowed(errors.AppError):
    """The path does not have the method of the call. `allowed` are the methods that it has."""

    def __init__(self, detail: str, allowed: Sequence[str]) -> None:
        super().__init__(detail)
        self.allowed = allowed


_TABLE: tuple[tuple[type[errors.AppError], int, str, str], ...] = (
    (errors.InvalidRequest, 400, "invalid_request", "The request is not valid"),
    (errors.Unauthenticated, 401, "unauthenticated", "A valid API key is needed"),
    (errors.Forbidden, 403, "forbidden", "The API key does not allow it"),
    (errors.NotFound, 404, "not_found", "Not found"),
    (MethodNotAllowed, 405, "method_not_allowed", "The path does not have this method"),
    (errors.Conflict, 409, "conflict", "The state does not allow it"),
    (errors.RateLimited, 429, "rate_limited", "Too many requests"),
    (errors.QuotaExceeded, 429, "quota_exceeded", "Your tier leaves no room for it"),
    (errors.Retryable, 503, "unavailable", "Temporarily unavailable"),
    (errors.NotConfigured, 503, "not_configured", "The app is not set up for it"),
    (errors.Permanent, 422, "not_possible", "Not possible"),
)
"""The status, code and title of each error. The first row whose class matches applies, also to subclasses."""

_RETRY_AFTER_SECONDS = 5
UNEXPECTED: Final = (500, "internal_error", "Something went wrong")
"""The status, code and title of the problem for all other exceptions."""


class FieldProblem(Model):
    """The error of one field of the input. `message` continues the sentence that `field` begins."""

    field: str
    message: str


class Problem(Model):
    """Problem details (RFC 9457) with further members.

    `limit`, `used` and `resets_at` are those of a quota that leaves no room. `resets_at` is absent if room comes when
    jobs end. `existing_id` is the id of what an earlier call with the same `Idempotency-Key` has made.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] | None = None
    limit: int | None = None
    used: int | None = None
    resets_at: datetime | None = None
    existing_id: str | None = None
    correlation_id: str | None = None


def problem_of(error: type[errors.AppError]) -> tuple[int, str, str]:
    """Returns the status, code and title of an error's problem."""
    return next((row[1:] for row in _TABLE if issubclass(error, row[0])), UNEXPECTED)


def describe(error: Exception, correlation_id: str | None = None) -> Problem:
    """Returns the problem details of an error. They never have the text of an error other than `AppError`."""
    status, code, title = UNEXPECTED
    detail = "The error was recorded. Name the correlation id when you report it."
    if isinstance(error, errors.AppError):
        status, code, title = problem_of(type(error))
        detail = error.detail
    quota = error if isinstance(error, errors.QuotaExceeded) else None
    fields = None
    if isinstance(error, errors.InvalidRequest) and error.fields:
        fields = [FieldProblem(field=item.field, message=item.message) for item in error.fields]
    return Problem(
        type=f"urn:pixcrawler:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        errors=fields,
        limit=quota.limit if quota else None,
        used=quota.used if quota else None,
        resets_at=quota.resets_at if quota else None,
        existing_id=error.existing_id if isinstance(error, errors.AlreadyMade) else None,
        correlation_id=correlation_id,
    )


def problem_response(error: Exception, correlation_id: str) -> func.HttpResponse:
    """Returns the answer for an error."""
    problem = describe(error, correlation_id)
    return func.HttpResponse(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        mimetype="application/problem+json",
        headers=_headers(error),
    )


def _headers(error: Exception) -> dict[str, str]:
    match error:
        case errors.Unauthenticated():
            return {"WWW-Authenticate": 'ApiKey realm="PixCrawler", header="X-API-Key"'}
        case MethodNotAllowed():
            return {"Allow": ", ".join(error.allowed)}
        case errors.RateLimited():
            return {"Retry-After": str(max(1, math.ceil(error.retry_after_seconds)))}
        case errors.QuotaExceeded(retry_after_seconds=float() as seconds):
            return {"Retry-After": str(max(1, math.ceil(seconds)))}
        case errors.Retryable():
            return {"Retry-After": str(_RETRY_AFTER_SECONDS)}
        case _:
            return {}
