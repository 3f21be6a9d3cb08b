"""Parquet lists that become large: the sizes of pages, dictionaries and values are limited before they are read."""

import io
import random
from typing import Any, cast

import pyarrow as pa
import pytest
from pyarrow import parquet

from shared.errors import Permanent
from shared.sources.lists import parquet_pages
from shared.sources.lists.parquet_pages import page_sizes, row_groups
from shared.sources.lists.parquet_rows import _groups
from shared.sources.lists.tables import ColumnNames
from shared.sources.lists.thrift_compact import BadThrift, CompactReader
from tests.unit.sources.lists.parquet_lists import read_parquet_list, written

NAMES = ColumnNames(("url", "label"), ("url",))
NOISE = random.Random(1)


def _file(data: bytes) -> io.RawIOBase:
    """The data as a file: bytes in memory are read as a raw file is."""
    return cast("io.RawIOBase", io.BytesIO(data))


def _sizes(data, columns=("url", "label", "n")):
    file = _file(data)
    [group] = row_groups(file)
    return page_sizes(file, group, columns)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip", "lz4", "brotli"])
@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("checksum", [True, False])
def test_the_headers_of_all_pages_are_read(version, compression, dictionary, checksum):
    texts = [NOISE.randbytes(NOISE.randrange(80)).hex() for _ in range(30_000)]
    data = written(
        {"url": texts, "n": [*range(30_000)], "label": ["x"] * 30_000},
        data_page_version=version,
        compression=compression,
        use_dictionary=dictionary,
        write_page_checksum=checksum,
        data_page_size=20_000,
    )
    found = _sizes(data)
    assert 20_000 < found.page_bytes < len(data) * 20
    assert (found.value_bytes > 0) == dictionary
    [group] = row_groups(_file(data))
    assert (group.num_rows, [chunk.column for chunk in group.chunks]) == (30_000, ["url", "n", "label"])


@pytest.mark.parametrize("compression", ["zstd", "gzip", "brotli"])
@pytest.mark.parametrize("column", ["url", "label", "n"])
async def test_a_page_that_decompresses_to_far_more_than_its_size_ends_the_list_before_it_is_read(
    column, compression
):
    table = {"url": ["https://a/1.jpg"], "n": ["1"], "label": ["cat"]} | {column: ["x" * 20_000_000]}
    for dictionary in (True, False):
        data = written(table, compression=compression, use_dictionary=dictionary)
        assert len(data) < 100_000
        with pytest.raises(Permanent, match=rf"'{column}' decompresses to more than 200 times its size"):
            await read_parquet_list(data)


async def test_pages_that_are_too_large_together_end_the_list(monkeypatch):
    monkeypatch.setattr(parquet_pages, "_MAX_PAGES_BYTES", 100_000)
    table = {
        "url": ["https://a/1.jpg"],
        "a": [NOISE.randbytes(30_000).hex()],
        "b": [NOISE.randbytes(30_000).hex()],
    }
    with pytest.raises(Permanent, match="more than 100,000 bytes together"):
        await read_parquet_list(table)


async def test_the_size_of_a_page_is_read_from_its_own_header_and_not_from_the_footer():
    data = bytearray(written({"url": ["x" * 20_000_000]}, compression="zstd", use_dictionary=False))
    said = parquet.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0).total_uncompressed_size
    zigzag = bytearray()
    number = said << 1
    while number:
        zigzag.append((number & 127) | (128 if number > 127 else 0))
        number >>= 7
    data[-500:] = data[-500:].replace(zigzag, b"\x80" * (len(zigzag) - 1) + b"\0")
    assert parquet.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0).total_uncompressed_size == 0
    with pytest.raises(Permanent, match="'url' decompresses"):
        await read_parquet_list(bytes(data))


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (["y" * 3_000_000] * 1000, {"dictionary_pagesize_limit": 50_000_000}),
        (
            ["y" * 3_000_000 + str(n) for n in range(50)],
            {"use_dictionary": False, "column_encoding": {"label": "DELTA_BYTE_ARRAY"}},
        ),
    ],
    ids=["dictionary", "prefixes"],
)
async def test_a_long_repeated_value_is_read_in_small_batches_with_a_problem(values, options):
    count = len(values)
    labels = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array(values[:1]))
    table = {
        "url": [f"https://a/{n}.jpg" for n in range(count)],
        "label": labels if count == 1000 else values,
    }
    data = written(table, **options)
    file: Any = _file(data)
    sizes = [len(rows) for rows in _groups(file, NAMES, 0)]
    assert sum(sizes) == count
    assert max(sizes) * 3_000_000 <= 256 << 20
    candidates, problems, _ = await read_parquet_list(data)
    assert candidates == []
    assert problems[0] == "row 1: the column 'label' has a value of more than 100,000 bytes"


async def test_rows_without_values_count_towards_the_limit_of_rows(monkeypatch):
    monkeypatch.setattr("shared.sources.lists.urls._MAX_ROWS", 3000)
    table = {"url": pa.array([None] * 1_000_000, pa.string())}
    candidates, problems, pages = await read_parquet_list(table)
    assert (candidates, [page.cursor for page in pages]) == ([], ["256", "1000", "2000", "3000", None])
    assert problems[-1] == "more than 3,000 rows: it is read no further"


async def test_very_many_row_groups_are_read_but_those_before_the_cursor_are_skipped():
    table = pa.table({"url": [f"https://a/{n}.jpg" for n in range(1500)]})
    candidates, problems, pages = await read_parquet_list(table, row_group_size=1)
    assert (len(candidates), problems) == (1500, [])
    rest, _, _ = await read_parquet_list(written(table, row_group_size=1), pages[1].cursor)
    assert rest == candidates[1000:]


async def test_a_bad_dictionary_in_a_later_group_affects_only_its_own_row():
    texts = pa.array([f"label {n}".encode() for n in range(2499)] + [b"\xff"])
    plain = pa.Array.from_buffers(pa.string(), 2500, texts.buffers())
    labels = pa.DictionaryArray.from_arrays(pa.array([*range(2500)]), plain)
    table = pa.table({"url": [f"https://a/{n}.jpg" for n in range(2500)], "label": labels})
    data = written(table, row_group_size=700)
    candidates, [problem], pages = await read_parquet_list(data)
    assert [c.label for c in candidates] == [f"label {n}" for n in range(2499)]
    assert problem == "row 2500: the column 'label' has a value that is not UTF-8"
    for page in pages[:-1]:
        rest, problems, _ = await read_parquet_list(data, page.cursor)
        assert (rest, problems) == (candidates[int(page.cursor) :], [problem])


@pytest.mark.parametrize("seed", range(60))
async def test_a_damaged_file_gives_rows_or_an_error_of_the_app(seed):
    noise = random.Random(seed)
    data = bytearray(
        written({"url": [f"https://a/{n}.jpg" for n in range(50)], "n": [*range(50)]}, compression="zstd")
    )
    for _ in range(noise.randrange(1, 6)):
        data[noise.randrange(len(data))] = noise.randrange(256)
    try:
        candidates, problems, _ = await read_parquet_list(bytes(data))
    except Permanent:
        return
    assert len(candidates) + len(problems) <= 50


@pytest.mark.parametrize("seed", range(200))
def test_random_headers_are_refused_or_read_within_limits(seed):
    noise = random.Random(seed)
    data = noise.randbytes(noise.randrange(2000))
    try:
        fields = CompactReader(data).struct(parquet_pages._PAGE)
    except BadThrift:
        return
    assert set(fields) <= set(parquet_pages._PAGE)


@pytest.mark.parametrize(
    "data",
    [
        b"\x19" * 500_000,  # lists of lists
        b"\x1c" * 500_000,  # structs in structs
        b"\x19\xfc\xff\xff\xff\xff\x0f",  # a list of very many structs that are not there
        b"\x15\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x00",  # a number without an end
        b"\x15\x02\x05\x02\x02\x00",  # a field that is there twice
        b"\x16\x02\x00",  # a field of another type
        b"\x18\xff\xff\xff\xff\x07",  # a text that is not there
        b"",
    ],
)
def test_a_header_that_no_writer_makes_is_refused(data):
    with pytest.raises(BadThrift):
        CompactReader(data).struct(parquet_pages._PAGE)
