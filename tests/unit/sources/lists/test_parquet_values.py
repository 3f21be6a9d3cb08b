"""Parquet lists with columns of all types. A value that Python cannot represent affects only its own row."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from tests.unit.sources.lists.parquet_lists import read_parquet_list

URLS = ["https://a/1.jpg", "https://a/2.jpg", "https://a/3.jpg"]
TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]


_BYTES = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}


def _texts(values, kind):
    """Makes texts of any bytes without checking that they are UTF-8."""
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(pa.array([*range(len(values))]), _texts(values, pa.string()))
    return pa.Array.from_buffers(kind, len(values), pa.array(values, _BYTES[kind]).buffers())


@pytest.mark.parametrize("kind", TEXTS, ids=str)
@pytest.mark.parametrize("column", ["caption", "label", "note", "url"])
async def test_a_text_that_is_not_utf8_affects_only_its_own_row(column, kind):
    values = [b"https://a/1.jpg", b"https://a/\xff.jpg", b"https://a/3.jpg"]
    table = {"url": URLS, "label": ["cat"] * 3} | {column: _texts(values, kind)}
    candidates, problems, _ = await read_parquet_list(table)
    assert [c.url for c in candidates] == [URLS[0], URLS[2]]
    assert problems == [f"row 2: the column '{column}' has a value that is not UTF-8"]


FAR = {
    "date32": pa.array([0, 5_000_000, 1], pa.int32()).cast(pa.date32()),
    "date32, the last": pa.array([0, 2**31 - 1, 1], pa.int32()).cast(pa.date32()),
    "date32, before all years": pa.array([0, -(2**31), 1], pa.int32()).cast(pa.date32()),
    "microseconds": pa.array([0, 2**62, 1], pa.int64()).cast(pa.timestamp("us")),
    "microseconds before all years": pa.array([0, -(2**62), 1], pa.int64()).cast(pa.timestamp("us")),
    "milliseconds": pa.array([0, 2**60, 1], pa.int64()).cast(pa.timestamp("ms")),
    "milliseconds with a zone": pa.array([0, 2**60, 1], pa.int64()).cast(pa.timestamp("ms", "Europe/Berlin")),
    "microseconds in UTC": pa.array([0, 2**62, 1], pa.int64()).cast(pa.timestamp("us", "UTC")),
    "a time": pa.array([0, 2**62, 1], pa.int64()).cast(pa.time64("us"), safe=False),
}


@pytest.mark.parametrize("case", FAR)
@pytest.mark.parametrize("column", ["caption", "when"])
async def test_a_date_beyond_pythons_range_affects_only_its_own_row(column, case):
    candidates, problems, _ = await read_parquet_list({"url": URLS, column: FAR[case]})
    assert [c.url for c in candidates] == [URLS[0], URLS[2]]
    assert problems == [f"row 2: the column '{column}' has a value that is out of range"]


async def test_a_text_that_is_too_long_affects_only_its_own_row_in_every_encoding():
    texts = ["x" * 100_000, "x" * 100_001, "x"]
    for notes in (texts, pa.array(texts).dictionary_encode(), pa.array(texts, pa.string_view())):
        candidates, problems, _ = await read_parquet_list({"url": URLS, "note": notes})
        assert [c.url for c in candidates] == [URLS[0], URLS[2]]
        assert problems == ["row 2: the column 'note' has a value of more than 100,000 bytes"]


AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
PLAIN = {
    "seconds": (pa.array([0]).cast(pa.timestamp("s")), "1970-01-01 00:00:00"),
    "milliseconds before 1970": (pa.array([-1]).cast(pa.timestamp("ms")), "1969-12-31 23:59:59.999000"),
    "microseconds": (pa.array([AT], pa.timestamp("us", "UTC")), "2026-01-02 03:04:05.678901+00:00"),
    "nanoseconds": (pa.array([1_000_000_001]).cast(pa.timestamp("ns")), "1970-01-01 00:00:01"),
    "nanoseconds in UTC": (pa.array([1]).cast(pa.timestamp("ns", "UTC")), "1970-01-01 00:00:00+00:00"),
    "a zone": (pa.array([0]).cast(pa.timestamp("ms", "Asia/Tokyo")), "1970-01-01 09:00:00+09:00"),
    "an offset": (pa.array([0]).cast(pa.timestamp("ms", "+05:30")), "1970-01-01 05:30:00+05:30"),
    "a zone that nobody knows": (
        pa.array([0]).cast(pa.timestamp("ms", "Mars/X")),
        "1970-01-01 00:00:00+00:00",
    ),
    "a zone that is none": (pa.array([0]).cast(pa.timestamp("ms", "+9x")), "1970-01-01 00:00:00+00:00"),
    "date32": (pa.array([0], pa.int32()).cast(pa.date32()), "1970-01-01"),
    "date64": (pa.array([0]).cast(pa.date64()), "1970-01-01"),
    "time32": (pa.array([1500], pa.int32()).cast(pa.time32("ms")), "00:00:01.500000"),
    "time64 of nanoseconds": (pa.array([1_001]).cast(pa.time64("ns")), "00:00:00.000001"),
    "a duration": (pa.array([-1_500]).cast(pa.duration("ms")), "-1 day, 23:59:58.500000"),
    "a duration of nanoseconds": (pa.array([1_000_001]).cast(pa.duration("ns")), "0:00:00.001000"),
    "decimal128": (pa.array([Decimal("-1.50")], pa.decimal128(10, 2)), "-1.50"),
    "decimal256": (pa.array([Decimal(10) ** 50], pa.decimal256(60, 0)), "1" + "0" * 50),
    "half": (pa.array([0.5], pa.float16()), "0.5"),
    "uint64": (pa.array([2**64 - 1], pa.uint64()), str(2**64 - 1)),
    "a boolean": (pa.array([True]), "true"),
    "large text": (pa.array(["x"], pa.large_string()), "x"),
    "a view of text": (pa.array(["x"], pa.string_view()), "x"),
    "a dictionary": (pa.array(["x"]).dictionary_encode(), "x"),
    "JSON": (pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}'])), '{"a": 1}'),
    "a UUID": (
        pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(16)], pa.binary(16))),
        "00000000-0000-0000-0000-000000000000",
    ),
    "nothing": (pa.nulls(1), None),
    "bytes": (pa.array([b"x"]), None),
    "large bytes": (pa.array([b"x"], pa.large_binary()), None),
    "a view of bytes": (pa.array([b"x"], pa.binary_view()), None),
    "so many bytes": (pa.array([b"x"], pa.binary(1)), None),
    "a list": (pa.array([["x"]]), None),
    "a large list": (pa.array([["x"]], pa.large_list(pa.string())), None),
    "a struct": (pa.array([{"a": 1}]), None),
    "a map": (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), None),
    "a tensor": (
        pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.int32(), [2]), pa.array([[1, 2]], pa.list_(pa.int32(), 2))
        ),
        None,
    ),
}


@pytest.mark.parametrize("case", PLAIN)
async def test_a_further_column_is_text_or_left_out(case):
    column, text = PLAIN[case]
    [candidate], problems, _ = await read_parquet_list({"url": URLS[:1], "x": column})
    assert (candidate.extra, problems) == ({} if text is None else {"x": text}, [])


async def test_nanoseconds_are_read_the_same_without_pandas(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    column = pa.array([1_000_000_001, None, 3]).cast(pa.timestamp("ns"))
    candidates, problems, _ = await read_parquet_list({"url": URLS, "x": column})
    assert [c.extra.get("x") for c in candidates] == ["1970-01-01 00:00:01", None, "1970-01-01 00:00:00"]
    assert problems == []


async def test_a_label_may_be_a_number_or_a_date():
    table = {"url": URLS, "label": pa.array([0, 1, None], pa.int32()).cast(pa.date32())}
    candidates, _, _ = await read_parquet_list(table)
    assert [c.label for c in candidates] == ["1970-01-01", "1970-01-02", "unlabelled"]


async def test_the_first_of_columns_with_the_same_name_counts():
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(URLS[:1]), pa.array(["b"])], ["n", "url", "n"])
    [candidate], _, _ = await read_parquet_list(table)
    assert candidate.extra == {"n": "a"}


async def test_a_column_with_a_dot_in_its_name_is_a_column():
    table = {"url": URLS[:1], "url.x": ["a"], "n.x": ["b"], "n": [{"x": 1}]}
    [candidate], _, _ = await read_parquet_list(table)
    assert candidate.extra == {"url.x": "a", "n.x": "b"}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([b"cat", b"dog"]), "binary"),
        (pa.array([["cat"], []]), "list<"),
        (pa.array([{"name": "cat"}, None]), "struct<name: string>"),
    ],
)
@pytest.mark.parametrize("name", ["label", "Label"])
async def test_a_column_of_labels_without_text_is_a_problem_and_loses_no_row(name, values, kind):
    table = pa.table({"url": ["https://a/1.jpg", "none"], name: values, "title": [[1], [2]]})
    [candidate], [first, second], _ = await read_parquet_list(table, row_group_size=1)
    assert (candidate.url, candidate.label) == ("https://a/1.jpg", "unlabelled")
    assert first.startswith(f"row 1: column '{name}' holds no text: it is {kind}")
    assert "column 'title' holds no text: it is list<" in first
    assert second == "row 2: no http(s) URL"
