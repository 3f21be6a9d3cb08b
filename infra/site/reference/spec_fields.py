"""Makes the page with every field of a spec."""

from collections.abc import Iterator, Mapping

from infra.site.reference.models import fields_table, table
from infra.site.reference.schemas import Schema, Schemas, default_of


def spec_page(components: Mapping[str, Schema]) -> str:
    """Returns the page with every field of a spec, in the order of the code."""
    schemas = Schemas(components, models_page="http/models.md")
    rows = [
        (
            f"`{path}`",
            _SOURCES if path == "sources" else schemas.type_of(field),
            default_of(field, required=False),
            schemas.limits_of(field),
        )
        for path, field in _flat(schemas, components["JobSpec"])
    ]
    head = ("field", "type", "default", "limits")
    sources = "\n".join(
        f"### `{kind}`\n\n{fields_table(schemas, schemas.resolved({'$ref': reference}))}"
        for kind, reference in sorted(components["SourceConfig"]["discriminator"]["mapping"].items())
    )
    return f"{_HEAD}{table(head, rows)}\n{_SOURCES_HEAD}{sources}"


_HEAD = """# Fields of a spec

Every field of a spec with its type and its limits, as the app checks them. [The spec](spec.md) says what they mean, and
which fields are checked together.

"""
_SOURCES = "list of [sources](#fields-of-the-sources)"
_SOURCES_HEAD = """## Fields of the sources

Each entry of `sources` has a `type`, and the fields of that type. [Sources](sources.md) says what they mean.

"""


def _flat(schemas: Schemas, schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    """Yields the fields of an object and of the objects in it, with their paths. `*` is any key of an object."""
    for name, field in schema["properties"].items():
        parts = [schemas.resolved(part) for part in (field, *field.get("anyOf", ()))]
        inner = next((part for part in parts if "properties" in part), None)
        if inner is None or inner is not parts[0]:
            yield prefix + name, field
        if inner is not None:
            yield from _flat(schemas, inner, f"{prefix}{name}.")
        values = field.get("additionalProperties")
        if isinstance(values, Mapping) and "properties" in (value := schemas.resolved(values)):
            yield from _flat(schemas, value, f"{prefix}{name}.*.")
