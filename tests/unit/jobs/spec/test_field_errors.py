"""The errors of a wrong spec name the field in the terms of JSON, and show nothing of Python."""

import re
import resource
import time
from collections.abc import Mapping
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from shared.errors import InvalidRequest
from shared.jobs.spec.field_errors import field_errors
from shared.jobs.submission.image_list import parse_image_list
from tests.unit.known_sources import KINDS, parse_spec

WRONG = [0] * 1_000_000
CATS = {"keywords": ["cat"]}
LIST = {"type": "urls", "items": [{"url": "https://a/1.jpg"}]}
TYPES = f"must be one of: {', '.join(sorted(name for name, kind in KINDS.items() if not kind.internal))}"
ID = "must be up to 64 letters, digits, '-' and '_', beginning with a letter or digit"
MISTAKES = [
    (5, "", "must be an object"),
    ({"labels": ["cat"]}, "labels", "must be an object"),
    ({"labels": {"cat": "kitten"}}, "labels.cat", "must be a list"),
    ({"labels": {"cat": []}}, "labels.cat", "must have 1 or more items"),
    ({"labels": {"cat": [5]}}, "labels.cat.0", "must be a string"),
    ({"labels": {"": ["cat"]}}, "labels.", "its name must not be empty"),
    ({"labels": {"a\0": ["cat"]}}, "labels.a\ufffd", "its name must not contain control characters"),
    ({"labels": {"x" * 300: ["cat"]}}, f"labels.{'x' * 100}", "its name must have at most 200 characters"),
    ({"keywords": "cat"}, "keywords", "must be a list"),
    ({"keywords": None}, "keywords", "must be a list"),
    ({"keywords": ["cat", 5]}, "keywords.1", "must be a string"),
    ({"keywords": ["cat", " "]}, "keywords.1", "must not be empty"),
    ({"keywords": ["cat", " cat"]}, "keywords", "'cat' and ' cat' are the same label"),
    ({"keywords": [str(number) for number in range(1001)]}, "keywords", "must have at most 1000 items"),
    ({"labels": {str(number): [] for number in range(1001)}}, "labels", "must have at most 1000 items"),
    ({"labels": {"cat": [5] * 51}}, "labels.cat", "must have at most 50 items"),
    ({"sources": [5] * 51}, "sources", "must have at most 50 items"),
    ({"labels": {"[key]": []}}, "labels.[key]", "must have 1 or more items"),
    ({"labels": {"[key]": [5]}}, "labels.[key].0", "must be a string"),
    (CATS | {"[key]": 1}, "[key]", "is not a known field"),
    (CATS | {"filters": {"[key]": 1}}, "filters.[key]", "is not a known field"),
    (CATS | {"filters": {"x": {}}}, "filters.x", "is not a known field"),
    (CATS | {"labels": {"dog": ["dog"]}}, "keywords", "give either keywords or labels, not both"),
    (
        {"sources": [{"type": "openverse"}]},
        "labels",
        "openverse searches by keyword: give labels or keywords",
    ),
    (
        CATS | {"variations": {"templates": ["a {}", "a"]}},
        "variations.templates.1",
        "must have 3 or more characters",
    ),
    (
        CATS | {"variations": {"templates": ["a {}", "abc"]}},
        "variations.templates.1",
        "must contain {} once, where the keyword goes",
    ),
    (CATS | {"sources": {"type": "openverse"}}, "sources", "must be a list"),
    (CATS | {"sources": [{"type": "openverse"}] * 51}, "sources", "must have at most 50 items"),
    (CATS | {"sources": [{"type": "flickr", "license": "by"}]}, "sources.0.license", "must be a list"),
    ({"sources": [{"type": "bing"}]}, "sources.0.type", TYPES),
    ({"sources": [{"type": ["urls"]}]}, "sources.0.type", TYPES),
    ({"sources": [LIST, {}]}, "sources.1.type", TYPES),
    ({"sources": [{"type": "urls"}]}, "sources.0", "give either items or a blob"),
    ({"sources": [{"type": "urls", "items": []}]}, "sources.0.items", "must have 1 or more items"),
    (
        {"sources": [{"type": "urls", "blob": "inputs/x"}]},
        "sources.0.format",
        "the blob's name has no known ending: must be one of txt, csv, tsv, jsonl, json, parquet",
    ),
    (
        {"sources": [{"type": "urls", "blob": "inputs/x", "format": "xml"}]},
        "sources.0.format",
        "must be 'txt', 'csv', 'tsv', 'jsonl', 'json' or 'parquet'",
    ),
    (
        {"sources": [{"type": "website", "start_urls": ["https://a/", "a"]}]},
        "sources.0.start_urls.1",
        "Only http and https URLs with a host can be fetched.",
    ),
    ({"sources": [{"type": "dataset", "id": "../x"}]}, "sources.0.id", ID),
    (CATS | {"dedup": {"against": ["a/b"]}}, "dedup.against.0", ID),
    (CATS | {"splits": {"trian": 1}}, "splits.trian", "its name must be 'train', 'val' or 'test'"),
    ({"sources": [{"type": "urls", "items": [7]}]}, "sources.0.items.0", "must be an object"),
    ({"sources": [{"type": "urls", "items": [{}]}]}, "sources.0.items.0.url", "is missing"),
    (CATS | {"max_images_per_label": "many"}, "max_images_per_label", "must be a whole number"),
    (CATS | {"max_images_per_label": 1.5}, "max_images_per_label", "must be a whole number"),
    (CATS | {"max_images_per_label": 0}, "max_images_per_label", "must be at least 1"),
    (CATS | {"filters": []}, "filters", "must be an object"),
    (CATS | {"output": {"format": "tar"}}, "output.format", "must be 'zip', 'webdataset' or 'parquet'"),
    (CATS | {"respect": {"robots": "maybe"}}, "respect.robots", "must be true or false"),
    (CATS | {"splits": {"train": "most"}}, "splits.train", "must be a number"),
    *(
        (CATS | {"filters": {"scores": {"entropy": limits}}}, f"filters.scores.entropy{field}", problem)
        for limits, field, problem in (
            ({"max": float("inf")}, ".max", "must be a number"),
            ({"min": 2, "max": 1}, "", "min must not be more than max"),
            (
                {"min_percentile": 5, "max_percentile": 5},
                "",
                "min_percentile must be less than max_percentile",
            ),
            ({"max_percentile": 0}, ".max_percentile", "must be more than 0"),
        )
    ),
    (CATS | {"filters": {"max_aspect_ratio": float("nan")}}, "filters.max_aspect_ratio", "must be a number"),
    (CATS | {"name": "x" * 300}, "name", "must have at most 200 characters"),
    (CATS | {"webhook_url": "x"}, "webhook_url", "must be a URL"),
    (CATS | {"webhook_url": "ftp://a/"}, "webhook_url", "its scheme must be 'http' or 'https'"),
    (CATS | {"colour": 1}, "colour", "is not a known field"),
]


@pytest.mark.parametrize(
    ("spec", "field", "message"), MISTAKES, ids=[str(case[1:])[:60] for case in MISTAKES]
)
def test_a_mistake_is_named_once_in_the_terms_of_json(spec, field, message):
    with pytest.raises(InvalidRequest) as refused:
        parse_spec(spec)
    [told] = refused.value.fields
    assert (told.field, told.message) == (field, message)
    assert not re.search(r"tuple|dictionary|instance|Input|Spec", told.message)


def test_at_most_twenty_mistakes_are_named():
    with pytest.raises(InvalidRequest) as refused:
        parse_spec(CATS | {f"field{number}": 1 for number in range(30)})
    assert len(refused.value.fields) == 20


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"keywords": "cat"}, "must be a list"),
        ({"keywords": ["cat", "cat "]}, "'cat' and 'cat ' are the same label"),
        (CATS | {"labels": {"dog": ["dog"]}}, "give either keywords or labels, not both"),
    ],
)
def test_wrong_keywords_hide_no_other_mistake(wrong, message):
    with pytest.raises(InvalidRequest) as refused:
        parse_spec({"seed": -1, "colour": 1, **wrong})
    told = {error.field: error.message for error in refused.value.fields}
    assert told == {"keywords": message, "seed": "must be at least 0", "colour": "is not a known field"}


@pytest.mark.parametrize("field", ["labels", "keywords"])
def test_labels_that_are_the_same_are_shown_cut_and_printable(field):
    names = [sign + "\0" * 100_000 for sign in ("e\u0301", "\u00e9")]
    with pytest.raises(InvalidRequest) as refused:
        parse_spec({field: names if field == "keywords" else {name: ["cat"] for name in names}})
    [told] = refused.value.fields
    assert told.message == f"'e\u0301{'\ufffd' * 98}' and '\u00e9{'\ufffd' * 99}' are the same label"


def test_a_spec_of_too_many_entries_is_refused_before_they_are_looked_at():
    class Entries(list[object]):
        def __iter__(self):
            raise AssertionError("the entries were looked at")

    for spec in ({"keywords": Entries(["a"] * 1001)}, {"sources": Entries([5] * 51)}):
        with pytest.raises(InvalidRequest, match="not valid"):
            parse_spec(spec)


def test_the_first_of_very_many_mistakes_are_named_fast():
    lists = TypeAdapter(Mapping[str, Annotated[list[int], Field(min_length=1)]])
    with pytest.raises(ValidationError) as refused:
        lists.validate_python({f"list{number}": [] if number % 2 else ["x"] for number in range(40_000)})
    begun = time.process_time()
    told = field_errors(refused.value)
    assert time.process_time() - begun < 10  # some 0.2; where each is compared with each, minutes
    assert [error.field for error in told[:3]] == ["list0.0", "list1", "list2.0"]
    assert len(told) == 20


@pytest.mark.parametrize(
    "spec",
    [
        {"sources": [{"type": "urls", "items": WRONG[:50_000]}]},
        {"sources": [{"type": "website", "start_urls": WRONG}]},
        CATS | {"sources": [{"type": "openverse", "license": WRONG}]},
        CATS | {"sources": [{"type": "flickr", "license": WRONG}]},
        CATS | {"filters": {"licenses": WRONG}},
        CATS | {"filters": {"formats": WRONG}},
        CATS | {"dedup": {"against": WRONG}},
        CATS | {"variations": {"templates": WRONG}},
        CATS | {"output": {"annotations": WRONG}},
    ],
)
def test_the_first_of_a_million_wrong_entries_is_named(spec):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InvalidRequest) as refused:
        parse_spec(spec)
    assert [field.field.rpartition(".")[2] for field in refused.value.fields] == ["0"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_the_first_of_a_million_wrong_images_is_named():
    with pytest.raises(InvalidRequest) as refused:
        parse_image_list({"images": WRONG})
    assert [field.field for field in refused.value.fields] == ["images.0"]
