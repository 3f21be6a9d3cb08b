"""Puts JSON schemas into words: the type of a value, its limits, its default."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

type Schema = Mapping[str, Any]

NONE: Final = "\N{EN DASH}"
MODELS_PAGE: Final = "models.md"
_FORMATS = {"date-time": "time (RFC 3339)", "uri": "URL", "uri-reference": "path", "binary": "bytes"}
_TYPES = {
    "array": "list",
    "boolean": "`true`, `false`",
    "integer": "whole number",
    "null": "`null`",
    "number": "number",
    "object": "object",
    "string": "text",
}
# a bound above it is that of the machine's numbers
_LARGEST_BOUND = 2**53


class Schemas:
    """Describes the schemas of one document. Objects with names are linked to their place on the page of models."""

    def __init__(self, components: Mapping[str, Schema], models_page: str = MODELS_PAGE) -> None:
        """`models_page` is the path of the page of models, relative to the page with the descriptions."""
        self._components = components
        self._models_page = models_page

    def is_model(self, name: str) -> bool:
        """Says whether a schema has a place of its own on the page of models, because it is an object with fields."""
        return "properties" in self._components[name]

    def resolved(self, schema: Schema) -> Schema:
        """Returns the schema to which references lead, with what is said beside them."""
        while "$ref" in schema:
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._components[_name_in(schema["$ref"])], **beside}
        return schema

    def type_of(self, schema: Schema) -> str:
        """Returns the type of a value in words."""
        if "$ref" in schema:
            name = _name_in(schema["$ref"])
            if self.is_model(name):
                return f"[`{name}`]({self._models_page}#{name.lower()})"
        schema = self.resolved(schema)
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return " or ".join(dict.fromkeys(self.type_of(choice) for choice in choices))
        if words := schema.get("enum", [schema["const"]] if "const" in schema else None):
            return ", ".join(_code(word) for word in words)
        if schema.get("items"):
            return f"list of {self.type_of(schema['items'])}"
        if isinstance(schema.get("additionalProperties"), Mapping):
            return f"object with values: {self.type_of(schema['additionalProperties'])}"
        return _FORMATS.get(schema.get("format", "")) or _TYPES.get(schema.get("type", ""), "any JSON")

    def limits_of(self, schema: Schema) -> str:
        """Returns the limits of a value in words, or a dash without any."""
        return "; ".join(dict.fromkeys(self._limits(schema))) or NONE

    def _limits(self, schema: Schema) -> Iterator[str]:
        schema = self.resolved(schema)
        for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            if "properties" not in self.resolved(choice):
                yield from self._limits(choice)
        for kind, unit in (
            ("imum", ""),
            ("Length", " characters"),
            ("Items", " entries"),
            ("Properties", " entries"),
        ):
            yield from _bounds(schema.get(f"min{kind}"), schema.get(f"max{kind}"), unit)
        if "exclusiveMinimum" in schema:
            yield f"more than {schema['exclusiveMinimum']:,}"
        if "pattern" in schema:
            yield f"`{schema['pattern']}`".replace("|", "\\|")


def default_of(schema: Schema, *, required: bool) -> str:
    """Returns the default of a field as code, or whether the field is required."""
    if required:
        return "required"
    return _code(schema["default"]) if "default" in schema else NONE


def in_cell(text: str) -> str:
    """Returns a text as a cell of a table has it: in one line."""
    return " ".join(text.split()).replace("|", "\\|")


def _name_in(reference: str) -> str:
    return reference.rpartition("/")[2]


def _code(value: object) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _bounds(least: float | None, most: float | None, unit: str) -> Iterator[str]:
    if most is not None and most > _LARGEST_BOUND:
        most = None
    if least is not None and most is not None:
        yield f"{least:,} to {most:,}{unit}"
    elif least is not None:
        yield f"at least {least:,}{unit}"
    elif most is not None:
        yield f"at most {most:,}{unit}"
