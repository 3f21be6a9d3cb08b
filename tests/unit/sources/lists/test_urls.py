import asyncio
import codecs
import gzip
import json
import re
import time

import pytest

from shared.archiving.texts.credit import credit_line
from shared.errors import InvalidRequest, Permanent
from shared.jobs.spec.spec import encode_spec
from shared.records.candidates import NumberedCandidate, Provenance, encode_candidates
from shared.records.records import Reason, Record, Rejected
from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.rows import Row, read_rows
from shared.sources.lists.urls import Urls
from shared.sources.stored.blobs import Blobs, BlobsConfig
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.addresses.urls import address_key
from tests.unit.known_sources import decode_spec, parse_source, parse_spec


async def _all(source, cursor=None):
    [query] = source.queries({})
    pages = [page async for page in source.pages(query, cursor)]
    return [c for page in pages for c in page.candidates], [p for page in pages for p in page.problems], pages


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
    candidates, problems, _ = await _all(Urls(config, MemoryBlobs()))
    assert [(c.url, c.label) for c in candidates] == [("https://a/1.jpg", "cat"), ("HTTP://a/2.jpg", "pets")]
    assert candidates[0].provenance.license == "by-sa"
    assert candidates[0].extra == {"photo_id": "7"}
    assert problems == ["urls: row 3: no http(s) URL", "urls: row 4: no http(s) URL"]


@pytest.mark.parametrize(
    "extra", ["\ud800", "a\x00b", {"long": "x" * 3000}, ["\ud800"], "x" * 3000, float("inf"), [float("nan")]]
)
def test_fields_that_could_not_be_written_down_are_refused(extra):
    with pytest.raises(ValueError, match="plain text"):
        parse_source({"type": "urls", "items": [{"url": "https://a/1.jpg", "extra": extra}]})


def test_what_the_app_has_stored_is_read_whatever_is_asked_of_specs_now():
    text = b'{"sources": [{"type": "urls", "items": [{"url": "https://a/1.jpg", "n": "%s"}]}]}' % (
        b"x" * 3000
    )
    with pytest.raises(InvalidRequest):
        decode_spec(text)
    spec = decode_spec(text, internal=True)
    assert decode_spec(encode_spec(spec), internal=True) == spec


async def test_odd_text_in_a_list_is_made_plain():
    blobs = MemoryBlobs()
    row = {
        "url": "https://a/1.jpg",
        "caption": "a\ud800b\x00c",
        "note": "x\ud800",
        "list": [1],
        "bad\ud800": 2,
    }
    await blobs.put("inputs/odd.jsonl", json.dumps(row).encode())
    [candidate], _, _ = await _all(Urls(UrlsConfig(blob="inputs/odd.jsonl"), blobs))
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
        [candidate], _, _ = await _all(Urls(config, blobs))
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
    candidates, problems, _ = await _all(Urls(UrlsConfig(blob=name), blobs))
    assert [(c.url, c.label) for c in candidates] == [
        ("https://a/1.jpg", "cat, big"),
        ("https://a/2.jpg", "unlabelled"),
        ("https://a/3.jpg", "dog"),
    ]
    assert candidates[0].caption == "A cat"
    told = [f"{name}: row 2: {ONE_OF_THREE}"] if ".csv" in name or ".tsv" in name else []
    assert problems[:-1] == told
    assert "row 3: " in problems[-1]


async def test_a_long_list_is_paged_and_goes_on_from_any_cursor():
    blobs = MemoryBlobs()
    await blobs.put("inputs/long.txt", b"".join(b"https://a/%d.jpg\n" % n for n in range(2500)))
    source = Urls(UrlsConfig(blob="inputs/long.txt"), blobs)
    candidates, _, pages = await _all(source)
    assert [len(page.candidates) for page in pages] == [1000, 1000, 500]
    rest, _, _ = await _all(source, pages[0].cursor)
    assert rest == candidates[1000:]


async def test_one_endless_line_is_a_problem_and_the_next_line_is_read():
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.txt", b"https://a/" + b"x" * 9_000_000 + b"\nhttps://a/1.jpg")
    candidates, problems, _ = await _all(Urls(UrlsConfig(blob="inputs/x.txt"), blobs))
    assert [c.url for c in candidates] == ["https://a/1.jpg"]
    assert len(problems) == 1


@pytest.mark.parametrize("begin", ["https://a/", "HTTPS://a/", "  https://a/"])
async def test_a_url_is_kept_as_it_is_however_long_and_never_becomes_another(begin):
    urls = [begin + "x" * length for length in (1990, 1995, 7990, 7995, 9990, 9995)]
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.jsonl", b"".join(json.dumps(url).encode() + b"\n" for url in urls))
    for where in ({"blob": "inputs/x.jsonl"}, {"items": [{"url": url} for url in urls]}):
        candidates, problems, _ = await _all(Urls(UrlsConfig(**where), blobs))
        assert [c.url for c in candidates] == [url.strip() for url in urls]
        assert len({address_key(c.url) for c in candidates}) == 6
        assert problems == []


async def test_a_page_of_long_urls_ends_early():
    items = [{"url": f"https://a/{number}?{'x' * 90_000}"} for number in range(100)]
    candidates, _, pages = await _all(Urls(UrlsConfig(items=items), MemoryBlobs()))
    assert [c.url for c in candidates] == [item["url"] for item in items]
    assert max(sum(len(c.url) for c in page.candidates) for page in pages) < 4_400_000


@pytest.mark.parametrize("url", ["https://a/\ud800", 7, None, ["https://a/"], "a", ""])
async def test_what_is_no_url_of_the_web_is_a_problem(url):
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.jsonl", json.dumps({"url": url}).encode() + b'\n{"address": "https://a/"}')
    candidates, problems, _ = await _all(Urls(UrlsConfig(blob="inputs/x.jsonl"), blobs))
    assert candidates == []
    assert problems == [
        "inputs/x.jsonl: row 1: no http(s) URL",
        "inputs/x.jsonl: row 2: no field 'url'; it has 'address'",
    ]


async def test_a_missing_or_broken_list_fails_with_its_name():
    blobs = MemoryBlobs()
    with pytest.raises(Permanent, match=r"inputs/none\.txt"):
        await _all(Urls(UrlsConfig(blob="inputs/none.txt"), blobs))
    await blobs.put("inputs/bad.csv.gz", b"no gzip")
    with pytest.raises(Permanent, match="gzip"):
        await _all(Urls(UrlsConfig(blob="inputs/bad.csv.gz"), blobs))


@pytest.mark.parametrize(
    "header", ["link,label", "\nlink;label", "'link','label'", "li\u00adnk\tlabel", "https://a/0.jpg"]
)
async def test_a_table_without_the_column_of_addresses_fails_once_and_tells_its_columns(header):
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.csv", f"{header}\nhttps://a/1.jpg,cat\nhttps://a/2.jpg,cat".encode())
    with pytest.raises(Permanent, match=r"^The list has no column 'url'; it has ['\"]") as failed:
        await _all(Urls(UrlsConfig(blob="inputs/x.csv"), blobs))
    assert repr(header.strip()[:4])[1:-1] in failed.value.detail


@pytest.mark.parametrize("option", ["label_column", "license_column", "creator_url_column"])
async def test_a_table_without_a_column_that_is_named_fails_once_and_tells_its_columns(option):
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.csv", b"url,label\nhttps://a/1.jpg,cat\n")
    with pytest.raises(Permanent, match=r"^The list has no column 'nope'; it has 'url', 'label'\.$"):
        await _all(Urls(UrlsConfig(blob="inputs/x.csv", **{option: "nope"}), blobs))


@pytest.mark.parametrize("told", ["GFDL", "All rights reserved", ""])
async def test_the_text_of_a_licence_that_is_none_of_ours_stays_in_the_record(told):
    items = [{"url": "https://a/1", "license": told}, {"url": "https://a/2", "license": "CC BY 4.0"}]
    candidates, _, _ = await _all(Urls(UrlsConfig(items=items), MemoryBlobs()))
    assert [(c.provenance.license, c.extra) for c in candidates] == [
        ("unknown", {"license": told} if told else {}),
        ("by", {}),
    ]


async def test_the_text_of_a_licence_takes_no_place_of_a_further_field():
    fields = {f"field {number}": "x" for number in range(20)}
    items = [{"url": "https://a/1", **fields, "license": "GFDL"}]
    [candidate], _, _ = await _all(Urls(UrlsConfig(items=items), MemoryBlobs()))
    assert candidate.extra == {"license": "GFDL"} | fields


async def test_items_may_be_plain_addresses():
    [one, two], _, _ = await _all(
        Urls(UrlsConfig(items=["https://a/1", {"url": "https://a/2"}]), MemoryBlobs())
    )
    assert (one.url, two.url) == ("https://a/1", "https://a/2")


async def test_of_many_and_long_columns_the_first_are_told():
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.csv", ",".join(f"{n}{'x' * 500}" for n in range(150)).encode())
    with pytest.raises(Permanent) as failed:
        await _all(Urls(UrlsConfig(blob="inputs/x.csv", url_column="y" * 5000), blobs))
    assert len(failed.value.detail) < 1200


LATIN = {
    "csv": 'url,label\nhttps://a/1.jpg,K\u00e4se\nhttps://a/2.jpg,dog\n"https://a/3.jpg","a\n\u00e4"\nhttps://a/4.jpg,x\n',
    "tsv": "url\tlabel\nhttps://a/1.jpg\tK\u00e4se\nhttps://a/2.jpg\tdog\nhttps://a/\u00e4.jpg\nhttps://a/4.jpg\tx\n",
    "txt": "https://a/\u00e4.jpg\nhttps://a/2.jpg\nhttps://a/\u00df.jpg\nhttps://a/4.jpg",
    "jsonl": '"https://a/\u00e4.jpg"\n{"url": "https://a/2.jpg"}\n{"\u00e4": 1}\n"https://a/4.jpg"\n',
    "json": '["https://a/\u00e4.jpg", {"url": "https://a/2.jpg"}, {"\u00e4": 1}, "https://a/4.jpg"]',
}


@pytest.mark.parametrize("form", LATIN)
async def test_rows_that_are_not_utf8_are_problems_and_the_others_are_read(form):
    blobs = MemoryBlobs()
    await blobs.put(f"inputs/x.{form}", LATIN[form].encode("latin-1"))
    candidates, problems, _ = await _all(Urls(UrlsConfig(blob=f"inputs/x.{form}"), blobs))
    assert [c.url for c in candidates] == ["https://a/2.jpg", "https://a/4.jpg"]
    assert problems == [f"inputs/x.{form}: row {number}: not UTF-8" for number in (1, 3)]


async def test_a_header_that_is_not_utf8_is_a_problem_and_still_names_the_columns():
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.csv", "url,Gr\u00f6\u00dfe,label\nhttps://a/1.jpg,5,cat\n".encode("latin-1"))
    [candidate], problems, _ = await _all(Urls(UrlsConfig(blob="inputs/x.csv"), blobs))
    assert (candidate.url, candidate.label, problems) == (
        "https://a/1.jpg",
        "cat",
        ["inputs/x.csv: row 1: not UTF-8"],
    )


@pytest.mark.parametrize("bom", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_half_characters_of_utf16_spoil_their_own_rows_only(bom, size):
    encoding = "utf-16-le" if bom == codecs.BOM_UTF16_LE else "utf-16-be"
    text = (
        "url,x\nhttps://a/1.jpg,\U0001f600\nhttps://a/2.jpg,\ud83d\nhttps://a/3.jpg,\u00e4\nhttps://a/4.jpg"
    )
    data = bom + text.encode(encoding, "surrogatepass") + b"\0"

    async def pieces():
        for at in range(0, len(data), size):
            yield data[at : at + size]

    rows = [row async for row in read_rows(pieces(), "csv", gzipped=False)]
    assert [row.fields["x"] if row.fields else row.problem for row in rows] == [
        "\U0001f600",
        "not UTF-8",
        "\u00e4",
        "not UTF-8",
    ]


@pytest.mark.parametrize(
    "blob",
    ["datasets/x.txt", "inputs/x.parquet.gz", "inputs/../work/x.txt", "inputs/x.bin", "work/job_1/spec.json"],
)
def test_only_lists_among_the_inputs_can_be_named(blob):
    with pytest.raises(ValueError, match=r"inputs/|format"):
        UrlsConfig(blob=blob)


async def test_stored_images_take_their_folder_for_a_label():
    config = BlobsConfig.model_validate(
        {
            "type": "blobs",
            "items": [{"name": "inputs/cats/1.jpg"}, {"name": "x.jpg"}, {"name": "y", "label": "dog"}],
        }
    )
    candidates, _, _ = await _all(Blobs(config))
    assert [(c.url, c.label) for c in candidates] == [
        ("blob:inputs/cats/1.jpg", "cats"),
        ("blob:x.jpg", "unlabelled"),
        ("blob:y", "dog"),
    ]


@pytest.mark.parametrize("form", ["csv", "tsv"])
async def test_a_lone_carriage_return_spoils_its_own_row_only(form):
    comma = "," if form == "csv" else "\t"
    blobs = MemoryBlobs()
    lines = ["url,label", "https://a/1.jpg,x\ry", "https://a/2.jpg,z"]
    await blobs.put(f"inputs/list.{form}", "\n".join(lines).replace(",", comma).encode())
    candidates, [problem], _ = await _all(Urls(UrlsConfig(blob=f"inputs/list.{form}"), blobs))
    assert [c.url for c in candidates] == ["https://a/2.jpg"]
    assert problem.startswith(f"inputs/list.{form}: row 1: a line break")


ONE_OF_THREE = "it has 1 of 3 cells: the others are taken as empty"
OPEN = "a quote is opened in it and not closed as it should be"
MISQUOTED = "text stands behind a closing quote in it: quotes within a quoted cell are doubled"
TABLES = {
    "a line break in a cell": (
        'url,caption,label\nA1,"one\ntwo, ""three""\n\nfour",cat\nA2,ok,dog\n',
        [("A1", 'one two, "three"  four', "cat"), ("A2", "ok", "dog")],
        [],
    ),
    "line breaks of Windows": (
        '"url","caption","label"\r\n"A1","one\r\ntwo","cat"\r\nA2,ok,dog',
        [("A1", "one two", "cat"), ("A2", "ok", "dog")],
        [],
    ),
    "a line break in the header": ('"cap\ntion",url,label\nx,A1,cat\n', [("A1", None, "cat")], []),
    "a stray quote": (
        'url,caption,label\nA1,"one,cat\nA2,two,dog\nA3,"three",dog\nA4,"four\nmore",dog\n',
        [("A2", "two", "dog"), ("A3", "three", "dog"), ("A4", "four more", "dog")],
        [f"inputs/X.CSV: row 1: {OPEN}"],
    ),
    "a quote that never closes": (
        'url,caption,label\nA1,"one,cat\n' + "".join(f"A{n},x,cat\n" for n in range(2, 500)),
        [(f"A{n}", "x", "cat") for n in range(2, 500)],
        [f"inputs/X.CSV: row 1: {OPEN}"],
    ),
    "a cell of too many lines": (
        'url,caption,label\nA1,ok,cat\nA2,"' + "x\n" * 100 + '",cat\n',
        [("A1", "ok", "cat")],
        [
            f"inputs/X.CSV: row 2: {OPEN}",
            *[f"inputs/X.CSV: row {n}: no http(s) URL; {ONE_OF_THREE}" for n in range(3, 102)],
            f"inputs/X.CSV: row 102: {OPEN}",
        ],
    ),
    "a cell of too many characters": (
        'url,caption,label\nA1,"' + ("x" * 60_000 + "\n") * 2 + '",cat\nA2,ok,dog\n',
        [("A2", "ok", "dog")],
        [
            f"inputs/X.CSV: row 1: {OPEN}",
            f"inputs/X.CSV: row 2: no http(s) URL; {ONE_OF_THREE}",
            f"inputs/X.CSV: row 3: {OPEN}",
        ],
    ),
    "quotes within cells": (
        'url,caption,label\nA1,a 5" disk,cat\nA2,"x"y,dog\n',
        [("A1", 'a 5" disk', "cat"), ("A2", "xy", "dog")],
        [f"inputs/X.CSV: row 2: {MISQUOTED}"],
    ),
    "a line that is too long within a cell": (
        'url,caption,label\nA1,"one\n' + "x" * 100_001 + '\n",cat\nA2,ok,dog\n',
        [("A2", "ok", "dog")],
        [
            f"inputs/X.CSV: row 1: {OPEN}",
            "inputs/X.CSV: row 2: longer than 100,000 bytes",
            f"inputs/X.CSV: row 3: {OPEN}",
        ],
    ),
    "semicolons": ('url;caption;label\nA1;"a; b, c";cat\n', [("A1", "a; b, c", "cat")], []),
    "a semicolon beside commas": ("url,a;b,label\nA1,x;y,cat\n", [("A1", None, "cat")], []),
    "another case": ("URL,Caption,LABEL,Note\nA1,x,cat,n\n", [("A1", "x", "cat")], []),
    "both cases": ("URL,url,label\nx,A1,cat\n", [("A1", None, "cat")], []),
}


def _addresses(text):
    return re.sub(r"A(\d)", r"https://a/\1", text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("case", TABLES)
async def test_tables_are_read_as_they_are_written(case, encoding):
    text, rows, told = TABLES[case]
    data = _addresses(text).encode(encoding)
    blobs = MemoryBlobs()
    await blobs.put("inputs/X.CSV", codecs.BOM_UTF16_BE + data if encoding == "utf-16-be" else data)
    candidates, problems, _ = await _all(Urls(UrlsConfig(blob="inputs/X.CSV"), blobs))
    assert [(c.url, c.caption, c.label) for c in candidates] == [
        (_addresses(row[0]), *row[1:]) for row in rows
    ]
    assert problems == told


async def test_a_table_goes_on_behind_a_row_of_many_lines():
    text = "url,caption\n" + "".join(f'https://a/{n}.jpg,"{n}\nx"\n' for n in range(1500))
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.csv.GZ", gzip.compress(text.encode()))
    source = Urls(UrlsConfig(blob="inputs/x.csv.GZ"), blobs)
    candidates, _, pages = await _all(source)
    rest, _, _ = await _all(source, pages[0].cursor)
    assert len(candidates) == 1500
    assert rest == candidates[1000:]


@pytest.mark.parametrize("cut", [1, 2, 3, 7])
async def test_utf_16_is_read_however_it_is_cut_into_pieces(cut):
    data = '\ufeff{"url": "https://a/\u00fc\U0001f408.jpg"}'.encode("utf-16-le")

    async def pieces():
        for at in range(0, len(data), cut):
            yield data[at : at + cut]

    [row] = [row async for row in read_rows(pieces(), "jsonl", gzipped=False)]
    assert row == Row({"url": "https://a/\u00fc\U0001f408.jpg"})


async def _of_gzip(data):
    blobs = MemoryBlobs()
    await blobs.put("inputs/list.txt.gz", data)
    candidates, problems, _ = await _all(Urls(UrlsConfig(blob="inputs/list.txt.gz"), blobs))
    return [c.url for c in candidates], problems


async def test_zeros_behind_gzip_are_padding():
    data = gzip.compress(b"https://a/1.jpg\n")
    assert await _of_gzip(data + bytes(512)) == (["https://a/1.jpg"], [])


@pytest.mark.parametrize(
    ("cut", "end", "told"), [(8, b"", "ends too early"), (0, b"<html>", "is broken")], ids=["cut", "followed"]
)
async def test_gzip_that_breaks_off_is_told_and_keeps_the_rows_before(cut, end, told):
    data = gzip.compress("".join(f"https://a/{number}.jpg\n" for number in range(3)).encode())
    urls, [problem] = await _of_gzip(data[: len(data) - cut] + end)
    assert urls == ["https://a/0.jpg", "https://a/1.jpg", "https://a/2.jpg"]
    assert told in problem


@pytest.mark.parametrize("ends", [b"", b"<html>"])
async def test_gzip_of_very_many_members_is_read_in_linear_time_and_others_have_their_turn(ends):
    data = gzip.compress(b"x", mtime=0) * 60_000 + gzip.compress(b"\nhttps://a/1.jpg\n") + ends
    turns = 0

    async def others():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def piece():
        yield data

    beside = asyncio.create_task(others())
    begun = time.process_time()
    rows = [row async for row in read_rows(piece(), "txt", gzipped=True)]
    beside.cancel()
    assert time.process_time() - begun < 2.5  # some 0.2; where each member copies all that follow, 4
    assert turns > 50
    assert rows[:2] == [Row({"url": "x" * 60_000}), Row({"url": "https://a/1.jpg"})]
    assert len(rows) == 2 + bool(ends)


CREDITS = {
    "url": "https://a/1.jpg",
    "name": "A cat",
    "author": "Jane",
    "creator_url": "https://a/jane",
    "page_url": "https://a/1",
    "terms": "https://creativecommons.org/licenses/by-sa/4.0/",
    "note": "kept",
}
COLUMNS = {"title_column": "name", "creator_column": "author", "license_url_column": "terms"}


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "jsonl", "items"])
async def test_a_list_names_authors_and_terms_in_columns_of_its_choice(form):
    blobs = MemoryBlobs()
    between = {"csv": ",", "tsv": "\t"}.get(form)
    if between:
        text = "\n".join(between.join(cells) for cells in (CREDITS.keys(), CREDITS.values()))
    else:
        text = json.dumps([CREDITS] if form == "json" else CREDITS)
    await blobs.put(f"inputs/list.{form}", text.encode())
    where = {"items": [CREDITS]} if form == "items" else {"blob": f"inputs/list.{form}"}
    [candidate], problems, _ = await _all(Urls(UrlsConfig(**where, **COLUMNS), blobs))
    assert candidate.provenance == Provenance(
        "urls",
        page_url="https://a/1",
        title="A cat",
        creator="Jane",
        creator_url="https://a/jane",
        license="by-sa",
        license_version="4.0",
        license_url="https://creativecommons.org/licenses/by-sa/4.0/",
    )
    assert (candidate.extra, problems) == ({"note": "kept"}, [])
    line = credit_line(Record(0, candidate, Rejected(Reason.TIMED_OUT)))
    terms = "CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/)"
    assert line == f'"A cat" (https://a/1) by Jane (https://a/jane), {terms}'


async def test_a_licence_that_is_named_counts_more_than_its_address():
    item = {
        "url": "https://a/1.jpg",
        "license": "CC BY 2.0",
        "license_url": "https://a/terms",
        "creator_url": "x",
    }
    [candidate], _, _ = await _all(Urls(UrlsConfig(items=[item]), MemoryBlobs()))
    told = candidate.provenance
    assert (told.license, told.license_version, told.license_url) == ("by", "2.0", "https://a/terms")
    assert told.creator_url is None  # no address


async def test_a_licence_whose_address_is_anothers_is_unknown():
    item = {"url": "https://a/1.jpg", "license_url": "https://creativecommons.org/licenses/by-nc/4.0/"}
    named = ["CC BY", "CC BY-NC", "Creative Commons Attribution (NonCommercial)"]
    items = [item | {"license": name} for name in named]
    candidates, _, _ = await _all(Urls(UrlsConfig(items=items), MemoryBlobs()))
    assert [c.provenance.license for c in candidates] == ["unknown", "by-nc", "by-nc"]


@pytest.mark.parametrize(
    ("license", "address"),
    [
        ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
        (
            "https://creativecommons.org/licenses/by/2.5/deed.de",
            "https://creativecommons.org/licenses/by/2.5/deed.de",
        ),
        (
            "https://creativecommons.org/publicdomain/zero/1.0/",
            "https://creativecommons.org/publicdomain/zero/1.0/",
        ),
        ("CC BY", None),
        ("all rights reserved", None),
    ],
)
async def test_a_licence_told_with_its_version_or_by_its_address_has_an_address(license, address):  # noqa: A002
    item = {"url": "https://a/1.jpg", "license": license}
    [candidate], _, _ = await _all(Urls(UrlsConfig(items=[item]), MemoryBlobs()))
    assert candidate.provenance.license_url == address


async def test_twenty_further_columns_are_kept():
    item = {"url": "https://a/1.jpg", "creator": "Jane"} | {f"column{number}": number for number in range(30)}
    [candidate], _, _ = await _all(Urls(UrlsConfig(items=[item]), MemoryBlobs()))
    assert list(candidate.extra) == [f"column{number}" for number in range(20)]
