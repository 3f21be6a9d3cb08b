"""Writes Parquet files of texts and numbers, row group by row group, without a library.

A library for this would be the app's largest dependency, and this module needs one kind of page only. Format:
https://github.com/apache/parquet-format, README.md and parquet.thrift. The structures there are in Thrift's compact
protocol, https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

_MAGIC = b"PAR1"
_GROUP_ROWS = 8192
_GROUP_BYTES = 4 << 20
_LENGTH = struct.Struct("<I")
# kinds of fields in Thrift's compact protocol
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
# values of parquet.thrift's enums
_INT64, _DOUBLE, _BYTE_ARRAY = 2, 5, 6  # Type
_REQUIRED, _UTF8, _PLAIN, _RLE, _UNCOMPRESSED, _DATA_PAGE = 0, 0, 0, 3, 0, 0

type _Kind = type[str | int | float]
"""What the cells of a column are."""

_TYPES: Mapping[_Kind, int] = {str: _BYTE_ARRAY, int: _INT64, float: _DOUBLE}
_PACKED: Mapping[_Kind, str] = {int: "q", float: "d"}

type _Field = tuple[int, bytes]
"""The kind of a field, and its value as bytes."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One column of a row group: `size` bytes of the file from `offset` on. They begin with the header of its page."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class _Group:
    """One row group."""

    rows: int
    chunks: Sequence[_Chunk]


class ParquetWriter:
    """Makes a file with these columns. Each holds texts, 64-bit whole numbers or doubles. No cell is null.

    The file is the output of `begin`, `add` and `end`, in this order. Only one row group is held in memory. It ends
    with the call that makes it 8,192 rows or 4 MiB long. The footer grows by about 1 kB with each row group.
    """

    def __init__(self, columns: Mapping[str, _Kind]) -> None:
        self._kinds = dict(columns)
        self._cells = {name: bytearray() for name in columns}
        self._held_rows = 0
        self._held_bytes = 0
        self._groups: list[_Group] = []
        self._size = len(_MAGIC)

    def begin(self) -> bytes:
        """Returns the bytes before the first row."""
        return _MAGIC

    def add(self, columns: Mapping[str, Sequence[str | int | float]]) -> bytes:
        """Adds rows, by column. Returns the file's next bytes, which are empty until the row group is full."""
        for name, cells in self._cells.items():
            found = _cells(self._kinds[name], columns[name])
            cells.extend(found)
            self._held_bytes += len(found)
        self._held_rows += len(columns[next(iter(self._cells))])
        full = self._held_rows >= _GROUP_ROWS or self._held_bytes >= _GROUP_BYTES
        return self._group() if full else b""

    def end(self) -> bytes:
        """Returns the last row group and the footer."""
        group = self._group() if self._held_rows else b""
        footer = _struct(self._metadata())
        return group + footer + _LENGTH.pack(len(footer)) + _MAGIC

    def _group(self) -> bytes:
        """Returns the rows in memory as a row group with one page per column."""
        out = bytearray()
        chunks: list[_Chunk] = []
        for cells in self._cells.values():
            header = _page_header(self._held_rows, len(cells))
            chunks.append(_Chunk(self._size + len(out), len(header) + len(cells)))
            out += header
            out += cells
            cells.clear()
        self._groups.append(_Group(self._held_rows, chunks))
        self._size += len(out)
        self._held_rows = self._held_bytes = 0
        return bytes(out)

    def _metadata(self) -> dict[int, _Field]:
        """Makes the struct `FileMetaData`."""
        root = {4: _text("schema"), 5: _number(len(self._kinds))}
        schema = [_struct(root), *(_schema_element(name, kind) for name, kind in self._kinds.items())]
        return {
            1: _number(1),
            2: _list(_STRUCT, schema),
            3: _number(sum(group.rows for group in self._groups), _I64),
            4: _list(_STRUCT, [self._row_group(group) for group in self._groups]),
            6: _text("PixCrawler"),
        }

    def _row_group(self, group: _Group) -> bytes:
        """Encodes the struct `RowGroup`, and its `ColumnChunk`s."""
        chunks = [
            _struct(
                {2: _number(chunk.offset, _I64), 3: (_STRUCT, _struct(_chunk(name, kind, group.rows, chunk)))}
            )
            for (name, kind), chunk in zip(self._kinds.items(), group.chunks, strict=True)
        ]
        return _struct(
            {
                1: _list(_STRUCT, chunks),
                2: _number(sum(chunk.size for chunk in group.chunks), _I64),
                3: _number(group.rows, _I64),
            }
        )


def _cells(kind: _Kind, values: Sequence[str | int | float]) -> bytes:
    """Encodes the values of a column in the encoding PLAIN (Encodings.md)."""
    if kind is not str:
        return struct.pack(f"<{len(values)}{_PACKED[kind]}", *values)
    texts = [str(value).encode("utf-8", "replace") for value in values]
    return b"".join(chain.from_iterable(zip(map(_LENGTH.pack, map(len, texts)), texts, strict=True)))


def _schema_element(name: str, kind: _Kind) -> bytes:
    """Encodes the struct `SchemaElement`. A text is declared in two ways, for old and for new readers of the format."""
    text = kind is str
    fields = {1: _number(_TYPES[kind]), 3: _number(_REQUIRED), 4: _text(name)}
    if text:
        fields[6] = _number(_UTF8)
        fields[10] = (_STRUCT, _struct({1: (_STRUCT, _struct({}))}))
    return _struct(fields)


def _chunk(name: str, kind: _Kind, rows: int, chunk: _Chunk) -> dict[int, _Field]:
    """Makes the struct `ColumnMetaData`."""
    return {
        1: _number(_TYPES[kind]),
        2: _list(_I32, [_varint(_zigzag(_PLAIN))]),
        3: _list(_BINARY, [_text(name)[1]]),
        4: _number(_UNCOMPRESSED),
        5: _number(rows, _I64),
        6: _number(chunk.size, _I64),
        7: _number(chunk.size, _I64),
        9: _number(chunk.offset, _I64),
    }


def _page_header(rows: int, size: int) -> bytes:
    """Encodes the struct `PageHeader` of a data page. It has no levels, because nothing is optional or repeated."""
    page = {1: _number(rows), 2: _number(_PLAIN), 3: _number(_RLE), 4: _number(_RLE)}
    return _struct({1: _number(_DATA_PAGE), 2: _number(size), 3: _number(size), 5: (_STRUCT, _struct(page))})


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
    data = value.encode()
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
