"""Arrow reads the Parquet files that the app writes without a library."""

import io
import tracemalloc
from itertools import batched

import pyarrow as pa
import pytest
from pyarrow import parquet

from shared.archiving.texts.parquet import ParquetWriter

COLUMNS = {"text": str, "number": int, "other": str}
ODD = (
    "2021-03-05",
    "12:30:00",
    "007",
    "null",
    "true",
    "NaN",
    "",
    "\0",
    "a\r\nb",
    "\u2028",
    "é",
    "🐈",
    '"',
    "\ud83d",
)


def written(columns, rows) -> bytes:
    writer = ParquetWriter(columns)
    pieces = [writer.add({name: [value] for name, value in row.items()}) for row in rows]
    return b"".join([writer.begin(), *pieces, writer.end()])


def row(number: int) -> dict[str, str | int]:
    return {"text": ODD[number % len(ODD)], "number": number - 2, "other": str(number)}


@pytest.mark.parametrize("count", [0, 1, 14, 8191, 8192, 8193, 20_000])
def test_rows_are_read_unchanged_and_with_the_declared_types(count):
    file = parquet.ParquetFile(io.BytesIO(written(COLUMNS, map(row, range(count)))))
    assert file.schema_arrow.types == [pa.string(), pa.int64(), pa.string()]
    assert file.metadata.num_row_groups == -(-count // 8192)
    wanted = [
        {**row(number), "text": str(row(number)["text"]).replace("\ud83d", "?")} for number in range(count)
    ]
    assert file.read().to_pylist() == wanted


@pytest.mark.parametrize("columns", [1, 14, 15, 16, 300])
def test_a_file_may_have_any_number_of_columns(columns):
    names = {f"column {number}": str if number % 2 else int for number in range(columns)}
    row_of_all = {name: "2021" if kind is str else -(1 << 63) for name, kind in names.items()}
    assert parquet.read_table(io.BytesIO(written(names, [row_of_all]))).to_pylist() == [row_of_all]


def test_long_texts_end_row_groups_early_and_do_not_stay_in_memory():
    writer = ParquetWriter({"text": str})
    long = "x" * 500_000
    tracemalloc.start()
    size = sum(len(writer.add({"text": [long]})) for _ in range(400))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 150_000_000
    assert peak < 40_000_000


@pytest.mark.parametrize("at_a_time", [1, 7, 1024, 20_000])
def test_rows_may_be_added_in_several_calls(at_a_time):
    writer = ParquetWriter(COLUMNS)
    rows = [row(number) for number in range(20_000) if number % len(ODD) != 13]
    data = writer.begin() + writer.add({name: [] for name in COLUMNS})
    for some in batched(rows, at_a_time, strict=False):
        data += writer.add({name: [one[name] for one in some] for name in COLUMNS})
    file = parquet.ParquetFile(io.BytesIO(data + writer.end()))
    assert file.read().to_pylist() == rows
    assert file.metadata.row_group(0).num_rows >= 8192


def test_text_columns_are_declared_in_both_ways_that_the_format_has():
    schema = parquet.ParquetFile(io.BytesIO(written(COLUMNS, [row(0)]))).schema
    assert [schema.column(at).converted_type for at in range(3)] == ["UTF8", "NONE", "UTF8"]
    assert [str(schema.column(at).logical_type) for at in range(3)] == ["String", "None", "String"]


def test_every_column_chunk_has_its_own_offset():
    data = written(COLUMNS, map(row, range(9000)))
    metadata = parquet.read_metadata(io.BytesIO(data))
    at = 4
    for group in range(metadata.num_row_groups):
        for column in range(3):
            chunk = metadata.row_group(group).column(column)
            assert (chunk.data_page_offset, chunk.compression) == (at, "UNCOMPRESSED")
            at += chunk.total_compressed_size
    footer = int.from_bytes(data[-8:-4], "little")
    assert at == len(data) - 8 - footer
