import gzip
import json

import pytest

from shared.errors import Permanent
from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.urls import Urls
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.sources.lists.lists import ONE_OF_THREE, read_all

TABLE = 'url,label,caption\nhttps://a/1.jpg,"cat, big",A cat\nhttps://a/2.jpg\n\nnonsense,x\nhttps://a/3.jpg,dog,D\n'
LISTS = {
    "inputs/list.csv": TABLE.encode(),
    "inputs/list.tsv": TABLE.replace('"cat, big"', "cat, big")
    .replace(",", "\t")
    .replace("cat\t big", "cat, big")
    .encode(),
    "inputs/bom.csv.gz": gzip.compress(b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode()),
    "inputs/list.jsonl": b"".join(
        json.dumps(row).encode() + b"\n"
        for row in (
            {"url": "https://a/1.jpg", "label": "cat, big", "caption": "A cat"},
            "https://a/2.jpg",
            [1],
            {"url": "https://a/3.jpg", "label": "dog"},
        )
    ),
    "inputs/list.json": json.dumps(
        [
            {"url": "https://a/1.jpg", "label": "cat, big", "caption": "A cat"},
            "https://a/2.jpg",
            [1],
            {"url": "https://a/3.jpg", "label": "dog"},
        ]
    ).encode(),
    "inputs/object.json.gz": gzip.compress(
        b'\xef\xbb\xbf {"version": 1, "note": "] [ \\" {", "about": {"urls": ["https://no/"]}, "images":\n'
        b' [ {"url": "https://a/1.jpg", "label": "cat, big", "caption": "A cat"} , "https://a/2.jpg", nonsense,\n'
        b' {"url": "https://a/3.jpg", "label": "dog", "more": {"a": [1, {}]}}, ], "end": null}'
    ),
}


@pytest.mark.parametrize("name", LISTS)
async def test_lists_in_blobs_are_read_row_by_row(name):
    blobs = MemoryBlobs()
    await blobs.put(name, LISTS[name])
    candidates, problems, _ = await read_all(Urls(UrlsConfig(blob=name), blobs))
    assert [(c.url, c.label) for c in candidates] == [
        ("https://a/1.jpg", "cat, big"),
        ("https://a/2.jpg", "unlabelled"),
        ("https://a/3.jpg", "dog"),
    ]
    assert candidates[0].caption == "A cat"
    told = [f"{name}: row 2: {ONE_OF_THREE}"] if ".csv" in name or ".tsv" in name else []
    assert problems[:-1] == told
    assert "row 3: " in problems[-1]


async def test_a_long_list_is_divided_into_pages_of_which_the_first_is_small_and_continues_from_any_cursor():
    blobs = MemoryBlobs()
    await blobs.put("inputs/long.txt", b"".join(b"https://a/%d.jpg\n" % n for n in range(2500)))
    source = Urls(UrlsConfig(blob="inputs/long.txt"), blobs)
    candidates, _, pages = await read_all(source)
    assert [len(page.candidates) for page in pages] == [256, 744, 1000, 500]
    for page, at in zip(pages[:-1], (256, 1000, 2000), strict=True):
        rest, _, _ = await read_all(source, page.cursor)
        assert rest == candidates[at:]


async def test_one_endless_line_is_a_problem_and_the_next_line_is_read():
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.txt", b"https://a/" + b"x" * 9_000_000 + b"\nhttps://a/1.jpg")
    candidates, problems, _ = await read_all(Urls(UrlsConfig(blob="inputs/x.txt"), blobs))
    assert [c.url for c in candidates] == ["https://a/1.jpg"]
    assert len(problems) == 1


@pytest.mark.parametrize("url", ["https://a/\ud800", 7, None, ["https://a/"], "a", ""])
async def test_a_value_that_is_not_an_http_url_is_a_problem(url):
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.jsonl", json.dumps({"url": url}).encode() + b'\n{"address": "https://a/"}')
    candidates, problems, _ = await read_all(Urls(UrlsConfig(blob="inputs/x.jsonl"), blobs))
    assert candidates == []
    assert problems == [
        "inputs/x.jsonl: row 1: no http(s) URL",
        "inputs/x.jsonl: row 2: no field 'url'; it has 'address'",
    ]


async def test_a_missing_or_broken_list_fails_with_its_name():
    blobs = MemoryBlobs()
    with pytest.raises(Permanent, match=r"inputs/none\.txt"):
        await read_all(Urls(UrlsConfig(blob="inputs/none.txt"), blobs))
    await blobs.put("inputs/bad.csv.gz", b"no gzip")
    with pytest.raises(Permanent, match="gzip"):
        await read_all(Urls(UrlsConfig(blob="inputs/bad.csv.gz"), blobs))


@pytest.mark.parametrize(
    "blob",
    ["datasets/x.txt", "inputs/x.parquet.gz", "inputs/../work/x.txt", "inputs/x.bin", "work/job_1/spec.json"],
)
def test_only_lists_in_the_inputs_folder_are_permitted(blob):
    with pytest.raises(ValueError, match=r"inputs/|format"):
        UrlsConfig(blob=blob)
