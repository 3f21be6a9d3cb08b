"""Lists that take long to read yield empty pages, so that the caller can check its deadline between pages."""

import asyncio
import gzip
from contextlib import aclosing

import pytest

from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.urls import Urls
from shared.storage.memory.blobs import MemoryBlobs
from shared.text.gzip_members import GzipLimits
from tests.unit.sources.lists.lists import read_list

URL = b"https://a/1.jpg"
FILLERS = {
    "line feeds.txt": URL + b"\n" * 3_000_000 + URL,
    "spaces.txt": URL + b"\n" + b"  \n" * 300_000 + URL,
    "line feeds.csv": b"url,label\n" + URL + b",a\n" + b"\n" * 3_000_000 + URL + b",b",
    "commas.json": b'["%s"%s,"%s"]' % (URL, b"," * 900_000, URL),
    "line feeds.txt.gz": gzip.compress(URL + b"\n" * 3_000_000 + URL),
}


@pytest.fixture
def pages_of(monkeypatch):
    monkeypatch.setattr("shared.sources.lists.urls._SECONDS_WITHOUT_A_PAGE", 0.0)

    async def opened(name):
        blobs = MemoryBlobs()
        await blobs.put(f"inputs/{name}", FILLERS[name])
        source = Urls(UrlsConfig(blob=f"inputs/{name}"), blobs)
        return source.pages(source.queries({})[0], None)

    return opened


@pytest.mark.parametrize("name", FILLERS)
async def test_empty_pages_come_while_no_row_is_found(name, pages_of):
    pages = [page async for page in await pages_of(name)]
    assert [page.cursor for page in pages[:-1]] == ["0"] * (len(pages) - 1)
    assert len(pages) > 10
    assert not any(page.candidates or page.problems for page in pages[:-1])
    assert [candidate.url for candidate in pages[-1].candidates][:1] == [URL.decode()]


async def test_stopping_at_an_empty_page_leaves_no_task(pages_of):
    async with aclosing(await pages_of("line feeds.txt")) as pages:
        assert (await anext(pages)).candidates == ()
        assert len(asyncio.all_tasks()) == 2
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_list_is_read_up_to_a_limit_of_bytes(monkeypatch):
    monkeypatch.setattr("shared.sources.lists.rows._LIMITS", GzipLimits(max_bytes=100_000))
    candidates, problems, _ = await read_list("inputs/long.txt", URL + b"\n" * 100_001 + URL)
    assert (len(candidates), problems) == (
        1,
        ["row 2: the list has more than 100,000 bytes: it is read no further"],
    )
    candidates, problems, _ = await read_list(
        "inputs/short.txt", URL + b"\n" * (100_000 - 2 * len(URL)) + URL
    )
    assert (len(candidates), problems) == (2, [])
