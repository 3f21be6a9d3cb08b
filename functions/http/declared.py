"""What is declared of an endpoint: the only place that says its route, who may call it, and what it takes and answers.

The endpoint is served by it, and the description of the API is made of it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import BaseModel

from shared.errors import AppError
from shared.users.caller import Scope

type Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

PUBLIC: Final = None
"""In place of a scope: anybody may call."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or a header that a call may have. `schema` is JSON Schema of its text."""

    description: str
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """An endpoint as it is declared.

    `answers` is, by status, the model that is answered as JSON, or another media type. `body` is the model of the body,
    if the call has one, or its name if the model is too heavy to import for a cold start. `errors` are those that this
    endpoint can end with beside the errors of every endpoint.

    `user` is the path parameter that names the user whom the call concerns, if there is one: `me`, the caller's own id
    or, if an administrator calls, any id. The endpoint takes that user from `Call.user_id`.

    Every call is answered within ten seconds: with 503 if storage does not answer in time. `when_late` then says what
    the caller should do, as the call may have taken effect. A call that takes longer may have another limit,
    `within_seconds`.
    """

    method: Method
    path: str
    answers: Mapping[int, type[BaseModel] | str]
    scope: Scope | None = Scope.READ
    user: str | None = None
    query: Mapping[str, Parameter] = field(default_factory=dict)
    headers: Mapping[str, Parameter] = field(default_factory=dict)
    body: type[BaseModel] | str | None = None
    errors: Collection[type[AppError]] = ()
    when_late: str = "Try again."
    within_seconds: float | None = None


def whole_number(description: str, least: int, most: int, default: int) -> Parameter:
    """A parameter that is a whole number."""
    return Parameter(description, {"type": "integer", "minimum": least, "maximum": most, "default": default})


PAGE: Final[Mapping[str, Parameter]] = {
    "limit": whole_number("Entries in the answer, at most.", 1, 100, 20),
    "cursor": Parameter("Where to go on: taken from `next` of the page before."),
}
"""The parameters of every list."""
