"""Rows out of a stream of bytes: text lines, tables, JSON lines and arrays, also gzipped, never whole in memory."""

import asyncio
import codecs
import json
import re
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Literal

from shared.errors import Permanent
from shared.sources.json_array import json_elements
from shared.sources.tables import MAX_LINE_BYTES, TOO_LONG, ColumnNames, named, read_records

type Row = Mapping[str, object] | str
"""A row's fields by name; or, for a row that cannot be read, what is wrong with it."""

type Format = Literal["txt", "csv", "tsv", "jsonl", "json"]

FORMATS: tuple[Format, ...] = ("txt", "csv", "tsv", "jsonl", "json")
_MAX_PIECE_BYTES = 1 << 20
_PART_BYTES = 16 << 10
_NOT_UTF8 = "not UTF-8"
_NO_NAMES = ColumnNames()
_UNREADABLE = re.compile("[\udc80-\udcff]")  # what bytes become that are no UTF-8; UTF-8 itself never does


async def read_rows(
    stream: AsyncIterator[bytes], form: Format, *, gzipped: bool, names: ColumnNames = _NO_NAMES
) -> AsyncIterator[Row]:
    """The rows of a list, which is UTF-8, or UTF-16 with its mark. Blank lines are passed over.

    A row in another encoding cannot be read, and harms no other. A table's first row names its columns, and is read as
    far as it can be; where one of those asked for is there in another case, it counts as that. Where gzip breaks off in
    the middle, the rows before are read, and the last row tells so.

    Raises:
        Permanent: the stream is not gzip although it should be, holds no JSON array although it should, or is a table
            without a column that is needed.
    """
    broken: list[str] = []
    pieces = _in_utf8(_unzipped(stream, broken) if gzipped else stream)
    if form == "json":
        rows = _array_rows(pieces)
    elif form in {"csv", "tsv"}:
        rows = _table_rows(_texts(pieces), "\t" if form == "tsv" else ",", names)
    else:
        rows = _line_rows(_texts(pieces), form)
    async for row in rows:
        yield row
    for problem in broken:
        yield problem


async def _line_rows(lines: AsyncIterator[str | None], form: Format) -> AsyncIterator[Row]:
    async for line in lines:
        if line is None:
            yield TOO_LONG
        elif _is_unreadable(line):
            yield _NOT_UTF8
        elif line.strip():
            yield _json_row(line) if form == "jsonl" else {"url": line.strip()}


async def _table_rows(
    lines: AsyncIterator[str | None], delimiter: str, names: ColumnNames
) -> AsyncIterator[Row]:
    header: list[str] | None = None
    async for record in read_records(lines, delimiter):
        if isinstance(record, str):
            yield record
            continue
        unreadable = any(map(_is_unreadable, record))
        if unreadable:
            yield _NOT_UTF8
        if header is None:
            header = named([_UNREADABLE.sub("\ufffd", cell).strip() for cell in record], names)
        elif not unreadable:
            yield dict(zip(header, record, strict=False))


async def _array_rows(pieces: AsyncIterator[bytes]) -> AsyncIterator[Row]:
    async for element in json_elements(pieces, MAX_LINE_BYTES):
        if element is None:
            yield TOO_LONG
        elif isinstance(element, str):
            yield element
        else:
            text = _decoded(element)
            yield _NOT_UTF8 if _is_unreadable(text) else _json_row(text)


def _decoded(data: bytes) -> str:
    """The text; it `_is_unreadable` where the bytes are no UTF-8, and what is within lines and quotes stays so."""
    return data.decode("utf-8", "surrogateescape")


def _is_unreadable(text: str) -> bool:
    return not text.isascii() and _UNREADABLE.search(text) is not None


def _json_row(text: str) -> Row:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "not JSON"
    if isinstance(value, str):
        return {"url": value}
    return value if isinstance(value, dict) else "not a JSON object"


async def _texts(pieces: AsyncIterator[bytes]) -> AsyncIterator[str | None]:
    async for line in _lines(pieces):
        yield line if line is None else _decoded(line).strip("\ufeff\r\n")


async def _in_utf8(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """UTF-16 as UTF-8, where a byte order mark tells that it is that; all else as it is.

    Half a character of UTF-16 becomes what is no UTF-8 either.
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


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes | None]:
    """Lines without their ends; None in place of one that is too long."""
    rest = b""
    too_long = False
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield None if too_long or len(line) > MAX_LINE_BYTES else line
            too_long = False
        if len(rest) > MAX_LINE_BYTES:
            rest, too_long = b"", True
    if rest or too_long:
        yield None if too_long else rest


async def _unzipped(stream: AsyncIterator[bytes], broken: list[str]) -> AsyncIterator[bytes]:
    """Decompressed pieces of 1 MiB at most, whatever the ratio; members behind each other are one stream.

    Zeros behind a member are padding, as for gzip itself. What breaks behind the first piece goes into `broken`.
    """
    engine, inside, given = zlib.decompressobj(wbits=31), False, False
    async for part in _parts(stream):
        data, out = part, bytearray()
        while data := data if inside else data.lstrip(b"\0"):
            try:
                out += engine.decompress(data, _MAX_PIECE_BYTES - len(out))
            except zlib.error:
                if not given and not out:
                    raise Permanent("The URL list is not gzip, or is broken.") from None
                broken.append("the gzip stream is broken from here on")
                yield bytes(out)
                return
            inside, data = not engine.eof, engine.unconsumed_tail
            if engine.eof:
                data = engine.unused_data
                engine = zlib.decompressobj(wbits=31)
            if len(out) == _MAX_PIECE_BYTES:
                given = True
                yield bytes(out)
                out.clear()
        if out:
            given = True
            yield bytes(out)
    if inside:
        broken.append("the gzip stream ends too early")


async def _parts(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Small parts, since what is behind a member is copied for each member; others have their turn between them."""
    async for piece in stream:
        for at in range(0, len(piece), _PART_BYTES):
            yield piece[at : at + _PART_BYTES]
            await asyncio.sleep(0)
