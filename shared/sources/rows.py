"""Rows out of a stream of bytes: text lines, tables, JSON lines and arrays, also gzipped, never whole in memory."""

import csv
import json
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Literal

from shared.errors import Permanent
from shared.sources.json_array import json_elements

type Row = Mapping[str, object] | str
"""A row's fields by name; or, for a row that cannot be read, what is wrong with it."""

type Format = Literal["txt", "csv", "tsv", "jsonl", "json"]

FORMATS: tuple[Format, ...] = ("txt", "csv", "tsv", "jsonl", "json")
_MAX_LINE_BYTES = 100_000
_MAX_PIECE_BYTES = 1 << 20
_TOO_LONG = f"longer than {_MAX_LINE_BYTES:,} bytes"


async def read_rows(stream: AsyncIterator[bytes], form: Format, *, gzipped: bool) -> AsyncIterator[Row]:
    """The rows of a list. Blank lines are passed over; a table's first line names its columns.

    Table cells hold no line breaks: a line is a row, so that one stray quote cannot swallow a file. Where gzip breaks
    off in the middle, the rows before are read, and the last row tells so.

    Raises:
        Permanent: the stream is not gzip although it should be, or holds no JSON array although it should.
    """
    broken: list[str] = []
    pieces = _unzipped(stream, broken) if gzipped else stream
    rows = _array_rows(pieces) if form == "json" else _line_rows(pieces, form)
    async for row in rows:
        yield row
    for problem in broken:
        yield problem


async def _line_rows(pieces: AsyncIterator[bytes], form: Format) -> AsyncIterator[Row]:
    header: list[str] | None = None
    async for line in _lines(pieces):
        if line is None:
            yield _TOO_LONG
            continue
        text = line.decode("utf-8", "replace").strip("\ufeff\r\n")
        if not text.strip():
            continue
        if form == "txt":
            yield {"url": text.strip()}
        elif form == "jsonl":
            yield _json_row(text)
        else:
            cells = _cells(text, "\t" if form == "tsv" else ",")
            if cells is None:
                yield "a line break within it is neither \\n nor \\r\\n"
            elif header is None:
                header = [cell.strip() for cell in cells]
            else:
                yield dict(zip(header, cells, strict=False))


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The cells of a table's line; None where a carriage return stands alone in it, which ends a line for `csv`."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return None


async def _array_rows(pieces: AsyncIterator[bytes]) -> AsyncIterator[Row]:
    async for element in json_elements(pieces, _MAX_LINE_BYTES):
        if element is None:
            yield _TOO_LONG
        else:
            yield element if isinstance(element, str) else _json_row(element.decode("utf-8", "replace"))


def _json_row(text: str) -> Row:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "not JSON"
    if isinstance(value, str):
        return {"url": value}
    return value if isinstance(value, dict) else "not a JSON object"


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes | None]:
    """Lines without their ends; None in place of one that is too long."""
    rest = b""
    too_long = False
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield None if too_long or len(line) > _MAX_LINE_BYTES else line
            too_long = False
        if len(rest) > _MAX_LINE_BYTES:
            rest, too_long = b"", True
    if rest or too_long:
        yield None if too_long else rest


async def _unzipped(stream: AsyncIterator[bytes], broken: list[str]) -> AsyncIterator[bytes]:
    """Decompressed pieces of 1 MiB at most, whatever the ratio; members behind each other are one stream.

    Zeros behind a member are padding, as for gzip itself. What breaks behind the first piece goes into `broken`.
    """
    engine, inside, given = zlib.decompressobj(wbits=31), False, False
    async for piece in stream:
        data = piece
        while data := data if inside else data.lstrip(b"\0"):
            try:
                out = engine.decompress(data, _MAX_PIECE_BYTES)
            except zlib.error:
                if not given:
                    raise Permanent("The URL list is not gzip, or is broken.") from None
                broken.append("the gzip stream is broken from here on")
                return
            inside, data = not engine.eof, engine.unconsumed_tail
            if engine.eof:
                data = engine.unused_data
                engine = zlib.decompressobj(wbits=31)
            if out:
                given = True
                yield out
    if inside:
        broken.append("the gzip stream ends too early")
