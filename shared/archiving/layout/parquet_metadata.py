"""Encodes the headers and footers of Parquet files without a library.

A library for this would be the app's largest dependency, its versions write different bytes, and it cannot tell where a
byte will be before all bytes before it are written. Pages are plain and uncompressed. Only lists of floats are
repeated. Format: https://github.com/apache/parquet-format, README.md and parquet.thrift. The structures there are in
Thrift's compact protocol, https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

MAGIC: Final = b"PAR1"
LENGTH: Final = struct.Struct("<I")
"""The length before a text or before bytes (Encodings.md, "Plain")."""

# kinds of fields in Thrift's compact protocol
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
# values of parquet.thrift's enums
_INT64, _FLOAT, _DOUBLE, _BYTE_ARRAY = 2, 4, 5, 6  # Type
_REQUIRED, _OPTIONAL, _REPEATED = 0, 1, 2  # FieldRepetitionType
_UTF8, _LIST_TYPE = 0, 3  # ConvertedType
_PLAIN, _RLE, _UNCOMPRESSED, _DATA_PAGE = 0, 3, 0, 0
_TYPES = {
    "text": _BYTE_ARRAY,
    "bytes": _BYTE_ARRAY,
    "integer": _INT64,
    "number": _DOUBLE,
    "floats": _FLOAT,
}
_PACKED = {"integer": "q", "number": "d"}
_PACKERS = {kind: struct.Struct(f"<{code}") for kind, code in _PACKED.items()}

type Kind = Literal["text", "bytes", "integer", "number", "floats"]
"""The type of a column. An integer has 64 bits, and a number is a double. `floats` are lists of 32-bit floats."""

FLOAT_BYTES: Final = 4
# the names that the format prescribes inside of a list (LogicalTypes.md, "Lists")
_LIST_PATH = ("list", "element")

type _Field = tuple[int, bytes]
"""The kind of a field, and its value as bytes."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file. Its `path` has two names if it is a field of a struct, otherwise one.

    A `nullable` column may have nulls. Hugging Face takes no other columns for images and labels.
    """

    path: tuple[str, ...]
    kind: Kind
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column of a row group: `size` bytes of the file from `offset` on. They begin with the header of a page.

    `values` is their number, as the header counts them (see `value_counts`).
    """

    offset: int
    size: int
    values: int


@dataclass(frozen=True, slots=True)
class Group:
    """One row group. It has a chunk for each column."""

    rows: int
    chunks: Sequence[Chunk]


def kind_of(python_type: type[str | int | float]) -> Kind:
    """Returns the kind of a column with values of this type: `str`, `int` or `float`."""
    return "text" if python_type is str else "integer" if python_type is int else "number"


def plain(kind: Kind, cells: Sequence[str | int | float | None]) -> bytes:
    """Encodes cells of a column that has texts or numbers (Encodings.md, "Plain"). A null takes no bytes."""
    values = [cell for cell in cells if cell is not None]
    if kind in _PACKED:
        return struct.pack(f"<{len(values)}{_PACKED[kind]}", *values)
    texts = [str(value).encode("utf-8", "replace") for value in values]
    return b"".join(chain.from_iterable(zip(map(LENGTH.pack, map(len, texts)), texts, strict=True)))


def plain_cell(kind: Kind, cell: str | float | None) -> bytes:
    """Encodes one cell as `plain` does, in a third of the time. An image has some thirty cells."""
    if cell is None:
        return b""
    if kind in _PACKERS:
        return _PACKERS[kind].pack(cell)
    text = str(cell).encode("utf-8", "replace")
    return LENGTH.pack(len(text)) + text


def levels(column: Column, rows: int, nulls: NDArray[np.bool] | None = None) -> bytes:
    """Returns the beginning of a page's data: the definition levels of its rows. `nulls` says which are null.

    They are one run of the highest level if no row is null, or else one bit for each row (Encodings.md, "Run Length
    Encoding / Bit-Packing Hybrid"). Only columns whose path has one name may have nulls.
    """
    if not column.nullable:
        return b""
    if nulls is None or not nulls.any():
        run = _varint(rows << 1) + bytes([len(column.path)])
    else:
        bits = np.packbits(~nulls, bitorder="little").tobytes()
        run = _varint(len(bits) << 1 | 1) + bits
    return LENGTH.pack(len(run)) + run


def value_counts(column: Column, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns how many values each cell has, by the length of its bytes. A null counts as one."""
    if column.kind != "floats":
        return np.ones(len(lengths), np.int64)
    return np.maximum(1, lengths // FLOAT_BYTES)


def list_levels(lengths: NDArray[np.int64]) -> bytes:
    """Returns the beginning of a page with lists of floats, by the lengths of their cells. Empty cells are null.

    Before the definition levels are the repetition levels: 0 for the first number of a list, 1 for the others.
    """
    repetition, definition = bytearray(), bytearray()
    for length in lengths.tolist():
        count = length // FLOAT_BYTES
        repetition += _varint(1 << 1) + b"\0"
        if count > 1:
            repetition += _varint(count - 1 << 1) + b"\1"
        # the list, its repeated group and its element are defined, or not even the list
        definition += _varint(count << 1) + b"\3" if count else _varint(1 << 1) + b"\0"
    return b"".join(LENGTH.pack(len(part)) + part for part in (repetition, definition))


def page_header(values: int, size: int) -> bytes:
    """Encodes the struct `PageHeader` of a data page. `values` is their number, and `size` is in bytes."""
    page = {1: _number(values), 2: _number(_PLAIN), 3: _number(_RLE), 4: _number(_RLE)}
    return _struct({1: _number(_DATA_PAGE), 2: _number(size), 3: _number(size), 5: (_STRUCT, _struct(page))})


def page_header_lengths(values: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the length of each page's header, without encoding it. The size is in the header twice."""
    return len(page_header(0, 0)) - 3 + _varint_lengths(2 * values) + 2 * _varint_lengths(2 * sizes)


def footer(
    columns: Sequence[Column], groups: Sequence[Group], key_values: Mapping[str, str] | None = None
) -> bytes:
    """Returns the end of a file: the struct `FileMetaData`, its length and the magic number.

    Columns of one struct must be neighbours.
    """
    fields = {
        1: _number(1),
        2: _list(_STRUCT, list(_schema(columns))),
        3: _number(sum(group.rows for group in groups), _I64),
        4: _list(_STRUCT, [_row_group(columns, group) for group in groups]),
    }
    if key_values:
        pairs = [_struct({1: _text(key), 2: _text(value)}) for key, value in key_values.items()]
        fields[5] = _list(_STRUCT, pairs)
    fields[6] = _text("PixCrawler")
    data = _struct(fields)
    return data + LENGTH.pack(len(data)) + MAGIC


def _schema(columns: Sequence[Column]) -> Iterator[bytes]:
    """Encodes a `SchemaElement` for the root, for each struct and for each column, in depth-first order."""
    roots = [(root, list(members)) for root, members in groupby(columns, key=lambda column: column.path[0])]
    yield _struct({4: _text("schema"), 5: _number(len(roots))})
    for root, members in roots:
        if len(members[0].path) > 1:
            yield _struct({3: _repetition(members[0]), 4: _text(root), 5: _number(len(members))})
        for member in members:
            yield from _list_elements(member) if member.kind == "floats" else [_schema_element(member)]


def _schema_element(column: Column) -> bytes:
    """Encodes the `SchemaElement` of a column. A text is declared in two ways, for old and for new readers."""
    fields = {1: _number(_TYPES[column.kind]), 3: _repetition(column), 4: _text(column.path[-1])}
    if column.kind == "text":
        fields[6] = _number(_UTF8)
        fields[10] = (_STRUCT, _struct({1: (_STRUCT, _struct({}))}))
    return _struct(fields)


def _list_elements(column: Column) -> Iterator[bytes]:
    """Encodes the three `SchemaElement`s of a list (LogicalTypes.md, "Lists")."""
    repeated, element = _LIST_PATH
    is_list = (_STRUCT, _struct({3: (_STRUCT, _struct({}))}))
    yield _struct(
        {3: _number(_OPTIONAL), 4: _text(column.path[-1]), 5: _number(1), 6: _number(_LIST_TYPE), 10: is_list}
    )
    yield _struct({3: _number(_REPEATED), 4: _text(repeated), 5: _number(1)})
    yield _struct({1: _number(_FLOAT), 3: _number(_OPTIONAL), 4: _text(element)})


def _repetition(column: Column) -> _Field:
    return _number(_OPTIONAL if column.nullable else _REQUIRED)


def _row_group(columns: Sequence[Column], group: Group) -> bytes:
    """Encodes the struct `RowGroup`, and its `ColumnChunk`s."""
    chunks = [
        _struct({2: _number(chunk.offset, _I64), 3: (_STRUCT, _struct(_chunk(column, chunk)))})
        for column, chunk in zip(columns, group.chunks, strict=True)
    ]
    return _struct(
        {
            1: _list(_STRUCT, chunks),
            2: _number(sum(chunk.size for chunk in group.chunks), _I64),
            3: _number(group.rows, _I64),
        }
    )


def _chunk(column: Column, chunk: Chunk) -> dict[int, _Field]:
    """Makes the struct `ColumnMetaData`."""
    path = (*column.path, *_LIST_PATH) if column.kind == "floats" else column.path
    return {
        1: _number(_TYPES[column.kind]),
        2: _list(_I32, [_varint(_zigzag(_PLAIN))]),
        3: _list(_BINARY, [_text(name)[1] for name in path]),
        4: _number(_UNCOMPRESSED),
        5: _number(chunk.values, _I64),
        6: _number(chunk.size, _I64),
        7: _number(chunk.size, _I64),
        9: _number(chunk.offset, _I64),
    }


def _struct(fields: Mapping[int, _Field]) -> bytes:
    """Encodes fields in ascending order of their numbers.

    One byte has the kind and the difference to the previous number.
    """
    return b"".join(_fields(fields)) + b"\0"


def _fields(fields: Mapping[int, _Field]) -> Iterator[bytes]:
    before = 0
    for number, (kind, value) in fields.items():
        yield bytes([number - before << 4 | kind]) + value
        before = number


def _number(value: int, kind: int = _I32) -> _Field:
    return kind, _varint(_zigzag(value))


def _text(value: str) -> _Field:
    data = value.encode("utf-8", "replace")
    return _BINARY, _varint(len(data)) + data


def _list(kind: int, items: Sequence[bytes]) -> _Field:
    few = len(items) < 15
    head = bytes([len(items) << 4 | kind]) if few else bytes([0xF0 | kind]) + _varint(len(items))
    return _LIST, head + b"".join(items)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    """Encodes seven bits per byte, the lowest first. All bytes but the last have the eighth bit set."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _varint_lengths(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the length of each value, which is not negative and has at most 35 bits, as a varint."""
    lengths = np.ones(len(values), np.int64)
    for bits in (7, 14, 21, 28):
        lengths += values >> bits > 0
    return lengths
