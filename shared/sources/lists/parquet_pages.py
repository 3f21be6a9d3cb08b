"""Reads the sizes of a Parquet file's pages from their own headers, before anything is decompressed.

pyarrow allocates as many bytes as a page's header declares, up to 2 GiB, and the footer may declare other sizes. The
structs and their field numbers are those of apache/parquet-format, parquet.thrift.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from io import SEEK_END, RawIOBase
from typing import cast

from shared.errors import Permanent
from shared.sources.lists.thrift_compact import (
    BINARY,
    INT32,
    INT64,
    LIST,
    STRUCT,
    BadThrift,
    CompactReader,
    EndOfThrift,
    Field,
    Struct,
)

BROKEN = "The URL list is not Parquet, or is broken."
_MAX_FOOTER_BYTES = 20_000_000
# the limit for all columns together, in memory at a time; usual pages have 1 to 10 MB
_MAX_PAGES_BYTES = 512 << 20
_FREE_BYTES = 16 << 20
_MAX_RATIO = 200
_MAX_PAGES = 100_000
_BLOCK_BYTES = 64 << 10
# the footer's length and the magic number
_TAIL_BYTES = 8
_DICTIONARY_PAGE = 2
_DELTA_BYTE_ARRAY = 7

_CHUNK = {
    3: Field(LIST, BINARY),  # path_in_schema
    7: Field(INT64),  # total_compressed_size
    9: Field(INT64),  # data_page_offset
    11: Field(INT64),  # dictionary_page_offset
}
# columns, num_rows
_GROUP = {1: Field(LIST, STRUCT, {3: Field(STRUCT, fields=_CHUNK)}), 3: Field(INT64)}
# row_groups
_FILE = {4: Field(LIST, STRUCT, _GROUP)}
_PAGE = {
    1: Field(INT32),  # type
    2: Field(INT32),  # uncompressed_page_size
    3: Field(INT32),  # compressed_page_size
    5: Field(STRUCT, fields={2: Field(INT32)}),  # data_page_header, encoding
    8: Field(STRUCT, fields={4: Field(INT32)}),  # data_page_header_v2, encoding
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A column's part of a row group. Its pages lie from `start` to `end`, in bytes of the file."""

    column: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Some rows, and their chunks."""

    num_rows: int
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class PageSizes:
    """Sums over columns, in bytes: each column's largest page, and its largest page of values that may repeat."""

    page_bytes: int
    value_bytes: int


def row_groups(file: RawIOBase) -> Sequence[RowGroup]:
    """Reads the row groups from the footer.

    Raises:
        Permanent: there is no footer, it is broken, or it is too large.
    """
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES) or b""
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or length > size - _TAIL_BYTES:
        raise Permanent(BROKEN)
    if length > _MAX_FOOTER_BYTES:
        raise Permanent(f"The URL list's footer has more than {_MAX_FOOTER_BYTES:,} bytes.")
    file.seek(size - _TAIL_BYTES - length)
    try:
        found = CompactReader(file.read(length) or b"").struct(_FILE)
        return [_group(cast("Struct", group)) for group in cast("list[object]", found[4])]
    except (BadThrift, LookupError, UnicodeDecodeError):
        raise Permanent(BROKEN) from None


def page_sizes(file: RawIOBase, group: RowGroup, columns: Collection[str]) -> PageSizes:
    """Returns the sizes of the columns' pages in a row group.

    A value of a dictionary page, or one in DELTA_BYTE_ARRAY, may repeat in any number of rows at no cost in the file.

    Raises:
        Permanent: a header cannot be read, or pages decompress to more than the limits.
    """
    found = [_sizes(file, chunk) for chunk in group.chunks if chunk.column in columns]
    sizes = PageSizes(sum(its.page_bytes for its in found), sum(its.value_bytes for its in found))
    if sizes.page_bytes > _MAX_PAGES_BYTES:
        raise Permanent(f"The URL list has pages of more than {_MAX_PAGES_BYTES:,} bytes together.")
    return sizes


def _group(group: Struct) -> RowGroup:
    chunks = [_chunk(cast("Struct", cast("Struct", chunk)[3])) for chunk in cast("list[object]", group[1])]
    return RowGroup(_number(group[3]), chunks)


def _chunk(fields: Struct) -> Chunk:
    column = b".".join(cast("list[bytes]", fields[3])).decode()
    start, length, dictionary = _number(fields[9]), _number(fields[7]), _number(fields.get(11, 0))
    if 0 < dictionary < start:
        start = dictionary
    return Chunk(column, start, start + length)


def _number(value: object) -> int:
    number = cast("int", value)
    if number < 0:
        raise BadThrift
    return number


def _sizes(file: RawIOBase, chunk: Chunk) -> PageSizes:
    at, page_bytes, value_bytes = chunk.start, 0, 0
    for _ in range(_MAX_PAGES):
        if at >= chunk.end:
            return PageSizes(page_bytes, value_bytes)
        header, length = _header(file, at, chunk.end)
        try:
            kind, size, packed = (_number(header[number]) for number in (1, 2, 3))
        except (BadThrift, LookupError):
            raise Permanent(BROKEN) from None
        if size > max(_FREE_BYTES, _MAX_RATIO * packed):
            flaw = f"decompresses to more than {_MAX_RATIO} times its size"
            raise Permanent(f"A page of the list's column {chunk.column[:100]!r} {flaw}.")
        page_bytes = max(page_bytes, size)
        if kind == _DICTIONARY_PAGE or _encoding(header) == _DELTA_BYTE_ARRAY:
            value_bytes = max(value_bytes, size)
        at += length + packed
    raise Permanent(
        f"The list's column {chunk.column[:100]!r} has more than {_MAX_PAGES:,} pages in a row group."
    )


def _encoding(header: Struct) -> object:
    for field, number in ((5, 2), (8, 4)):
        if field in header:
            return cast("Struct", header[field]).get(number)
    return None


def _header(file: RawIOBase, at: int, end: int) -> tuple[Struct, int]:
    """Returns the page's header and its length. A header may hold values, so a small block can be too short for it."""
    for block_bytes in (_BLOCK_BYTES, _BLOCK_BYTES << 8):
        file.seek(at)
        reader = CompactReader(file.read(min(block_bytes, end - at)) or b"")
        try:
            return reader.struct(_PAGE), reader.at
        except EndOfThrift:
            continue
        except BadThrift:
            break
    raise Permanent(BROKEN)
