"""A stored spec has the fields that were given, and is read as it was."""

import json

import pytest

from shared.errors import Damaged
from shared.jobs.spec.spec import encode_spec
from shared.jobs.spec.stored_spec import decode_stored_spec
from tests.unit.known_sources import SPECS, parse_spec

CAT = {"labels": {"cat": ["cat"]}}
ITEM = {"url": "http://x/1.jpg", "rank": 3}
SOURCES = [
    {"type": "openverse"},
    {"type": "openverse", "license_type": "commercial", "mature": True},
    {
        "type": "urls",
        "items": [ITEM, {"url": "http://x/2.jpg", "label": "dog", "tags": ["a"]}],
        "label": "cat",
    },
    {"type": "urls", "blob": "inputs/list.txt.gz"},
    {"type": "urls", "blob": "inputs/list", "format": "csv", "url_column": "image"},
    {"type": "website", "start_urls": ["https://example.com/"], "depth": 0},
    {"type": "dataset", "id": "earlier", "records_blob": "datasets/earlier/records.jsonl.gz"},
    {"type": "blobs", "items": [{"name": "uploads/1.jpg"}, {"name": "uploads/2.jpg", "label": "dog"}]},
]


@pytest.mark.parametrize("source", SOURCES, ids=json.dumps)
async def test_a_stored_source_is_read_as_it_was(source):
    spec = parse_spec({**CAT, "sources": [source]}, internal=True)
    again = await decode_stored_spec(encode_spec(spec), SPECS)
    assert again == spec
    assert encode_spec(again) == encode_spec(spec)


def test_a_stored_source_has_its_type_and_what_was_given():
    spec = parse_spec({"sources": [{"type": "urls", "items": ["http://x/1.jpg", ITEM]}]})
    assert json.loads(encode_spec(spec))["sources"] == [
        {"type": "urls", "items": [{"url": "http://x/1.jpg"}, ITEM]}
    ]


async def test_an_error_names_the_damaged_spec():
    with pytest.raises(Damaged, match="Damaged in storage: the dataset's spec"):
        await decode_stored_spec(b'{"sources": [{}]}', SPECS, "the dataset's spec")
