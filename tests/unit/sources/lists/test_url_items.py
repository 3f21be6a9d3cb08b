"""Lists inside a spec, with fields of any kind."""

import json

import pytest

from shared.errors import InvalidRequest
from shared.jobs.spec.spec import encode_spec
from shared.records.candidates import NumberedCandidate, encode_candidates
from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.urls import Urls
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.addresses.urls import address_key
from tests.unit.known_sources import decode_spec, parse_source, parse_spec
from tests.unit.sources.lists.lists import read_all


async def test_items_keep_their_labels_and_extra_columns():
    config = parse_source(
        {
            "type": "urls",
            "label": "pets",
            "items": [
                {"url": "https://a/1.jpg", "label": " cat ", "license": "CC BY-SA 4.0", "photo_id": 7},
                {"url": "HTTP://a/2.jpg"},
                {"url": "blob:work/secret"},
                {"url": "/etc/passwd"},
            ],
        }
    )
    assert isinstance(config, UrlsConfig)
    candidates, problems, _ = await read_all(Urls(config, MemoryBlobs()))
    assert [(c.url, c.label) for c in candidates] == [("https://a/1.jpg", "cat"), ("HTTP://a/2.jpg", "pets")]
    assert candidates[0].provenance.license == "by-sa"
    assert candidates[0].extra == {"photo_id": "7"}
    assert problems == ["urls: row 3: no http(s) URL", "urls: row 4: no http(s) URL"]


@pytest.mark.parametrize(
    "extra", ["\ud800", "a\x00b", {"long": "x" * 3000}, ["\ud800"], "x" * 3000, float("inf"), [float("nan")]]
)
def test_fields_that_cannot_be_stored_are_refused(extra):
    with pytest.raises(ValueError, match="plain text"):
        parse_source({"type": "urls", "items": [{"url": "https://a/1.jpg", "extra": extra}]})


def test_stored_specs_are_read_even_if_they_break_the_rules_for_submitted_specs():
    text = b'{"sources": [{"type": "urls", "items": [{"url": "https://a/1.jpg", "n": "%s"}]}]}' % (
        b"x" * 3000
    )
    with pytest.raises(InvalidRequest):
        decode_spec(text)
    spec = decode_spec(text, internal=True)
    assert decode_spec(encode_spec(spec), internal=True) == spec


async def test_unstorable_characters_are_removed_from_the_texts_of_a_list():
    blobs = MemoryBlobs()
    row = {
        "url": "https://a/1.jpg",
        "caption": "a\ud800b\x00c",
        "note": "x\ud800",
        "list": [1],
        "bad\ud800": 2,
    }
    await blobs.put("inputs/odd.jsonl", json.dumps(row).encode())
    [candidate], _, _ = await read_all(Urls(UrlsConfig(blob="inputs/odd.jsonl"), blobs))
    encode_candidates([NumberedCandidate(0, candidate)])
    assert (candidate.caption, candidate.extra) == ("ab c", {"note": "x", "list": "[1]", "bad": "2"})


async def test_nested_fields_are_the_same_json_in_the_spec_and_in_a_blob():
    fields = {
        "tags": ["Käse", 1.5, None],
        "at": {"x": True, "b": 'a "b"\n'},
        "deep": [[[]]] * 3,
        "seen": False,
    }
    item = {"url": "https://a/1.jpg", **fields}
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.jsonl", json.dumps(item).encode())
    await blobs.put("inputs/x.json", json.dumps([item]).encode())
    spec = decode_spec(
        encode_spec(parse_spec({"sources": [{"type": "urls", "items": [item]}]})), internal=True
    )
    for config in (*spec.sources, UrlsConfig(blob="inputs/x.jsonl"), UrlsConfig(blob="inputs/x.json")):
        assert isinstance(config, UrlsConfig)
        [candidate], _, _ = await read_all(Urls(config, blobs))
        assert {name: json.loads(text) for name, text in candidate.extra.items()} == fields
        assert candidate.extra["tags"] == '["Käse", 1.5, null]'


@pytest.mark.parametrize("depth", [900, 100_000])
def test_a_field_of_any_depth_is_kept_or_refused(depth):
    deep: list[object] = []
    for _ in range(depth):
        deep = [deep]
    items = [{"url": "https://a/1.jpg", "deep": deep}]
    if depth < 1000:
        assert encode_spec(parse_spec({"sources": [{"type": "urls", "items": items}]}))
    else:
        with pytest.raises(InvalidRequest):
            parse_spec({"sources": [{"type": "urls", "items": items}]})


@pytest.mark.parametrize("begin", ["https://a/", "HTTPS://a/", "  https://a/"])
async def test_a_long_url_is_kept_whole(begin):
    urls = [begin + "x" * length for length in (1990, 1995, 7990, 7995, 9990, 9995)]
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.jsonl", b"".join(json.dumps(url).encode() + b"\n" for url in urls))
    for where in ({"blob": "inputs/x.jsonl"}, {"items": [{"url": url} for url in urls]}):
        candidates, problems, _ = await read_all(Urls(UrlsConfig(**where), blobs))
        assert [c.url for c in candidates] == [url.strip() for url in urls]
        assert len({address_key(c.url) for c in candidates}) == 6
        assert problems == []


async def test_a_page_of_long_urls_ends_early():
    items = [{"url": f"https://a/{number}?{'x' * 90_000}"} for number in range(100)]
    candidates, _, pages = await read_all(Urls(UrlsConfig.model_validate({"items": items}), MemoryBlobs()))
    assert [c.url for c in candidates] == [item["url"] for item in items]
    assert max(sum(len(c.url) for c in page.candidates) for page in pages) < 4_400_000


async def test_items_may_be_mere_addresses():
    [one, two], _, _ = await read_all(
        Urls(UrlsConfig.model_validate({"items": ["https://a/1", {"url": "https://a/2"}]}), MemoryBlobs())
    )
    assert (one.url, two.url) == ("https://a/1", "https://a/2")


async def test_the_first_twenty_further_columns_are_kept():
    item = {"url": "https://a/1.jpg", "creator": "Jane"} | {f"column{number}": number for number in range(30)}
    [candidate], _, _ = await read_all(Urls(UrlsConfig.model_validate({"items": [item]}), MemoryBlobs()))
    assert list(candidate.extra) == [f"column{number}" for number in range(20)]
