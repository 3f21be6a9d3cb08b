"""Makes a page of the calls of each part of the API."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.site.reference.models import table
from infra.site.reference.schemas import NONE, Schema, Schemas, default_of, in_cell

_OF_ALL_CALLS = frozenset({"X-Correlation-ID", "RateLimit", "RateLimit-Policy"})


class Calls:
    """Makes the pages of one description of the API."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._schemas = Schemas(document["components"]["schemas"])

    def pages(self) -> dict[str, str]:
        """Returns the page of each part by its file name, in the order of the description."""
        return {f"{_file_name(tag['name'])}.md": self._page(tag) for tag in self.document["tags"]}

    def index(self) -> str:
        """Returns the page that lists all calls."""
        places = self.places()
        sections = []
        for tag in self.document["tags"]:
            rows = [
                (f"[`{name}`]({places[name]})", in_cell(operation["summary"]), _scope(operation))
                for method, path, operation in self._operations(tag["name"])
                for name in [_signature(method, path)]
            ]
            sections.append(f"## {_title(tag['name'])}\n\n{table(('call', 'what it does', 'scope'), rows)}")
        return _INDEX_HEAD + "\n".join(sections)

    def places(self) -> dict[str, str]:
        """Returns where each call is described, by its method and path."""
        return {
            _signature(method, path): f"{_file_name(tag['name'])}.md#{operation['operationId']}"
            for tag in self.document["tags"]
            for method, path, operation in self._operations(tag["name"])
        }

    def _operations(self, tag: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    yield method, path, operation

    def _page(self, tag: Mapping[str, str]) -> str:
        purpose = tag["description"].replace("HTTP functions", "Calls", 1)
        calls = "\n".join(self._call(*operation) for operation in self._operations(tag["name"]))
        return f"# {_title(tag['name'])}\n\n{purpose}\n\n{calls}"

    def _call(self, method: str, path: str, operation: Mapping[str, Any]) -> str:
        scope = _scope(operation)
        parts = [
            f"## `{_signature(method, path)}` {{ #{operation['operationId']} }}",
            f"**{operation['summary']}.**",
            operation.get("description", ""),
            f"The key needs the scope {scope}." if scope != NONE else "It needs no key.",
            *self._parameters(operation),
            *self._body(operation),
            *self._answers(operation),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _parameters(self, operation: Mapping[str, Any]) -> Iterator[str]:
        parameters = [self._resolved(parameter) for parameter in operation.get("parameters", ())]
        rows = [
            (
                f"`{parameter['name']}`",
                str(parameter["in"]),
                self._schemas.type_of(parameter["schema"]),
                default_of(parameter["schema"], required=parameter.get("required", False)),
                self._schemas.limits_of(parameter["schema"]),
                in_cell(parameter.get("description", NONE)),
            )
            for parameter in parameters
            if parameter["name"] not in _OF_ALL_CALLS
        ]
        if rows:
            yield table(("parameter", "in", "type", "default", "limits", "meaning"), rows).rstrip()

    def _body(self, operation: Mapping[str, Any]) -> Iterator[str]:
        body = operation.get("requestBody")
        if not body:
            return
        first = next(iter(body["content"].values()))
        kinds = ", ".join(f"`{media_type}`" for media_type in body["content"])
        optional = "" if body.get("required") else " It may be left out."
        yield f"The body is {self._schemas.type_of(first['schema'])} ({kinds}).{optional}"
        if isinstance(first.get("example"), dict | list):
            yield _example("Example of a body", first["example"])

    def _answers(self, operation: Mapping[str, Any]) -> Iterator[str]:
        # problems that many calls have in common are described in one place
        own = {status: answer for status, answer in operation["responses"].items() if "$ref" not in answer}
        rows = [
            (status, self._content(answer), _headers(answer), in_cell(answer["description"]))
            for status, answer in sorted(own.items())
        ]
        yield table(("answer", "content", "headers", "meaning"), rows).rstrip()
        for status, answer in own.items():
            example = answer.get("content", {}).get("application/json", {}).get("example")
            if example is not None:
                yield _example(f"Example of {status}", example)
        shared = [
            f"{status} {' or '.join(f'`{code}`' for code in _codes(self._resolved(answer)))}"
            for status, answer in sorted(operation["responses"].items())
            if status not in own
        ]
        if shared:
            yield f"[Errors](../api.md#errors): {', '.join(shared)}."

    def _content(self, answer: Mapping[str, Any]) -> str:
        kinds = [
            self._schemas.type_of(content["schema"]) if media_type.endswith("json") else f"`{media_type}`"
            for media_type, content in answer.get("content", {}).items()
        ]
        return ", ".join(kinds) or NONE

    def _resolved(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in part:
            _, kind, name = part["$ref"].removeprefix("#/").split("/")
            part = self.document["components"][kind][name]
        return part


_INDEX_HEAD = """# All calls

Every call with its parameters, bodies and answers, made from the declarations that serve the calls. The
[HTTP API](../api.md) explains what they have in common. A call that names a scope needs a [key](../users.md#scopes)
that has it.

Each call takes the header `X-Correlation-ID`, and each answer has it. Each answer but those of health has the headers
`RateLimit` and `RateLimit-Policy`: see [limits](../limits.md). The content of each [error](../api.md#errors) is a
[`Problem`](models.md#problem).

"""


def _example(title: str, value: Schema | list[Any]) -> str:
    lines = json.dumps(value, indent=2, ensure_ascii=False).splitlines()
    text = "\n".join(f"    {line}" for line in ("```json", *lines, "```"))
    return f'??? example "{title}"\n\n{text}'


def _signature(method: str, path: str) -> str:
    return f"{method.upper()} {path}"


def _codes(answer: Mapping[str, Any]) -> Iterator[str]:
    for content in answer["content"].values():
        yield from content["examples"]


def _scope(operation: Mapping[str, Any]) -> str:
    scopes = [scope for entry in operation["security"] for names in entry.values() for scope in names]
    return ", ".join(f"`{scope}`" for scope in dict.fromkeys(scopes)) or NONE


def _headers(answer: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in answer.get("headers", ()) if name not in _OF_ALL_CALLS) or NONE


def _title(tag: str) -> str:
    return tag.capitalize()


def _file_name(tag: str) -> str:
    return tag.replace(" ", "-")
