"""Schemas are put into words."""

import pytest

from infra.site.reference.schemas import Schemas, default_of, in_cell

SCHEMAS = Schemas(
    {
        "Job": {"type": "object", "properties": {"id": {"type": "string"}}},
        "Word": {"type": "string", "maxLength": 200},
        "State": {"enum": ["queued", "failed"], "type": "string"},
    }
)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "date-time"}, "time (RFC 3339)"),
        ({"type": "integer"}, "whole number"),
        ({"const": "openverse"}, '`"openverse"`'),
        ({"$ref": "#/components/schemas/State"}, '`"queued"`, `"failed"`'),
        ({"$ref": "#/components/schemas/Word"}, "text"),
        ({"$ref": "#/components/schemas/Job"}, "[`Job`](models.md#job)"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "number or `null`"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Word"}}, "list of text"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "object with values: whole number"),
        ({"type": "object", "additionalProperties": False}, "object"),
        ({}, "any JSON"),
    ],
)
def test_a_type_has_words(schema, words):
    assert SCHEMAS.type_of(schema) == words


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 1_000_000}, "1 to 1,000,000"),
        ({"type": "integer", "minimum": 0, "maximum": 2**63 - 1}, "at least 0"),
        ({"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]}, "at least 0"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 9}, "at most 9; more than 0"),
        ({"$ref": "#/components/schemas/Word"}, "at most 200 characters"),
        ({"type": "array", "minItems": 1, "maxItems": 20}, "1 to 20 entries"),
        ({"type": "string", "pattern": "^a|b$"}, "`^a\\|b$`"),
        ({"type": "string"}, "\N{EN DASH}"),
    ],
)
def test_limits_have_words(schema, words):
    assert SCHEMAS.limits_of(schema) == words


def test_a_default_is_written_as_json():
    assert default_of({"default": None}, required=False) == "`null`"
    assert default_of({"default": ["jpeg"]}, required=False) == '`["jpeg"]`'
    assert default_of({}, required=True) == "required"


def test_a_text_in_a_cell_is_one_line_and_does_not_end_the_cell():
    assert in_cell("a\n  b | c") == "a b \\| c"
