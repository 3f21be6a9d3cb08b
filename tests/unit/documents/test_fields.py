"""The tables of fields and options have exactly those of the code, with their defaults and bounds."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel, RootModel
from pydantic_core import PydanticUndefined

from shared.jobs.spec import products, spec
from shared.jobs.submission.image_list import ImageList
from shared.sources.lists.config import UrlItem
from tests.unit.documents.markdown import codes_in, rows_of, section_of, text_of
from tests.unit.known_sources import KINDS, parse_spec

NONE = "\N{EN DASH}"
OF_THE_APP = {"records_blob", "type"}
SECTIONS = {
    "urls": ("docs/reference/lists.md", "Options"),
    "website": ("docs/reference/websites.md", "Websites"),
}


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Returns the model in a field's type, or None for a field without parts."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, RootModel):
            return kind
    return None


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Returns the fields of a model and of its parts: their paths, defaults as JSON, and schemas.

    In a path, `*` is any key of an object whose values have the fields.
    """
    schema = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        part = model_in(field.annotation)
        default = field.get_default(call_default_factory=True)
        by_name = get_origin(field.annotation) is dict
        if part is None or default is None or by_name:
            required = default is PydanticUndefined
            yield prefix + name, NONE if required else as_json(default), schema.get(name, {})
        if part is not None:
            yield from fields_of(part, f"{prefix}{name}.{'*.' if by_name else ''}")


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value.model_dump() if isinstance(value, BaseModel) else value))


def documented(rows: list[list[str]]) -> dict[str, tuple[Any, str]]:
    """Returns the default in each field's row, and the rest of the row."""
    found: dict[str, tuple[Any, str]] = {}
    for field, default, *more in rows:
        for name in codes_in(field):
            found[name] = (NONE if default == NONE else json.loads(default.strip("`")), " ".join(more))
    return found


def bounds_in(schema: Mapping[str, Any]) -> list[str]:
    """Returns the bounds of a number, as tables write them."""
    parts = [schema, *schema.get("anyOf", [])]
    return [
        f"{part['minimum']:,.0f} to {part['maximum']:,.0f}"
        for part in parts
        if {"minimum", "maximum"} <= part.keys() and part["maximum"] < 2**63 - 1
    ]


def compare(found: Mapping[str, tuple[Any, str]], fields: list[tuple[str, Any, Mapping[str, Any]]]) -> None:
    assert {name: default for name, (default, _) in found.items()} == {
        name: default for name, default, _ in fields
    }
    for name, _, schema in fields:
        assert all(bounds in found[name][1] for bounds in bounds_in(schema)), name


def test_the_specs_table_has_every_field_with_its_default_and_its_bounds() -> None:
    found = documented(rows_of(text_of("docs/reference/spec.md")))
    fields = {name: (name, default, schema) for name, default, schema in fields_of(spec.JobSpec)}
    effective = as_json(
        [config.model_dump(exclude_unset=True) for config in parse_spec({"keywords": ["a"]}).sources]
    )
    fields["sources"] = ("sources", effective, {})
    for words in ("labels", "keywords"):
        fields[words] = (words, NONE, {})
    compare(found, list(fields.values()))


def test_the_specs_page_has_the_limits_of_the_code() -> None:
    text = section_of("docs/reference/spec.md", "Limits")
    numbers = (
        products.MAX_SEARCHES,
        products.MAX_ITEMS,
        products.MAX_PAGES,
        spec._MAX_LABELS,
        spec._MAX_KEYWORDS,
        spec._MAX_SOURCES,
    )
    assert [number for number in numbers if not re.search(rf"\b{number:,}\b", text)] == []
    assert f"{spec.MAX_SPEC_BYTES // 1_000_000} MB" in text
    assert str(spec._SEARCH_LIMIT) in section_of("docs/reference/spec.md", "What to collect")


def test_the_table_of_sources_has_every_kind_that_a_spec_may_name() -> None:
    section = text_of("docs/reference/sources.md").partition("## ")[0]
    found = {codes_in(row[0])[0]: row[2] for row in rows_of(section)}
    assert found.keys() == {name for name, kind in KINDS.items() if not kind.internal}
    for name, needs in found.items():
        assert codes_in(needs) == [setting for setting in [KINDS[name].missing()] if setting], name


@pytest.mark.parametrize("name", sorted(name for name, kind in KINDS.items() if not kind.internal))
def test_a_sources_table_has_every_option_with_its_default_and_its_bounds(name: str) -> None:
    document, heading = SECTIONS.get(name, ("docs/reference/sources.md", name))
    found = documented(rows_of(section_of(document, heading)))
    compare(found, [field for field in fields_of(KINDS[name].config) if field[0] not in OF_THE_APP])


def test_the_table_of_a_lists_fields_has_those_of_its_items() -> None:
    found = [
        name for row in rows_of(section_of("docs/reference/lists.md", "Fields")) for name in codes_in(row[0])
    ]
    assert sorted(found) == sorted(UrlItem.model_fields)


def test_the_table_of_stored_images_has_the_fields_of_the_message() -> None:
    found = documented(rows_of(text_of("docs/reference/queues.md").replace("| a new id |", "| `null` |")))
    compare(found, [(name, default, {}) for name, default, _ in fields_of(ImageList)])
