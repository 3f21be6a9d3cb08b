"""Writes Parquet files of texts and numbers, row group by row group, for annotations of images."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from shared.archiving.layout.parquet_metadata import (
    MAGIC,
    Chunk,
    Column,
    Group,
    footer,
    kind_of,
    levels,
    page_header,
    plain,
)

_GROUP_ROWS = 8192
_GROUP_BYTES = 4 << 20


class ParquetWriter:
    """Makes a file with these columns, which hold texts, 64-bit whole numbers or doubles.

    The cells of `nullable` columns may be null.

    The file is the output of `begin`, `add` and `end`, in this order. Only one row group is held in memory. It ends
    with the call that makes it 8,192 rows or 4 MiB long. The footer grows by about 1 kB with each row group.
    """

    def __init__(
        self, columns: Mapping[str, type[str | int | float]], nullable: Collection[str] = ()
    ) -> None:
        self._columns = [
            Column((name,), kind_of(kind), nullable=name in nullable) for name, kind in columns.items()
        ]
        self._nulls: dict[str, list[bool]] = {name: [] for name in nullable}
        self._cells = {name: bytearray() for name in columns}
        self._held_rows = 0
        self._held_bytes = 0
        self._groups: list[Group] = []
        self._size = len(MAGIC)

    def begin(self) -> bytes:
        """Returns the bytes before the first row."""
        return MAGIC

    def add(self, columns: Mapping[str, Sequence[str | int | float | None]]) -> bytes:
        """Adds rows, by column. Returns the file's next bytes, which are empty until the row group is full."""
        for (name, cells), column in zip(self._cells.items(), self._columns, strict=True):
            found = plain(column.kind, columns[name])
            cells.extend(found)
            self._held_bytes += len(found)
        for name, nulls in self._nulls.items():
            nulls.extend(cell is None for cell in columns[name])
        self._held_rows += len(columns[next(iter(self._cells))])
        full = self._held_rows >= _GROUP_ROWS or self._held_bytes >= _GROUP_BYTES
        return self._group() if full else b""

    def end(self) -> bytes:
        """Returns the last row group and the footer."""
        group = self._group() if self._held_rows else b""
        return group + footer(self._columns, self._groups)

    def _group(self) -> bytes:
        """Returns the rows in memory as a row group with one page per column."""
        out = bytearray()
        chunks: list[Chunk] = []
        for column, cells in zip(self._columns, self._cells.values(), strict=True):
            nulls = np.array(self._nulls.get(column.path[0], ()), np.bool)
            beginning = levels(column, self._held_rows, nulls)
            header = page_header(self._held_rows, len(beginning) + len(cells)) + beginning
            chunks.append(Chunk(self._size + len(out), len(header) + len(cells), self._held_rows))
            out += header
            out += cells
            cells.clear()
        for held in self._nulls.values():
            held.clear()
        self._groups.append(Group(self._held_rows, chunks))
        self._size += len(out)
        self._held_rows = self._held_bytes = 0
        return bytes(out)
