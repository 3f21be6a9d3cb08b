"""URL lists in Parquet, from files that pyarrow wrote."""

import io
import random
import sys
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyarrow import parquet

from shared.errors import NotFound, Permanent, Unavailable
from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.tables import ColumnNames
from shared.sources.lists.urls import Urls
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.known_sources import parse_source

NAME = "inputs/list.parquet"


class CountingBlobs(MemoryBlobs):
    """Counts the bytes that are read."""

    read = 0

    async def get(self, name, *, offset=0, length=None):
        data = await super().get(name, offset=offset, length=length)
        self.read += len(data)
        return data


def written(table, **options):
    out = io.BytesIO()
    parquet.write_table(pa.table(table), out, **options)
    return out.getvalue()


async def stored(data):
    blobs = CountingBlobs()
    await blobs.put(NAME, data)
    return blobs


async def read(blobs, cursor=None, **config):
    source = Urls(UrlsConfig(blob=NAME, **config), blobs)
    pages = [page async for page in source.pages(source.queries({})[0], cursor)]
    return [c for page in pages for c in page.candidates], [p for page in pages for p in page.problems], pages


async def test_columns_become_candidates_with_other_plain_columns_as_extra_fields():
    blobs = await stored(
        written(
            {
                "URL": ["https://a/1.jpg", None, "https://a/3.jpg"],
                "TEXT": pa.array(["One", "Two", None]).dictionary_encode(),
                "LICENSE": ["CC BY 4.0", None, None],
                "CREATOR": ["Jane", None, None],
                "WIDTH": [10, 20, None],
                "score": [0.5, 1.0, None],
                "when": [datetime(2026, 1, 1, tzinfo=UTC)] * 3,
                "embedding": [[1.0], [2.0], [3.0]],
                "thumbnail": [b"\xff", b"\xff", b"\xff"],
            }
        )
    )
    candidates, problems, _ = await read(
        blobs,
        url_column="URL",
        caption_column="TEXT",
        title_column="TEXT",
        license_column="LICENSE",
        creator_column="CREATOR",
        label="cat",
    )
    assert [(c.url, c.label, c.caption) for c in candidates] == [
        ("https://a/1.jpg", "cat", "One"),
        ("https://a/3.jpg", "cat", None),
    ]
    told = candidates[0].provenance
    assert (told.license, told.creator, told.title) == ("by", "Jane", "One")
    assert candidates[0].extra == {"WIDTH": "10", "score": "0.5", "when": "2026-01-01 00:00:00+00:00"}
    assert problems == [f"{NAME}: row 2: no http(s) URL"]


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip", "none"])
async def test_a_long_list_continues_from_any_cursor(compression):
    table = {"url": [f"https://a/{number}.jpg" for number in range(5300)], "label": ["x"] * 5300}
    blobs = await stored(written(table, row_group_size=700, compression=compression))
    candidates, _, pages = await read(blobs)
    assert [c.url for c in candidates] == table["url"]
    for page, at in zip(pages[:-1], (256, *range(1000, 6000, 1000)), strict=True):
        rest, _, _ = await read(blobs, page.cursor)
        assert rest == candidates[at:]
    assert (await read(blobs, "5300"))[0] == []


async def test_unwanted_columns_and_row_groups_are_not_read():
    noise = random.Random(1)
    rows = 4000
    table = {
        "url": [f"https://a/{number}.jpg" for number in range(rows)],
        "image": [noise.randbytes(2000)] * rows,
    }
    table["image"] = [noise.randbytes(2000) for _ in range(rows)]
    blobs = await stored(written(table, row_group_size=1000))
    whole = (await blobs.info(NAME)).size_bytes
    await read(blobs)
    first, blobs.read = blobs.read, 0
    assert first < whole / 4
    await read(blobs, "3000")
    assert blobs.read < first


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"no parquet at all", b"PAR1" + b"\xff" * 100 + b"PAR1"])
async def test_a_file_that_is_not_parquet_is_refused(damage):
    with pytest.raises(Permanent, match="Parquet"):
        await read(await stored(damage))


async def test_a_damaged_page_ends_the_list_with_an_error():
    good = written(
        {"url": [f"https://a/{number}.jpg" for number in range(3000)]},
        row_group_size=1000,
        compression="none",
    )
    at = good.index(b"https://a/2500.jpg")
    blobs = await stored(good[: at - 2000] + b"\xff" * 2000 + good[at:])
    source = Urls(UrlsConfig(blob=NAME), blobs)
    pages = source.pages(source.queries({})[0], None)
    assert [len((await anext(pages)).candidates) for _ in range(2)] == [256, 744]
    with pytest.raises(Permanent, match="broken"):
        async for _ in pages:
            pass


async def test_columns_are_found_in_any_case():
    table = {f"other{number}": [number] for number in range(25)}
    blobs = await stored(written(table | {"URL": ["https://a/1.jpg"], "TEXT": ["a cat"], "Label": ["cat"]}))
    [candidate], _, _ = await read(blobs, caption_column="text")
    assert (candidate.url, candidate.label, candidate.caption) == ("https://a/1.jpg", "cat", "a cat")
    assert list(candidate.extra) == [f"other{number}" for number in range(20)]


async def test_a_list_without_its_column_of_addresses_fails_and_names_its_columns():
    blobs = await stored(written({"address": ["https://a/1.jpg"], "n": [1]}))
    with pytest.raises(Permanent, match="no column 'url'; it has 'address', 'n'"):
        await read(blobs)
    blobs = await stored(written({"only": [[1]]}))
    with pytest.raises(Permanent, match="no column 'url'; it has none"):
        await read(blobs)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [("url", [b"https://a/1.jpg"], "binary"), ("URL", [["https://a/1.jpg"]], r"list<\w+: string>")],
)
async def test_the_error_for_a_nested_column_of_addresses_names_its_type(name, values, kind):
    blobs = await stored(written({name: values, "n": [1]}))
    with pytest.raises(Permanent, match=rf"^The list's column '{name}' holds no text: it is {kind}\.$"):
        await read(blobs)


async def test_storage_that_fails_is_tried_again_and_a_missing_list_is_not():
    class Failing(MemoryBlobs):
        async def get(self, *_, **__):
            raise Unavailable("storage is busy")

    blobs = Failing()
    await blobs.put(NAME, written({"url": ["https://a/1.jpg"]}))
    with pytest.raises(Unavailable):
        await read(blobs)
    with pytest.raises(Permanent, match=r"inputs/list\.parquet"):
        await read(MemoryBlobs())


async def test_the_error_without_pyarrow_says_how_to_install_it(monkeypatch):
    blobs = await stored(written({"url": ["https://a/1.jpg"]}))
    config = UrlsConfig(blob=NAME)
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=r"pixcrawler-app\[parquet\]"):
        parse_source({"type": "urls", "blob": "inputs/x", "format": "parquet"})
    with pytest.raises(ValueError, match=r"pixcrawler-app\[parquet\]"):
        parse_source({"type": "urls", "blob": NAME})
    source = Urls(config, blobs)
    with pytest.raises(Permanent, match=r"pixcrawler-app\[parquet\]"):
        await anext(source.pages(source.queries({})[0], None))


async def test_reading_a_missing_blob_raises_not_found():
    from shared.sources.lists.parquet_rows import read_parquet

    with pytest.raises(NotFound):
        await anext(read_parquet(MemoryBlobs(), NAME, ColumnNames(("url",)), 0))
