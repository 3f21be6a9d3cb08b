"""Makes the page with all objects that the API takes and answers, and the tables of their fields."""

from collections.abc import Mapping, Sequence

from infra.site.reference.schemas import NONE, Schema, Schemas, default_of, in_cell

_HEAD = """# Objects of the API

The bodies and answers of [all calls](index.md), by their names in the API's description. An answer has all of its
fields. A body may leave out each field that is not required, and must have no other fields.

"""


def models_page(components: Mapping[str, Schema]) -> str:
    """Returns the page: a section for each object with fields."""
    schemas = Schemas(components, models_page="")
    return _HEAD + "\n".join(
        f"## `{name}` {{ #{name.lower()} }}\n\n{_purpose(schema)}{fields_table(schemas, schema)}"
        for name, schema in sorted(components.items())
        if schemas.is_model(name)
    )


def fields_table(schemas: Schemas, schema: Schema) -> str:
    """Returns a table of an object's fields, without columns that have no content."""
    required = schema.get("required", ())
    # an object that refuses other fields is a body, or a part of one
    is_body = schema.get("additionalProperties") is False
    rows = [
        (
            f"`{name}`",
            schemas.type_of(field),
            default_of(field, required=is_body and name in required),
            schemas.limits_of(field),
            in_cell(field.get("description", NONE)),
        )
        for name, field in schema["properties"].items()
    ]
    return table(("field", "type", "default", "limits", "meaning"), rows)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Returns a table without the columns that have no content."""
    used = [at for at in range(len(head)) if any(row[at] != NONE for row in rows)]
    lines = [head, *rows]
    cells = [f"| {' | '.join(line[at] for at in used)} |\n" for line in lines]
    return "".join((cells[0], f"|{'---|' * len(used)}\n", *cells[1:]))


def _purpose(schema: Schema) -> str:
    text = schema.get("description", "")
    return f"{text}\n\n" if text else ""
