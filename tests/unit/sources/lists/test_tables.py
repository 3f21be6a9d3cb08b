"""Tables of every dialect, and tables with errors."""

import codecs
import gzip
import re
from typing import Any

import pytest

from shared.errors import Permanent
from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.urls import Urls
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.sources.lists.lists import ONE_OF_THREE, read_all


@pytest.mark.parametrize(
    "header", ["link,label", "\nlink;label", "'link','label'", "li\u00adnk\tlabel", "https://a/0.jpg"]
)
async def test_a_table_without_the_column_of_addresses_fails_and_names_its_columns(header):
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.csv", f"{header}\nhttps://a/1.jpg,cat\nhttps://a/2.jpg,cat".encode())
    with pytest.raises(Permanent, match=r"^The list has no column 'url'; it has ['\"]") as failed:
        await read_all(Urls(UrlsConfig(blob="inputs/x.csv"), blobs))
    assert repr(header.strip()[:4])[1:-1] in failed.value.detail


@pytest.mark.parametrize("option", ["label_column", "license_column", "creator_url_column"])
async def test_a_table_without_a_required_column_fails_and_names_its_columns(option):
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.csv", b"url,label\nhttps://a/1.jpg,cat\n")
    with pytest.raises(Permanent, match=r"^The list has no column 'nope'; it has 'url', 'label'\.$"):
        await read_all(Urls(UrlsConfig.model_validate({"blob": "inputs/x.csv", option: "nope"}), blobs))


async def test_the_error_names_the_first_of_many_long_columns():
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.csv", ",".join(f"{n}{'x' * 500}" for n in range(150)).encode())
    with pytest.raises(Permanent) as failed:
        await read_all(Urls(UrlsConfig(blob="inputs/x.csv", url_column="y" * 5000), blobs))
    assert len(failed.value.detail) < 1200


@pytest.mark.parametrize("form", ["csv", "tsv"])
async def test_a_lone_carriage_return_affects_only_its_own_row(form):
    comma = "," if form == "csv" else "\t"
    blobs = MemoryBlobs()
    lines = ["url,label", "https://a/1.jpg,x\ry", "https://a/2.jpg,z"]
    await blobs.put(f"inputs/list.{form}", "\n".join(lines).replace(",", comma).encode())
    candidates, [problem], _ = await read_all(Urls(UrlsConfig(blob=f"inputs/list.{form}"), blobs))
    assert [c.url for c in candidates] == ["https://a/2.jpg"]
    assert problem.startswith(f"inputs/list.{form}: row 1: a line break")


OPEN = "a quote is opened in it and not closed as it should be"
MISQUOTED = "text stands behind a closing quote in it: quotes within a quoted cell are doubled"
TABLES: dict[str, tuple[str, list[tuple[Any, ...]], list[str]]] = {
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
async def test_tables_of_every_dialect_are_read(case, encoding):
    text, rows, told = TABLES[case]
    data = _addresses(text).encode(encoding)
    blobs = MemoryBlobs()
    await blobs.put("inputs/X.CSV", codecs.BOM_UTF16_BE + data if encoding == "utf-16-be" else data)
    candidates, problems, _ = await read_all(Urls(UrlsConfig(blob="inputs/X.CSV"), blobs))
    assert [(c.url, c.caption, c.label) for c in candidates] == [
        (_addresses(row[0]), *row[1:]) for row in rows
    ]
    assert problems == told


async def test_a_table_can_be_continued_after_rows_of_several_lines():
    text = "url,caption\n" + "".join(f'https://a/{n}.jpg,"{n}\nx"\n' for n in range(1500))
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.csv.GZ", gzip.compress(text.encode()))
    source = Urls(UrlsConfig(blob="inputs/x.csv.GZ"), blobs)
    candidates, _, pages = await read_all(source)
    rest, _, _ = await read_all(source, pages[1].cursor)
    assert len(candidates) == 1500
    assert rest == candidates[1000:]
