"""Describes endpoints as operations of OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html#operation-object)."""

import importlib
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel

from functions.http.declared import PUBLIC, Declared, Parameter, Reply
from functions.http.description.problems import HEADERS_OF_ALL, Problems
from functions.http.description.schemas import Schemas
from functions.http.description.texts import sentences
from functions.http.endpoint import Endpoints, Handler
from shared.ids import ID_PATTERN
from shared.users.sign_in import SCOPES as SIGN_IN_SCOPES

KEY_SCHEME: Final = "ApiKey"
SIGN_IN_SCHEME: Final = "SignIn"

_IN_PATH = re.compile(r"\{(\w+)\}")
_ID = Parameter(
    "Up to 64 letters, digits, `-` and `_`, beginning with a letter or digit.",
    {"type": "string", "pattern": f"^{ID_PATTERN}$"},
)
_CORRELATION_ID = {"$ref": "#/components/parameters/X-Correlation-ID"}


def body_model(declared: Declared) -> type[BaseModel] | None:
    """Returns the model of an endpoint's body, and imports it if it is declared by its name."""
    if not isinstance(declared.body, str):
        return declared.body
    module, _, name = declared.body.rpartition(".")
    model: type[BaseModel] = getattr(importlib.import_module(module), name)
    return model


def reply_models(declared: Declared) -> Iterator[type[BaseModel]]:
    """Yields the models of an endpoint's answers."""
    for reply in declared.replies.values():
        if isinstance(reply.body, type):
            yield reply.body


class Operations:
    """Describes endpoints, with references to schemas and problems.

    If the app `has_sign_in`, those who have signed in may call without a key.
    """

    def __init__(self, schemas: Schemas, problems: Problems, *, has_sign_in: bool) -> None:
        self._has_sign_in = has_sign_in
        self._schemas = schemas
        self._problems = problems

    def paths(self, module: Endpoints, tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yields the path, the method and the operation of each endpoint of a module."""
        for name, declared in module.declared.items():
            operation = self._operation(module.handlers[name], declared)
            yield f"/{declared.path}", declared.method.lower(), {"tags": [tag], **operation}

    def _operation(self, handler: Handler, declared: Declared) -> dict[str, Any]:
        summary, rest = sentences(handler.__doc__)
        body = body_model(declared)
        return {
            "operationId": handler.__name__,
            "summary": summary.removesuffix("."),
            **({"description": rest} if rest else {}),
            "parameters": list(_parameters(declared)),
            **({"requestBody": self._body(body, declared.example)} if body else {}),
            **({"requestBody": _bytes(declared)} if declared.media_types else {}),
            "responses": self._responses(declared),
            "security": self._security(declared),
        }

    def _security(self, declared: Declared) -> list[Mapping[str, list[str]]]:
        """Returns the alternatives of a call: an empty one is a call without a key."""
        if declared.scope is PUBLIC:
            return [{}, {KEY_SCHEME: []}] if declared.optional_key else []
        with_key: Mapping[str, list[str]] = {KEY_SCHEME: [declared.scope]}
        if self._has_sign_in and declared.scope in SIGN_IN_SCOPES:
            return [with_key, {SIGN_IN_SCHEME: []}]
        return [with_key]

    def _body(self, model: type[BaseModel], example: object) -> dict[str, Any]:
        schema = self._schemas.place(model, "validation")
        return {"required": True, "content": {"application/json": _content(schema, example)}}

    def _responses(self, declared: Declared) -> dict[str, Any]:
        found = {status: self._reply(status, reply) for status, reply in declared.replies.items()}
        for status, problem in self._problems.responses(declared.all_errors):
            if status in found:
                # an endpoint's own answer may have the status of a problem
                name = problem["$ref"].rpartition("/")[2]
                _add(found[status], self._problems.components[name])
            else:
                found[status] = dict(problem)
        return {str(status): found[status] for status in sorted(found)}

    def _reply(self, status: int, reply: Reply) -> dict[str, Any]:
        headers = {name: _header(header) for name, header in reply.headers.items()}
        content = {}
        if isinstance(reply.body, str):
            content[reply.body] = _content(_schema_of(reply.body), reply.example)
        elif reply.body is not None:
            schema = self._schemas.place(reply.body, "serialization")
            content["application/json"] = _content(schema, reply.example)
        if reply.other_media_type is not None:
            content[reply.other_media_type] = _content(_schema_of(reply.other_media_type), None)
        return {
            "description": reply.description or HTTPStatus(status).phrase,
            "headers": {**HEADERS_OF_ALL, **headers},
            **({"content": content} if content else {}),
        }


def _bytes(declared: Declared) -> dict[str, Any]:
    schema = {"type": "string", "format": "binary"}
    return {"content": {each: _content(schema, declared.example) for each in declared.media_types}}


def _parameters(declared: Declared) -> Iterator[dict[str, Any]]:
    for name in _IN_PATH.findall(declared.path):
        yield {"name": name, "in": "path", "required": True, **_shape(declared.in_path.get(name, _ID))}
    for name, parameter in declared.query.items():
        yield {"name": name, "in": "query", "required": parameter.required, **_shape(parameter)}
    for name, parameter in declared.all_headers.items():
        yield {"name": name, "in": "header", **_shape(parameter)}
    yield _CORRELATION_ID


def _shape(parameter: Parameter) -> dict[str, Any]:
    return {"description": parameter.description, "schema": parameter.schema}


def _header(parameter: Parameter) -> dict[str, Any]:
    return _shape(parameter)


def _schema_of(media_type: str) -> Mapping[str, Any]:
    return {"type": "object"} if media_type == "application/json" else {"type": "string"}


def _content(schema: Mapping[str, Any], example: object) -> dict[str, Any]:
    return {"schema": schema, **({"example": example} if example is not None else {})}


def _add(response: dict[str, Any], problem: Mapping[str, Any]) -> None:
    response["description"] += f" Or a problem: {problem['description']}"
    response["headers"] = problem["headers"] | response["headers"]
    response["content"] = response.get("content", {}) | problem["content"]
