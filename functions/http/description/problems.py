"""Describes the problems that endpoints can end with."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.http.description.texts import first_sentence
from functions.http.problems import UNEXPECTED, problem_of
from shared.errors import AppError, RateLimited, Retryable, Unauthenticated

PROBLEM_JSON: Final = "application/problem+json"

HEADERS_OF_ALL: Final = {
    name: {"$ref": f"#/components/headers/{name}"}
    for name in ("X-Correlation-ID", "RateLimit", "RateLimit-Policy")
}
"""The headers of every answer."""

_HEADERS: Mapping[type[AppError], str] = {
    Unauthenticated: "WWW-Authenticate",
    RateLimited: "Retry-After",
    Retryable: "Retry-After",
}
_DEFECT = "A defect of the app. Report it with the correlation id."


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of problem: its code and title, what it means, and the header that comes with it."""

    code: str
    title: str
    meaning: str
    header: str | None


class Problems:
    """The responses with problems: each combination of kinds that an endpoint answers with one status has a name."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self.components: dict[str, Any] = {}

    def responses(self, errors: Collection[type[AppError]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yields the status and the response of all problems that come of the errors."""
        kinds: dict[int, dict[str, _Kind]] = {}
        for error in errors:
            status, code, title = problem_of(error)
            header = next((name for kind, name in _HEADERS.items() if issubclass(error, kind)), None)
            meaning = first_sentence(error.__doc__)
            kinds.setdefault(status, {})[code] = _Kind(code, title, meaning, header)
        status, code, title = UNEXPECTED
        kinds[status] = {code: _Kind(code, title, _DEFECT, None)}
        for status in sorted(kinds):
            found = sorted(kinds[status].values(), key=lambda kind: kind.code)
            name = "-".join(kind.code for kind in found)
            self.components[name] = self._response(status, found)
            yield status, {"$ref": f"#/components/responses/{name}"}

    def _response(self, status: int, kinds: Collection[_Kind]) -> dict[str, Any]:
        headers = {
            kind.header: {"$ref": f"#/components/headers/{kind.header}"} for kind in kinds if kind.header
        }
        return {
            "description": " ".join(f"`{kind.code}`: {kind.meaning}" for kind in kinds),
            "headers": {**HEADERS_OF_ALL, **headers},
            "content": {
                PROBLEM_JSON: {
                    "schema": self._schema,
                    "examples": {kind.code: {"value": _example(status, kind)} for kind in kinds},
                }
            },
        }


def _example(status: int, kind: _Kind) -> dict[str, Any]:
    return {
        "type": f"urn:pixcrawler:problem:{kind.code}",
        "title": kind.title,
        "status": status,
        "detail": kind.meaning,
        "code": kind.code,
        "correlation_id": "f9a3295914b24d0edf12649a9a113bc3",
    }
