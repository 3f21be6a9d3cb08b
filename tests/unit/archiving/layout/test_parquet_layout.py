"""Arrow reads Parquet files of any images, and any range of a file can be made alone."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from shared.archiving.layout.parquet import ParquetLayout
from shared.archiving.layout.parquet_metadata import (
    Column,
    page_header,
    page_header_lengths,
    plain,
    plain_cell,
)

IMAGE = Column(("image", "bytes"), "bytes", nullable=True)
COLUMNS = (
    Column(("image", "path"), "text", nullable=True),
    Column(("label",), "integer", nullable=True),
    Column(("score",), "number"),
    Column(("caption",), "text"),
    Column(("vector",), "floats", nullable=True),
)
VECTORS = st.lists(st.floats(-1, 1, width=32), max_size=4)
ROWS = st.lists(
    st.tuples(st.binary(max_size=300), st.text(max_size=20), st.floats(0, 1), VECTORS), min_size=1
)


class Cells:
    """The cells of some rows, of which the captions are entries. A vector without numbers is null."""

    columns = COLUMNS

    def __init__(self, rows):
        self.rows = [
            [
                plain("text", [f"{number}.jpg"]),
                plain("integer", [number]),
                plain("number", [score]),
                plain("text", [caption]),
                np.array(vector, "<f4").tobytes(),
            ]
            for number, (_, caption, score, vector) in enumerate(rows)
        ]
        self.lengths = np.array([[len(cell) for cell in row] for row in self.rows], np.int64)

    def cell(self, row, column):
        return self.rows[row][column] if column != 3 else len(self.rows) + row


def layout_of(rows):
    cells = Cells(rows)
    sizes = np.array([len(row[0]) for row in rows], np.int64)
    contents = [row[0] for row in rows] + [row[3] for row in cells.rows]
    return ParquetLayout(IMAGE, sizes, cells, {"a key": "a välue"}), contents


def made(layout, contents, start, end):
    spans = layout.between(start, end)
    return b"".join(
        span if isinstance(span, bytes) else contents[span.entry][span.low : span.high] for span in spans
    )


@given(ROWS)
def test_arrow_reads_all_rows_unchanged_and_images_are_where_the_layout_says(rows):
    layout, contents = layout_of(rows)
    whole = made(layout, contents, 0, layout.size)
    assert len(whole) == layout.size
    assert parquet.read_table(io.BytesIO(whole)).to_pylist() == [
        {
            "image": {"bytes": image, "path": f"{at}.jpg"},
            "label": at,
            "score": score,
            "caption": caption,
            "vector": vector or None,
        }
        for at, (image, caption, score, vector) in enumerate(rows)
    ]
    for offset, (image, *_) in zip(layout.data_offsets.tolist(), rows, strict=True):
        assert whole[offset : offset + len(image)] == image


@given(ROWS, st.integers(40, 700))
def test_a_file_made_in_pieces_equals_the_file_made_at_once(rows, step):
    layout, contents = layout_of(rows)
    pieces = [
        made(layout, contents, start, min(start + step, layout.size)) for start in range(0, layout.size, step)
    ]
    assert b"".join(pieces) == made(layout, contents, 0, layout.size)


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250, 1000])
def test_a_row_group_has_a_hundred_rows(count):
    rows = [(bytes(at % 300), f"caption {at}", at / 7, [1.0] * (at % 5)) for at in range(count)]
    layout, contents = layout_of(rows)
    file = parquet.ParquetFile(io.BytesIO(made(layout, contents, 0, layout.size)))
    groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    assert groups == [100] * (count // 100) + [count % 100] * (count % 100 > 0)
    assert file.metadata.metadata == {b"a key": "a välue".encode()}
    assert file.read().num_rows == count


def test_large_images_end_row_groups_early():
    sizes = np.array([30_000_000] * 9 + [1 << 30, 5], np.int64)
    cells = Cells([(b"", "", 0.0, [])] * len(sizes))
    layout = ParquetLayout(IMAGE, sizes, cells, {})
    footer = b"".join(
        span for span in layout.between(layout.size - 3000, layout.size) if isinstance(span, bytes)
    )
    groups = parquet.ParquetFile(io.BytesIO(b"PAR1" + bytes(10_000) + footer[-3000:])).metadata
    assert [groups.row_group(number).num_rows for number in range(groups.num_row_groups)] == [4, 4, 2, 1]
    assert np.all(np.diff(layout.data_offsets) >= sizes[:-1])


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("text", ""),
        ("text", "é🐈\0"),
        ("text", "\ud83d"),
        ("integer", -(1 << 63)),
        ("number", -0.5),
        ("text", None),
    ],
)
def test_a_cell_is_encoded_as_in_a_column(kind, cell):
    assert plain_cell(kind, cell) == plain(kind, [cell])


@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, (1 << 31) - 1)), min_size=1))
def test_the_length_of_a_page_header_is_known_without_it(pages):
    rows, sizes = np.array(pages, np.int64).T
    assert page_header_lengths(rows, sizes).tolist() == [len(page_header(*page)) for page in pages]
