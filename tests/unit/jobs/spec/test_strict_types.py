"""Values of a spec are not converted: a text is no number, and a number is no boolean."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from shared.archiving.options import Dedup, Output, Splits
from shared.crawling.options import Filters, Resize, Transform
from shared.errors import InvalidRequest
from shared.jobs.spec.spec import JobSpec, SpecReader, encode_spec
from shared.jobs.submission.image_list import ImageList, parse_image_list
from shared.sources.keywords.variations import Variations
from shared.sources.kinds import SourceSettings, known_kinds
from shared.sources.registry import SourceRegistry
from shared.web.wishes.respect import Respect
from tests.unit.known_sources import KINDS, context, decode_spec, parse_spec

CATS = {"keywords": ["cat"]}
WHOLE, NUMBER, BOOLEAN, TEXT = (
    "must be a whole number",
    "must be a number",
    "must be true or false",
    "must be a string",
)
SITE = {"type": "website", "start_urls": ["https://a/"]}
LIST = {"type": "urls", "items": ["https://a/1.jpg"]}
FIELDS = {
    "max_images_per_label": WHOLE,
    "seed": WHOLE,
    "filters.min_width": WHOLE,
    "filters.min_height": WHOLE,
    "filters.max_bytes": WHOLE,
    "filters.max_pixels": WHOLE,
    "filters.max_aspect_ratio": NUMBER,
    "filters.scores.sharpness.min": NUMBER,
    "filters.scores.entropy.max_percentile": NUMBER,
    "transform.quality": WHOLE,
    "transform.resize.size": WHOLE,
    "dedup.exact": BOOLEAN,
    "dedup.near_distance": WHOLE,
    "splits.train": NUMBER,
    "output.shard_size": WHOLE,
    **{f"respect.{name}": BOOLEAN for name in Respect.model_fields},
    "variations.plurals": BOOLEAN,
    "name": TEXT,
    "webhook_url": TEXT,
}
SOURCES = [
    ({"type": "openverse"}, "mature", BOOLEAN),
    ({"type": "brave"}, "mature", BOOLEAN),
    ({"type": "pixabay"}, "mature", BOOLEAN),
    ({"type": "pixabay"}, "opt_out", BOOLEAN),
    ({"type": "wikimedia"}, "width", WHOLE),
    (SITE, "depth", WHOLE),
    (SITE, "max_pages", WHOLE),
    (SITE, "same_site", BOOLEAN),
    (SITE, "sitemaps", BOOLEAN),
    (SITE, "label", TEXT),
    (LIST, "label", TEXT),
    (LIST, "url_column", TEXT),
    ({"type": "dataset"}, "id", TEXT),
]
WRONG: dict[str, list[object]] = {
    WHOLE: [True, False, "100", 100.0, 100.5, [100], {}, "yes"],
    NUMBER: [True, False, "2", [1.5], {}],
    BOOLEAN: [0, 1, 1.0, "true", "yes", "on", "1", "f", [], {}],
    TEXT: [5, 1.5, True, [], {}],
}


def _within(path: str, value: object) -> dict[str, object]:
    first, _, rest = path.partition(".")
    return {first: _within(rest, value) if rest else value}


def _told(data: object, specs: SpecReader | None = None) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        (specs.parse if specs else parse_spec)(data)
    return [(told.field, told.message) for told in refused.value.fields]


@pytest.mark.parametrize(
    ("path", "kind", "wrong"), [(path, kind, w) for path, kind in FIELDS.items() for w in WRONG[kind]]
)
def test_booleans_and_texts_are_no_numbers_in_any_field_of_a_spec(path, kind, wrong):
    assert _told(CATS | _within(path, wrong)) == [(path, kind)]


@pytest.mark.parametrize(
    ("source", "field", "kind", "wrong"), [(*case, w) for case in SOURCES for w in WRONG[case[2]]]
)
def test_booleans_and_texts_are_no_numbers_in_any_source(source, field, kind, wrong):
    assert _told(CATS | {"sources": [source | {field: wrong}]}) == [(f"sources.0.{field}", kind)]


@pytest.mark.parametrize("wrong", WRONG[TEXT])
def test_list_items_and_keywords_are_texts(wrong):
    assert _told({"labels": {"cat": [wrong]}}) == [("labels.cat.0", TEXT)]
    for field in ("url", "label", "caption", "creator", "license"):
        item = {"url": "https://a/1.jpg"} | {field: wrong}
        assert _told({"sources": [{"type": "urls", "items": [item]}]}) == [
            (f"sources.0.items.0.{field}", TEXT)
        ]
    with pytest.raises(InvalidRequest):
        parse_image_list({"images": [{"name": "inputs/1.jpg", "label": wrong}]})


def test_a_valid_value_is_accepted_unchanged():
    data = CATS | {
        "max_images_per_label": 5,
        "filters": {
            "max_aspect_ratio": 2,
            "scores": {"sharpness": {"min": 1.5}},
            "formats": ["jpeg"],
            "licenses": ["by"],
        },
        "splits": {"train": 1},
        "dedup": {"exact": False, "near_distance": None, "against": ["a"]},
        "output": {"annotations": ["csv"]},
        "variations": {"templates": ["a {}"]},
        "sources": [
            SITE,
            LIST,
            {"type": "flickr", "license": ["by"]},
            {"type": "openverse", "license": ["by"]},
        ],
        "webhook_url": "https://a/",
    }
    spec = parse_spec(data)
    assert decode_spec(encode_spec(spec), internal=True) == spec
    assert (spec.filters.max_aspect_ratio, spec.splits.shares) == (2.0, {"train": 1.0})


def _lax(schema: object) -> Iterator[object]:
    """Returns the numbers and booleans of a schema that would be converted, because the model does not forbid it."""
    if isinstance(schema, dict):
        if schema.get("type") == "model" and not schema.get("config", {}).get("strict"):
            yield schema["cls"]
        if schema.get("type") in ("int", "float", "bool") and schema.get("strict") is False:
            yield schema
        for value in schema.values():
            yield from _lax(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from _lax(value)


def test_every_model_of_a_spec_and_of_every_source_is_strict():
    models: list[Any] = [
        JobSpec,
        ImageList,
        Filters,
        Resize,
        Transform,
        Dedup,
        Splits,
        Output,
        Respect,
        Variations,
    ]
    models += [kind.config for kind in KINDS.values()]
    for model in models:
        assert not list(_lax(TypeAdapter(model).core_schema)), model


PLUG_IN = """
from typing import Annotated, Literal
from pydantic import Field
from pixcrawler_sources import SourceConfig, SourceKind

class MineConfig(SourceConfig):
    type: Literal["mine"] = "mine"
    zone: Annotated[str, Field(pattern="^[a-z]+-[0-9]$")] = "eu-1"
    pages: int = 1

KIND = SourceKind(MineConfig, lambda config, context: None)
"""


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pixcrawler_sources]\nmine = mine_of_test:KIND\n")
    (tmp_path / "mine_of_test.py").write_text(PLUG_IN)
    monkeypatch.syspath_prepend(tmp_path)
    return SpecReader(SourceRegistry(known_kinds(SourceSettings()), context()))


def test_an_error_about_the_pattern_of_another_packages_source_names_the_pattern(plug_in):
    told = _told({"sources": [{"type": "mine", "zone": "x"}]}, plug_in)
    assert told == [("sources.0.zone", "must match the pattern ^[a-z]+-[0-9]$")]
    assert _told({"sources": [{"type": "mine", "pages": True}]}, plug_in) == [("sources.0.pages", WHOLE)]
    ids = "must be up to 64 letters, digits, '-' and '_', beginning with a letter or digit"
    for wrong in ("../x", "", "a" * 65, "a\n", "\u0661"):
        assert _told({"sources": [{"type": "dataset", "id": wrong}]}) == [("sources.0.id", ids)]
        assert _told(CATS | {"dedup": {"against": ["a", wrong]}}) == [("dedup.against.1", ids)]


def test_openverse_is_searched_where_no_source_is_named():
    for asked in (CATS, CATS | {"sources": []}, {"labels": {"cat": ["cat"]}}):
        spec = parse_spec(asked)
        assert [source.type for source in spec.sources] == ["openverse"]
        assert spec.sources[0] == parse_spec(CATS | {"sources": [{"type": "openverse"}]}).sources[0]
    assert [source.type for source in parse_spec(CATS | {"sources": [LIST]}).sources] == ["urls"]
    assert [source.type for source in parse_spec({"sources": [LIST]}).sources] == ["urls"]
