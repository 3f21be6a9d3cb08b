"""The description of the API, and how to judge values by its schemas."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from functions.http.description.document import describe
from functions.http.modules import MODULES
from tests.unit.known_sources import KINDS

_PLACE = "urn:description"
DOCUMENT = describe(MODULES, KINDS, "1.2.3")


def operations(document: Mapping[str, Any] = DOCUMENT) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yields the method, the path and the content of each operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def resolved(part: dict[str, Any], document: Mapping[str, Any] = DOCUMENT) -> dict[str, Any]:
    """Returns what a part refers to, or the part itself if it is no reference."""
    found: Any = part
    while "$ref" in found:
        name = found["$ref"]
        found = document
        for key in name.removeprefix("#/").split("/"):
            found = found[key]
    return dict(found)


def flaws(
    value: object, schema: Mapping[str, Any], document: Mapping[str, Any] = DOCUMENT
) -> list[tuple[str, str]]:
    """Returns where and why a value is not valid by a schema of the document."""
    resource: Resource[Any] = Resource.from_contents(document, default_specification=DRAFT202012)
    registry = Registry().with_resource(_PLACE, resource)
    rooted = _rooted(schema)
    validator = Draft202012Validator(rooted, registry=registry)
    return [(error.json_path, error.message) for error in validator.iter_errors(value)]


def _rooted(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the schema with references into the document."""
    place = schema.get("$ref", "")
    return {"$ref": _PLACE + place} if place else dict(schema)
