"""Defines the declaration of an endpoint: its route, who may call it, its input and its answers.

The endpoint is served by its declaration, and the description of the API is made from it. Nothing else says these
things.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from shared.errors import (
    AppError,
    Forbidden,
    InvalidRequest,
    NotConfigured,
    Permanent,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from shared.users.caller import Scope

type Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

PUBLIC: Final = None
"""In place of a scope: anybody may call."""


_ERRORS_OF_ALL: Final = (InvalidRequest, Unavailable)
# identifying a caller reads storage, whose data may be damaged and whose settings may be missing
_ERRORS_WITH_KEY: Final = (Unauthenticated, Forbidden, NotConfigured, Permanent)


class Model(BaseModel):
    """The base of what bodies and answers look like. Pydantic builds a model at its first use, not at a cold start."""

    model_config = ConfigDict(defer_build=True)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the path, a query parameter or a header. `schema` is JSON Schema of its text."""

    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


_ETAG: Final = {"ETag": Parameter("The version of the answer, for `If-None-Match`.", required=True)}
_IF_NONE_MATCH: Final = {"If-None-Match": Parameter("Versions that the caller has: 304 if one is current.")}


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of an endpoint.

    `body` is the model that is answered as JSON, a media type, or None if the answer has no body. The same content may
    be answered as another media type, `other_media_type`, if the call asks for it. `headers` are those that only this
    answer may have.
    """

    body: type[BaseModel] | str | None
    description: str = ""
    headers: Mapping[str, Parameter] = field(default_factory=dict)
    other_media_type: str | None = None
    example: object = None


@dataclass(frozen=True, slots=True)
class Declared:
    """An endpoint as it is declared.

    `in_path` describes parts of the path that are no plain ids.

    `answers` has the answers by status; a model or a media type stands for a reply that has nothing else. `body` is the
    model of the body, if the call has one, or its module and name if it is too heavy to import for a cold start.
    `example` is an example of the body. Instead of a model, a body may be bytes of one of `media_types`. `errors` are
    those that this endpoint can end with beside the errors of every endpoint. `optional_key` says that a public
    endpoint answers more to a caller with a key.

    An endpoint that is not `is_counted` has no rate limit: a probe of health, or a small file of a page. The calls of
    an endpoint that `answers_image` have limits of their own, as a page shows many images. The answer of an endpoint
    that `revalidates` has an ETag, and `If-None-Match` saves callers to read it again.

    `user` is the path parameter that names the user whom the call concerns, if there is one: `me`, the caller's own id
    or, if an administrator calls, any id. The endpoint takes that user from `Call.user_id`.

    Every call is answered within ten seconds: with 503 if storage does not answer in time. `when_late` then says what
    the caller should do, as the call may have taken effect. A call that takes longer may have another limit,
    `within_seconds`.
    """

    method: Method
    path: str
    answers: Mapping[int, Reply | type[BaseModel] | str]
    scope: Scope | None = Scope.READ
    user: str | None = None
    in_path: Mapping[str, Parameter] = field(default_factory=dict)
    is_counted: bool = True
    answers_image: bool = False
    revalidates: bool = False
    query: Mapping[str, Parameter] = field(default_factory=dict)
    headers: Mapping[str, Parameter] = field(default_factory=dict)
    body: type[BaseModel] | str | None = None
    example: object = None
    media_types: Collection[str] = ()
    errors: Collection[type[AppError]] = ()
    when_late: str = "Try again."
    within_seconds: float | None = None
    optional_key: bool = False

    @property
    def replies(self) -> Mapping[int, Reply]:
        """The answers by status, each as a reply."""
        found = {
            status: answer if isinstance(answer, Reply) else Reply(answer)
            for status, answer in self.answers.items()
        }
        if not self.revalidates:
            return found
        tagged = {
            status: replace(reply, headers={**reply.headers, **_ETAG}) for status, reply in found.items()
        }
        return {**tagged, 304: Reply(None, "Nothing has changed.", tagged[200].headers)}

    @property
    def all_headers(self) -> Mapping[str, Parameter]:
        """The headers that a call may have, with those of every endpoint of its kind."""
        return {**self.headers, **_IF_NONE_MATCH} if self.revalidates else self.headers

    @property
    def all_errors(self) -> Collection[type[AppError]]:
        """The errors that this endpoint can end with, with those of every endpoint, without repetitions."""
        common = _ERRORS_OF_ALL if self.scope is PUBLIC else (*_ERRORS_OF_ALL, *_ERRORS_WITH_KEY)
        limits = (RateLimited,) if self.is_counted else ()
        return dict.fromkeys((*common, *limits, *self.errors))


def true_or_false(description: str) -> Parameter:
    """A parameter that is `true` or `false`, which is the default."""
    return Parameter(description, {"type": "string", "enum": ["true", "false"], "default": "false"})


def whole_number(description: str, least: int, most: int, default: int) -> Parameter:
    """A parameter that is a whole number."""
    return Parameter(description, {"type": "integer", "minimum": least, "maximum": most, "default": default})


PAGE: Final[Mapping[str, Parameter]] = {
    "limit": whole_number("Entries in the answer, at most.", 1, 100, 20),
    "cursor": Parameter("Where to go on: taken from `next` of the page before."),
}
"""The parameters of every list."""

READ_AGAIN: Final[Mapping[str, Parameter]] = {
    "Retry-After": Parameter(
        "After how many seconds to read the job again, while it has not ended.",
        {"type": "integer", "minimum": 1},
    ),
}
"""The header of an answer with a job that may not have ended."""

MAX_IDEMPOTENCY_KEY: Final = 255
"""How many characters an Idempotency-Key has at most."""


def idempotency_key(description: str) -> Mapping[str, Parameter]:
    """The header by which a repeated call is recognised."""
    schema = {"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY, "pattern": "^[ -~]+$"}
    return {"Idempotency-Key": Parameter(description, schema)}


REPLAYED: Final[Mapping[str, Parameter]] = {
    "Idempotency-Replayed": Parameter("Present on this answer.", {"const": "true"}),
}
"""The header of an answer to a repeated call."""

LOCATION: Final[Mapping[str, Parameter]] = {
    "Location": Parameter(
        "The path of what the answer describes.", {"type": "string", "format": "uri-reference"}
    ),
}
"""The header of an answer that has made something."""
