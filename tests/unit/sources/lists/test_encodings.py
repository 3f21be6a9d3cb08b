"""Lists in UTF-8, UTF-16, other encodings, and gzip."""

import asyncio
import codecs
import gzip
import time

import pytest

from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.rows import Row, read_rows
from shared.sources.lists.urls import Urls
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.sources.lists.lists import read_all

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
    candidates, problems, _ = await read_all(Urls(UrlsConfig(blob=f"inputs/x.{form}"), blobs))
    assert [c.url for c in candidates] == ["https://a/2.jpg", "https://a/4.jpg"]
    assert problems == [f"inputs/x.{form}: row {number}: not UTF-8" for number in (1, 3)]


async def test_a_header_that_is_not_utf8_is_a_problem_and_still_names_the_columns():
    blobs = MemoryBlobs()
    await blobs.put("inputs/x.csv", "url,Gr\u00f6\u00dfe,label\nhttps://a/1.jpg,5,cat\n".encode("latin-1"))
    [candidate], problems, _ = await read_all(Urls(UrlsConfig(blob="inputs/x.csv"), blobs))
    assert (candidate.url, candidate.label, problems) == (
        "https://a/1.jpg",
        "cat",
        ["inputs/x.csv: row 1: not UTF-8"],
    )


@pytest.mark.parametrize("bom", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_unpaired_surrogates_of_utf16_affect_only_their_own_rows(bom, size):
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


@pytest.mark.parametrize("cut", [1, 2, 3, 7])
async def test_utf_16_in_pieces_of_any_size_is_read(cut):
    data = '\ufeff{"url": "https://a/\u00fc\U0001f408.jpg"}'.encode("utf-16-le")

    async def pieces():
        for at in range(0, len(data), cut):
            yield data[at : at + cut]

    [row] = [row async for row in read_rows(pieces(), "jsonl", gzipped=False)]
    assert row == Row({"url": "https://a/\u00fc\U0001f408.jpg"})


async def _of_gzip(data):
    blobs = MemoryBlobs()
    await blobs.put("inputs/list.txt.gz", data)
    candidates, problems, _ = await read_all(Urls(UrlsConfig(blob="inputs/list.txt.gz"), blobs))
    return [c.url for c in candidates], problems


async def test_zeros_after_gzip_are_padding():
    data = gzip.compress(b"https://a/1.jpg\n")
    assert await _of_gzip(data + bytes(512)) == (["https://a/1.jpg"], [])


@pytest.mark.parametrize(
    ("cut", "end", "told"), [(8, b"", "ends too early"), (0, b"<html>", "is broken")], ids=["cut", "followed"]
)
async def test_the_rows_before_the_end_of_broken_gzip_are_read_with_a_problem(cut, end, told):
    data = gzip.compress("".join(f"https://a/{number}.jpg\n" for number in range(3)).encode())
    urls, [problem] = await _of_gzip(data[: len(data) - cut] + end)
    assert urls == ["https://a/0.jpg", "https://a/1.jpg", "https://a/2.jpg"]
    assert told in problem


@pytest.mark.parametrize("ends", [b"", b"<html>"])
async def test_gzip_of_very_many_members_is_read_in_linear_time_and_other_tasks_run(ends):
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
