"""Labels follow the same rule, whatever source they come from."""

import json
from typing import Any

import pytest

from shared.errors import InvalidRequest
from shared.jobs.discovery.visits import _labelled
from shared.jobs.submission.image_list import parse_image_list
from shared.records.candidates import Candidate, Provenance
from shared.records.delivered import encode_delivered
from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.urls import Urls
from shared.sources.stored.blobs import Blobs, BlobsConfig
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit import known_sources
from tests.unit.known_sources import parse_spec

ODD = {
    "cat\ndog": "cat dog",
    "a\tb": "a b",
    "a\0b": "ab",
    "cafe\u0301": "caf\u00e9",
    "\u202ecat": "cat",
    "c\u200bat": "cat",
    "x" * 250: "x" * 200,
    "\u2028": None,
    "": None,
}


async def _labels(source):
    [query] = source.queries({})
    return [c.label async for page in source.pages(query, None) for c in page.candidates]


@pytest.mark.parametrize("label", ODD)
async def test_labels_of_image_lists_and_of_folders_are_cleaned(label):
    images: list[Any] = [{"name": "inputs/pets/1.jpg", "label": label}]
    if not {"\0", "\n", "\t"} & set(label):  # no folder can be called so
        images.append(f"inputs/{label or 'unlabelled'}/2.jpg")
    [config] = parse_image_list({"images": images}).spec(known_sources.SPECS).sources
    assert isinstance(config, BlobsConfig)
    found = await _labels(Blobs(config))
    assert found == [ODD[label] or "pets", ODD[label] or "unlabelled"][: len(images)]


@pytest.mark.parametrize("label", ODD)
@pytest.mark.parametrize("where", ["items", "jsonl", "json"])
async def test_labels_of_url_lists_are_cleaned(label, where):
    row = {"url": "https://a/1.jpg", "label": label}
    blobs = MemoryBlobs()
    await blobs.put(f"inputs/x.{where}", json.dumps([row] if where == "json" else row).encode())
    config = (
        UrlsConfig.model_validate({"items": [row]})
        if where == "items"
        else UrlsConfig(blob=f"inputs/x.{where}")
    )
    assert await _labels(Urls(config, blobs)) == [ODD[label] or "unlabelled"]


SPECS = {
    "label": lambda label: {"labels": {label: ["cat"]}},
    "keyword": lambda label: {"keywords": [label]},
    "search word": lambda label: {"labels": {"cat": [label]}},
    "urls": lambda label: {"sources": [{"type": "urls", "items": ["https://a/"], "label": label}]},
    "website": lambda label: {"sources": [{"type": "website", "start_urls": ["https://a/"], "label": label}]},
}


def _told(where, spec):
    if where in {"urls", "website"}:
        return spec.sources[0].label
    [(label, words)] = spec.labels.items()
    return words[0] if where == "search word" else label


@pytest.mark.parametrize("where", SPECS)
@pytest.mark.parametrize("label", ODD)
def test_labels_of_specs_are_cleaned_or_refused(where, label):
    data = SPECS[where](label)
    if ODD[label] is None or "\0" in label or len(label) > 200:
        with pytest.raises(InvalidRequest) as refused:
            parse_spec(data)
        assert refused.value.fields[0].message.removeprefix("its name ").startswith("must ")
    else:
        assert _told(where, parse_spec(data)) == ODD[label]


@pytest.mark.parametrize("other", ["c\u200bat", "cat\u00ad", "\u202ecat", " cat", "ca\ufe0ft"])
def test_labels_that_are_equal_but_for_spelling_are_refused_in_a_spec(other):
    for data in ({"keywords": ["cat", other]}, {"labels": {"cat": ["a"], other: ["b"]}}):
        with pytest.raises(InvalidRequest) as refused:
            parse_spec(data)
        assert "are the same label" in refused.value.fields[0].message


@pytest.mark.parametrize("label", ODD)
def test_labels_of_other_packages_sources_are_cleaned(label):
    found = _labelled(Candidate("https://a/1.jpg", label, Provenance("mine")))
    assert found == Candidate("https://a/1.jpg", ODD[label] or "unlabelled", Provenance("mine"))
    encode_delivered([{"label": found.label}])
