"""What a caller is told of a wrong spec: which field, in JSON's words, without anything of Python."""

import re

import pytest

from shared.errors import InvalidRequest
from shared.jobs.spec import parse_spec

CATS = {"keywords": ["cat"]}
MISTAKES = [
    (5, "", "must be an object"),
    ({"labels": ["cat"]}, "labels", "must be an object"),
    ({"labels": {"cat": "kitten"}}, "labels.cat", "must be a list"),
    ({"labels": {"cat": []}}, "labels.cat", "must have 1 or more items"),
    ({"labels": {"cat": [5]}}, "labels.cat.0", "must be a string"),
    ({"keywords": "cat"}, "", "keywords must be a list of strings"),
    (CATS | {"sources": {"type": "openverse"}}, "sources", "must be a list"),
    (CATS | {"sources": [{"type": "openverse"}] * 51}, "sources", "must have at most 50 items"),
    (CATS | {"sources": [{"type": "flickr", "license": "by"}]}, "sources.0.license", "must be a list"),
    ({"sources": [{"type": "urls", "items": ["x"]}]}, "sources.0.items.0", "must be an object"),
    ({"sources": [{"type": "urls", "items": [{}]}]}, "sources.0.items.0.url", "is missing"),
    (CATS | {"max_images_per_label": "many"}, "max_images_per_label", "must be a whole number"),
    (CATS | {"max_images_per_label": 1.5}, "max_images_per_label", "must be a whole number"),
    (CATS | {"max_images_per_label": 0}, "max_images_per_label", "must be at least 1"),
    (CATS | {"filters": []}, "filters", "must be an object"),
    (CATS | {"output": {"format": "tar"}}, "output.format", "must be 'zip' or 'webdataset'"),
    (CATS | {"respect": {"robots": "maybe"}}, "respect.robots", "must be true or false"),
    (CATS | {"splits": {"train": "most"}}, "splits.train", "must be a number"),
    (CATS | {"filters": {"sharpness_min": float("inf")}}, "filters.sharpness_min", "must be a number"),
    (CATS | {"filters": {"max_aspect_ratio": float("nan")}}, "filters.max_aspect_ratio", "must be a number"),
    (CATS | {"name": "x" * 300}, "name", "must have at most 200 characters"),
    (CATS | {"webhook_url": "x"}, "webhook_url", "must be a URL"),
    (CATS | {"webhook_url": "ftp://a/"}, "webhook_url", "must begin with one of: 'http' or 'https'"),
    (CATS | {"colour": 1}, "colour", "there is no such field"),
]


@pytest.mark.parametrize(
    ("spec", "field", "message"), MISTAKES, ids=[str(case[1:])[:60] for case in MISTAKES]
)
def test_a_mistake_is_told_once_in_the_words_of_json(spec, field, message):
    with pytest.raises(InvalidRequest) as refused:
        parse_spec(spec)
    [told] = refused.value.fields
    assert (told.field, told.message) == (field, message)
    assert not re.search(r"tuple|dictionary|instance|Input|Spec", told.message)


def test_twenty_mistakes_are_told_at_most():
    with pytest.raises(InvalidRequest) as refused:
        parse_spec(CATS | {f"field{number}": 1 for number in range(30)})
    assert len(refused.value.fields) == 20
