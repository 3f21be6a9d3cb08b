"""Reads rows of a Parquet file in storage by ranged reads: the footer, then the wanted columns, batch by batch.

pyarrow is an optional dependency and reads synchronously. It works in a thread, which asks the event loop for the
bytes.
"""

import asyncio
import importlib.util
import io
from collections.abc import AsyncIterator, Buffer, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.errors import NotFound, Permanent, Unavailable
from shared.sources.lists.parquet_pages import BROKEN, page_sizes, row_groups
from shared.sources.lists.parquet_values import Unreadable, is_plain, values_of
from shared.sources.lists.rows import Row
from shared.sources.lists.tables import ColumnNames, named
from shared.storage.blobs import BlobStore

MISSING = "reading Parquet lists needs pyarrow: install the app with its extra, pixcrawler-app[parquet]"
_BATCH_ROWS = 500
_BATCH_BYTES = 256 << 20
_BUFFER_BYTES = 1 << 20
_READ_SECONDS = 120.0
_MAX_FOOTER_BYTES = 100_000_000
_MAX_OTHERS = 20
# the footer's length and the magic number are not part of any page
_END_BYTES = 8


def can_read_parquet() -> bool:
    """Whether pyarrow is installed."""
    return importlib.util.find_spec("pyarrow") is not None


async def read_parquet(blobs: BlobStore, name: str, columns: ColumnNames, skip: int) -> AsyncIterator[Row]:
    """Yields the rows from number `skip` on. Fields are the requested columns and the first 20 other plain ones.

    Memory holds the footer, and one page and one batch of values of each column. A batch has fewer rows if long
    values may repeat. A row with an unreadable value has a problem.

    Raises:
        Permanent: pyarrow is not installed; or the blob is not Parquet or is broken; or a required column is missing,
            or one holds no text; or pages decompress to more than a limit.
        NotFound: there is no such blob.
        Unavailable: storage did not answer.
    """
    info = await blobs.info(name)
    if info is None:
        raise NotFound(f"There is no blob {name}.")
    file = _RangeFile(blobs, name, info.size_bytes, asyncio.get_running_loop())
    batches = _batches(file, columns, skip)
    while (rows := await asyncio.to_thread(next, batches, None)) is not None:
        for row in rows:
            yield row


def _batches(file: "_RangeFile", columns: ColumnNames, skip: int) -> Iterator[Sequence[Row]]:
    try:
        import pyarrow as pa
    except ImportError:
        raise Permanent(MISSING) from None
    try:
        at = skip
        try:
            for rows in _groups(file, columns, skip):
                yield rows
                at += len(rows)
        except pa.ArrowInvalid:
            # pyarrow refuses a whole dictionary with a text that is not UTF-8; among plain texts, only that text is
            # bad
            file.hides_arrow_types = True
            yield from _groups(file, columns, at)
    except (pa.ArrowException, OSError, ValueError, ArithmeticError, LookupError, MemoryError) as error:
        if isinstance(error, _StorageError):
            raise Unavailable("Storage did not give the Parquet file.") from error
        raise Permanent(BROKEN) from None


def _groups(file: "_RangeFile", columns: ColumnNames, skip: int) -> Iterator[Sequence[Row]]:
    """Yields batches of rows, row group by row group."""
    from pyarrow import parquet

    groups = row_groups(file)
    opened = parquet.ParquetFile(
        file,
        buffer_size=_BUFFER_BYTES,
        pre_buffer=False,
        thrift_string_size_limit=_MAX_FOOTER_BYTES,
        thrift_container_size_limit=1_000_000,
    )
    wanted = _plain_columns(opened.schema_arrow, columns)
    problems = _without_text(opened.schema_arrow, columns.requested) if skip == 0 else ()
    for index, group in enumerate(groups):
        if group.num_rows <= skip:
            skip -= group.num_rows
            continue
        sizes = page_sizes(file, group, wanted)
        count = max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(sizes.value_bytes, 1)))
        for batch in opened.iter_batches(count, [index], [*wanted], use_threads=False):
            if batch.num_rows > skip:
                rows = _rows(batch.slice(skip), wanted)
                if problems:
                    rows[0] = replace(
                        rows[0], problem="; ".join([*problems, *filter(None, [rows[0].problem])])
                    )
                    problems = ()
                yield rows
            skip -= min(skip, batch.num_rows)


def _rows(batch: Any, wanted: Mapping[str, str]) -> list[Row]:
    """Returns the batch's rows.

    A row with an unreadable value has a problem. Of columns with one name the first counts.
    """
    columns: dict[str, Sequence[object]] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in wanted and wanted[name] not in columns:
            columns[wanted[name]] = values_of(column)
    return [_row(dict(zip(columns, values, strict=True))) for values in zip(*columns.values(), strict=True)]


def _row(fields: Mapping[str, object]) -> Row:
    for name, value in fields.items():
        if isinstance(value, Unreadable):
            return Row(None, f"the column {name[:100]!r} has a value {value.why}")
    return Row(fields)


def _plain_columns(schema: Any, columns: ColumnNames) -> dict[str, str]:
    """Maps columns to the fields' names: the requested columns that exist, and the first others that are plain.

    Nested and binary columns are not plain. A requested name matches a column that differs only in case.
    """
    for problem in _without_text(schema, columns.required):
        raise Permanent(f"The list's {problem}.")
    plain = [field.name for field in schema if is_plain(field.type)]
    called = dict(zip(plain, named(plain, columns), strict=True))
    others = [column for column, name in called.items() if name not in columns.requested]
    return {column: name for column, name in called.items() if column not in others[_MAX_OTHERS:]}


def _without_text(schema: Any, names: Sequence[str]) -> Sequence[str]:
    """Returns those of the columns that exist and hold no text, each with what it holds."""
    plain = {field.name.casefold() for field in schema if is_plain(field.type)}
    wanted = {name.casefold() for name in names} - plain
    return [
        f"column {field.name[:100]!r} holds no text: it is {str(field.type)[:100]}"
        for field in schema
        if field.name.casefold() in wanted
    ]


class _StorageError(OSError):
    """Storage failed while Parquet was being read."""


class _RangeFile(io.RawIOBase):
    """A blob as a file for a thread other than the event loop's. Each read is a ranged read."""

    hides_arrow_types = False
    """Whether the footer hides the Arrow types from which the columns were written."""

    def __init__(self, blobs: BlobStore, name: str, size_bytes: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._blobs = blobs
        self._name = name
        self._size = size_bytes
        self._loop = loop
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        length = min(len(view), self._size - self._at)
        if length <= 0:
            return 0
        reading = self._blobs.get(self._name, offset=self._at, length=length)
        try:
            data = asyncio.run_coroutine_threadsafe(reading, self._loop).result(_READ_SECONDS)
        except Exception as error:
            raise _StorageError("the ranged read failed") from error
        if self.hides_arrow_types and self._at + len(data) >= self._size - _END_BYTES:
            data = data.replace(b"ARROW:schema", b"ARROW-hidden")
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
