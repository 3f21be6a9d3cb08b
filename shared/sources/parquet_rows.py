"""Rows out of a Parquet file in storage, by ranged reads: the footer, then the wanted columns, batch by batch.

pyarrow is an optional part of the app, and reads synchronously: it works in a thread, which asks the event loop for
the bytes.
"""

import asyncio
import importlib.util
import io
from collections.abc import AsyncIterator, Buffer, Iterator, Sequence
from typing import Any

from shared.errors import NotFound, Permanent, Unavailable
from shared.sources.rows import Row
from shared.sources.tables import ColumnNames, named
from shared.storage.blobs import BlobStore

MISSING = "reading Parquet lists needs pyarrow: install the app with its extra, pixcrawler[parquet]"
_BATCH_ROWS = 500
_BUFFER_BYTES = 1 << 20
_READ_SECONDS = 120.0
_MAX_FOOTER_BYTES = 100_000_000
_MAX_OTHERS = 20


def can_read_parquet() -> bool:
    """Whether pyarrow is installed."""
    return importlib.util.find_spec("pyarrow") is not None


async def read_parquet(blobs: BlobStore, name: str, columns: ColumnNames, skip: int) -> AsyncIterator[Row]:
    """The rows from number `skip` on; the columns asked for and the first 20 other plain ones make the rows' fields.

    In memory are the footer, and of each column one page and one batch of values.

    Raises:
        Permanent: there is no pyarrow, or the blob is not Parquet, or broken, or lacks a column that is needed, or
            has one that holds no text.
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
            yield Row(row)


def _batches(file: "_RangeFile", columns: ColumnNames, skip: int) -> Iterator[list[dict[str, object]]]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise Permanent(MISSING) from None
    try:
        opened = parquet.ParquetFile(
            file,
            buffer_size=_BUFFER_BYTES,
            pre_buffer=False,
            thrift_string_size_limit=_MAX_FOOTER_BYTES,
            thrift_container_size_limit=1_000_000,
        )
        groups, before = _groups_from(opened.metadata, skip)
        wanted = _plain_columns(opened.schema_arrow, columns)
        ahead = skip - before
        for batch in opened.iter_batches(_BATCH_ROWS, groups, [*wanted], use_threads=False):
            rows = batch.slice(min(ahead, batch.num_rows))
            yield rows.rename_columns([wanted[name] for name in rows.schema.names]).to_pylist()
            ahead -= min(ahead, batch.num_rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, _StorageError):
            raise Unavailable("Storage did not give the Parquet file.") from error
        raise Permanent("The URL list is not Parquet, or is broken.") from None


def _groups_from(metadata: Any, skip: int) -> tuple[list[int], int]:
    """The row groups that hold rows from `skip` on, and how many rows are before them."""
    before = 0
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        if before + group.num_rows > skip:
            return list(range(index, metadata.num_row_groups)), before
        before += group.num_rows
    return [], before


def _plain_columns(schema: Any, columns: ColumnNames) -> dict[str, str]:
    """The named columns that there are, and the first others, without nested and binary ones; each with its name.

    A column that is not among those asked for for its case only counts as the one there.
    """
    from pyarrow import types

    refused = (types.is_nested, types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
    plain = [field.name for field in schema if not any(refuses(field.type) for refuses in refused)]
    _check_needed(schema, plain, columns.needed)
    called = dict(zip(plain, named(plain, columns), strict=True))
    others = [column for column, name in called.items() if name not in columns.asked]
    return {column: name for column, name in called.items() if column not in others[_MAX_OTHERS:]}


def _check_needed(schema: Any, plain: Sequence[str], needed: Sequence[str]) -> None:
    """See that the columns that are needed, as far as they are there at all, are among the plain ones."""
    wanted = {name.casefold() for name in needed} - {name.casefold() for name in plain}
    for field in schema:
        if field.name.casefold() in wanted:
            kind = str(field.type)[:100]
            raise Permanent(f"The list's column {field.name[:100]!r} holds no text: it is {kind}.")


class _StorageError(OSError):
    """Storage failed while Parquet was being read."""


class _RangeFile(io.RawIOBase):
    """A blob as a file for another thread than the event loop's; each read is a ranged read."""

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
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
