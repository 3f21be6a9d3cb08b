"""The described schema of a spec accepts what the app accepts, and knows the sources of installed packages."""

import json
from typing import Any, Literal

import pytest

from functions.http.description.document import describe
from functions.http.modules import MODULES
from shared.sources.source import SourceConfig, SourceKind
from tests.unit.documents.markdown import examples_in
from tests.unit.functions.http.description.described import DOCUMENT, flaws
from tests.unit.known_sources import KINDS

SPEC = {"$ref": "#/components/schemas/JobSpec"}
SOURCE = {"$ref": "#/components/schemas/SourceConfig"}


@pytest.mark.parametrize("document", ["docs/reference/spec.md", "docs/reference/sources.md"])
def test_documented_specs_are_valid_by_the_schema(document: str) -> None:
    for example in examples_in(document, "json"):
        assert flaws(json.loads(example.replace("…", "")), SPEC) == []


@pytest.mark.parametrize("document", ["docs/reference/lists.md", "docs/reference/websites.md"])
def test_documented_sources_are_valid_by_the_schema(document: str) -> None:
    for example in examples_in(document, "json"):
        assert flaws(json.loads(example.replace("…", "")), SOURCE) == []


@pytest.mark.parametrize(
    "spec",
    [
        {"keywords": ["x"], "unknown": 1},
        {"keywords": "x"},
        {"keywords": ["x"], "seed": -1},
        {"keywords": ["x"], "sources": [{"type": "unknown"}]},
        {"keywords": ["x"], "sources": [{"type": "openverse", "unknown": 1}]},
        {"sources": [{"type": "blobs"}]},
        {"sources": [{"type": "dataset", "id": "a", "records_blob": "of the app"}]},
        {"sources": [{"type": "openverse"}] * 51, "keywords": ["x"]},
        {"keywords": [f"x{number}" for number in range(1001)]},
        {"labels": {f"x{number}": ["x"] for number in range(1001)}},
        {"labels": {"x": [f"x{number}" for number in range(51)]}},
    ],
)
def test_a_wrong_spec_is_not_valid_by_the_schema(spec: dict[str, Any]) -> None:
    assert flaws(spec, SPEC)


def test_sources_are_told_apart_by_their_type() -> None:
    union = DOCUMENT["components"]["schemas"]["SourceConfig"]
    kinds = {name for name, kind in KINDS.items() if not kind.internal}
    assert union["discriminator"]["propertyName"] == "type"
    assert union["discriminator"]["mapping"].keys() == kinds
    assert len(union["oneOf"]) == len(kinds)
    for place in union["discriminator"]["mapping"].values():
        assert "type" in DOCUMENT["components"]["schemas"][place.rpartition("/")[2]]["required"]


def test_schemas_have_plain_names() -> None:
    """Two models of one name would be told apart by the names of their modules."""
    assert [name for name in DOCUMENT["components"]["schemas"] if not name.isalnum()] == []


class _MineConfig(SourceConfig):
    type: Literal["mine"] = "mine"
    folder: str


def test_the_kinds_of_installed_packages_are_described() -> None:
    kinds = {**KINDS, "mine": SourceKind(_MineConfig, lambda _config, _context: pytest.fail("not made"))}
    document = describe(MODULES, kinds, "1.2.3")
    spec = {"sources": [{"type": "mine", "folder": "cats"}]}
    assert flaws(spec, SPEC, document) == []
    assert flaws(spec, SPEC)
    assert flaws({"sources": [{"type": "mine"}]}, SPEC, document)
