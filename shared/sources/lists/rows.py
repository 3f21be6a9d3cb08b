"""Reads rows from a stream of bytes: text lines, tables, JSON lines and arrays, also gzipped.

A list is never whole in memory. Other tasks run after each small piece of text, whatever it holds. A long run of
blank lines costs as much as a few of them.
"""

import asyncio
import codecs
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.errors import Permanent
from shared.sources.lists.json_array import json_elements
from shared.sources.lists.tables import (
    MAX_LINE_BYTES,
    MAX_LINES,
    TOO_LONG,
    ColumnNames,
    Columns,
    read_records,
)
from shared.text.gzip_members import PIECE_BYTES, BadGzip, GzipLimits, unzip_stream

type Format = Literal["txt", "csv", "tsv", "jsonl", "json"]

FORMATS: tuple[Format, ...] = ("txt", "csv", "tsv", "jsonl", "json")
_LIMITS = GzipLimits()
_NOT_UTF8 = "not UTF-8"
_NO_NAMES = ColumnNames()
# bytes that are not UTF-8 become these; UTF-8 never does
_UNREADABLE = re.compile("[\udc80-\udcff]")
_BLANK_LINES = re.compile(rb"\n(?:[ \t\r]*+\n){%d,}+" % MAX_LINES)
_BLANK_ROWS = re.compile(rb"\n(?:[ \t\r,;]*+\n){%d,}+" % MAX_LINES)
# this many blank lines end a record that spans several lines
_FEW_BLANKS = b"\n" * (MAX_LINES + 1)


@dataclass(frozen=True, slots=True)
class Row:
    """A row's fields by name, or None if it cannot be read. `problem` says what is wrong with it, if anything is."""

    fields: Mapping[str, object] | None
    problem: str | None = None


async def read_rows(
    stream: AsyncIterator[bytes], list_format: Format, *, gzipped: bool, names: ColumnNames = _NO_NAMES
) -> AsyncIterator[Row]:
    """Yields the rows of a list, which is UTF-8, or UTF-16 with its mark. Blank lines are skipped.

    A row in another encoding cannot be read, and does not affect the others. A table's first row names its columns.
    It is read as far as possible, and a requested name matches a column that differs only in case. If gzip breaks off
    in the middle, or exceeds its limits, the rows before that are read, and the last row reports it.

    Raises:
        Permanent: the stream should be gzip and is not, should hold a JSON array and does not, or is a table without
            a required column.
    """
    broken: list[str] = []
    pieces = _in_utf8(_unzipped(stream, broken) if gzipped else _small(stream, broken))
    if list_format == "json":
        rows = _array_rows(pieces)
    elif list_format in {"csv", "tsv"}:
        rows = _table_rows(
            _texts(pieces, _BLANK_ROWS if list_format == "csv" else _BLANK_LINES),
            "\t" if list_format == "tsv" else ",",
            names,
        )
    else:
        rows = _line_rows(_texts(pieces), list_format)
    async for row in rows:
        yield row
    for problem in broken:
        yield Row(None, problem)


async def _line_rows(lines: AsyncIterator[str | None], list_format: Format) -> AsyncIterator[Row]:
    async for line in lines:
        if line is None:
            yield Row(None, TOO_LONG)
        elif _is_unreadable(line):
            yield Row(None, _NOT_UTF8)
        elif line.strip():
            for row in [_json_row(line)] if list_format == "jsonl" else _address_rows(line):
                yield row


def _address_rows(line: str) -> Iterator[Row]:
    """Yields one address per line, also with old line ends.

    Browsers would remove a tab or line break from an address.
    """
    for text in line.split("\r"):
        if "\t" in text.strip():
            yield Row(None, "a tab divides it: columns are read from the formats csv and tsv")
        elif text.strip():
            yield Row({"url": text.strip()})


async def _table_rows(
    lines: AsyncIterator[str | None], delimiter: str, names: ColumnNames
) -> AsyncIterator[Row]:
    columns: Columns | None = None
    async for record in read_records(lines, delimiter):
        if isinstance(record, str):
            yield Row(None, record)
        elif columns is None:
            if any(map(_is_unreadable, record.cells)):
                yield Row(None, _NOT_UTF8)
            cells = [_UNREADABLE.sub("\ufffd", cell).strip() for cell in record.cells]
            columns = Columns(cells, names)
            for name in columns.repeated:
                yield Row(None, f"the column {name[:100]!r} is there more than once: the first counts")
        elif _is_unreadable(record.text):
            yield Row(None, _NOT_UTF8)
        else:
            yield Row(*columns.fields(record))


async def _array_rows(pieces: AsyncIterator[bytes]) -> AsyncIterator[Row]:
    async for element in json_elements(pieces, MAX_LINE_BYTES):
        if element is None:
            yield Row(None, TOO_LONG)
        elif isinstance(element, str):
            yield Row(None, element)
        else:
            text = _decoded(element)
            yield Row(None, _NOT_UTF8) if _is_unreadable(text) else _json_row(text)


def _decoded(data: bytes) -> str:
    """Decodes the text. Bytes that are not UTF-8 make it `_is_unreadable`. Lines and quotes stay where they are."""
    return data.decode("utf-8", "surrogateescape")


def _is_unreadable(text: str) -> bool:
    return not text.isascii() and _UNREADABLE.search(text) is not None


def _json_row(text: str) -> Row:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Row(None, "not JSON")
    if isinstance(value, str):
        return Row({"url": value})
    return Row(value) if isinstance(value, dict) else Row(None, "not a JSON object")


async def _texts(
    pieces: AsyncIterator[bytes], blanks: re.Pattern[bytes] = _BLANK_LINES
) -> AsyncIterator[str | None]:
    async for line in _lines(pieces, blanks):
        yield line if line is None else _decoded(line).strip("\ufeff\r\n")


async def _in_utf8(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Converts UTF-16 to UTF-8 if a byte order mark declares it. Other bytes stay unchanged.

    Half a character of UTF-16 becomes bytes that are not UTF-8 either.
    """
    decoder: codecs.IncrementalDecoder | None = None
    begun, rest = False, b""
    async for piece in pieces:
        data = rest + piece
        if not begun and len(data) < len(codecs.BOM_UTF16):
            rest = data
            continue
        if not begun and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
        begun, rest = True, b""
        yield decoder.decode(data).encode("utf-8", "surrogatepass") if decoder else data
    if decoder is None:
        yield rest
    elif decoder.getstate()[0]:
        yield b"\xff"


async def _lines(pieces: AsyncIterator[bytes], blanks: re.Pattern[bytes]) -> AsyncIterator[bytes | None]:
    """Yields lines without their ends. None stands for one that is too long. A long run of blank lines is shortened."""
    rest = b""
    too_long = False
    async for piece in pieces:
        *lines, rest = blanks.sub(_FEW_BLANKS, rest + piece).split(b"\n")
        for line in lines:
            yield None if too_long or len(line) > MAX_LINE_BYTES else line
            too_long = False
        if len(rest) > MAX_LINE_BYTES:
            rest, too_long = b"", True
    if rest or too_long:
        yield None if too_long else rest


async def _unzipped(stream: AsyncIterator[bytes], broken: list[str]) -> AsyncIterator[bytes]:
    """Yields decompressed pieces. An error after the first piece is appended to `broken`."""
    given = False
    try:
        async for piece in unzip_stream(stream, _LIMITS):
            given = True
            yield piece
    except BadGzip as error:
        if not given:
            raise Permanent(f"The URL list {error}.") from None
        broken.append(f"the gzip stream {error}: it is read no further")


async def _small(stream: AsyncIterator[bytes], broken: list[str]) -> AsyncIterator[bytes]:
    """Yields the stream in small pieces, up to the size that gzip may reach. Other tasks run between them."""
    remaining = _LIMITS.max_bytes
    async for data in stream:
        for at in range(0, min(remaining, len(data)), PIECE_BYTES):
            yield data[at : min(remaining, at + PIECE_BYTES)]
            await asyncio.sleep(0)
        remaining -= len(data)
        if remaining < 0:
            broken.append(f"the list has more than {_LIMITS.max_bytes:,} bytes: it is read no further")
            return
