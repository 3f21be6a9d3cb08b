"""Computes a Parquet file of images, row group by row group.

A page has one image, so the place of every image is known, and a reader needs memory for one image only. The other
columns have one page per row group. Format: see `parquet_metadata`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.layout import Data, cut
from shared.archiving.layout.parquet_metadata import (
    LENGTH,
    MAGIC,
    Chunk,
    Column,
    Group,
    footer,
    levels,
    list_levels,
    page_header,
    page_header_lengths,
    value_counts,
)

_GROUP_ROWS = 100
_GROUP_BYTES = 100_000_000


class Cells(Protocol):
    """The columns beside the images. Their cells are encoded as `parquet_metadata.plain` does it."""

    @property
    def columns(self) -> Sequence[Column]:
        """The columns, in order."""
        ...

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The length of each encoded cell, with a row for each image and a column for each column. A null has none."""
        ...

    def cell(self, row: int, column: int) -> bytes | int:
        """Returns an encoded cell, or the number of the entry that has it."""
        ...


class ParquetLayout:
    """The layout of a file with these images (see `Layout`). Entry n is the image of row n.

    The first column has the images, and the others are those of the `cells`, which may have entries of their own. A
    row group has 100 rows, or fewer if its images have 100 MB together.
    """

    def __init__(
        self, image: Column, sizes: NDArray[np.int64], cells: Cells, key_values: Mapping[str, str]
    ) -> None:
        self._sizes = sizes
        self._cells = cells
        self._bounds = np.array(_group_bounds(sizes), np.int64)
        rows, width = np.diff(self._bounds), len(cells.columns)
        self._columns = (image, *cells.columns)
        before_image = len(levels(image, 1)) + LENGTH.size
        images = sizes + before_image
        headers = page_header_lengths(np.ones(len(sizes), np.int64), images)
        self._data_offset = headers + before_image
        self._pages = np.add.reduceat(cells.lengths, self._bounds[:-1], axis=0)
        self._pages += [[len(self._levels(group, at)) for at in range(width)] for group in range(len(rows))]
        counts = [value_counts(column, cells.lengths[:, at]) for at, column in enumerate(cells.columns)]
        self._values = np.stack([np.add.reduceat(column, self._bounds[:-1]) for column in counts], axis=1)
        page_headers = page_header_lengths(self._values.ravel(), self._pages.ravel())
        # the segments of a group, in the order of the file, are a page for each image and one for each column
        self._group_segments = self._bounds + np.arange(len(self._bounds)) * width
        is_image = np.ones(len(sizes) + len(rows) * width, np.bool)
        for column in range(width):
            is_image[self._group_segments[1:] - width + column] = False
        segments = np.empty(len(is_image), np.int64)
        segments[is_image] = headers + images
        segments[~is_image] = page_headers + self._pages.ravel()
        self._image_segments = np.flatnonzero(is_image)
        self._offsets = len(MAGIC) + np.concatenate([np.zeros(1, np.int64), np.cumsum(segments)])
        groups = [self._group(number) for number in range(len(rows))]
        self._footer = footer(self._columns, groups, key_values)

    @property
    def data_offsets(self) -> NDArray[np.int64]:
        """The offset of each image in the file, in bytes."""
        return self._offsets[self._image_segments] + self._data_offset

    @property
    def size(self) -> int:
        """See `Layout.size`."""
        return int(self._offsets[-1]) + len(self._footer)

    def between(self, start: int, end: int) -> Iterator[bytes | Data]:
        """See `Layout.between`."""
        yield cut(MAGIC, 0, start, end)
        first = max(0, int(np.searchsorted(self._offsets, start, side="right")) - 1)
        for segment in range(first, len(self._offsets) - 1):
            at = int(self._offsets[segment])
            if at >= end:
                return
            yield from self._segment(segment, at, start, end)
        yield cut(self._footer, int(self._offsets[-1]), start, end)

    def _segment(self, segment: int, at: int, start: int, end: int) -> Iterator[bytes | Data]:
        """Yields the part between `start` and `end` of a page, whose header is at `at`."""
        group = int(np.searchsorted(self._group_segments, segment, side="right")) - 1
        row = int(self._bounds[group]) + segment - int(self._group_segments[group])
        stop = int(self._bounds[group + 1])
        if row < stop:
            size = int(self._sizes[row])
            beginning = levels(self._columns[0], 1) + LENGTH.pack(size)
            header = page_header(1, size + len(beginning)) + beginning
            yield cut(header, at, start, end)
            yield from _data(row, size, at + len(header), start, end)
            return
        column, begin = row - stop, int(self._bounds[group])
        header = page_header(int(self._values[group, column]), int(self._pages[group, column]))
        header += self._levels(group, column)
        yield cut(header, at, start, end)
        at += len(header)
        lengths = self._cells.lengths[begin:stop, column].tolist()
        for number, length in enumerate(lengths, start=begin):
            if start < at + length and at < end:
                cell = self._cells.cell(number, column)
                if isinstance(cell, bytes):
                    yield cut(cell, at, start, end)
                else:
                    yield from _data(cell, length, at, start, end)
            at += length

    def _levels(self, group: int, column: int) -> bytes:
        """Returns the beginning of the page of a column. A cell without bytes is null."""
        begin, stop = self._bounds[group : group + 2].tolist()
        described, lengths = self._cells.columns[column], self._cells.lengths[begin:stop, column]
        if described.kind == "floats":
            return list_levels(lengths)
        return levels(described, stop - begin, lengths == 0)

    def _group(self, number: int) -> Group:
        """Describes a row group for the footer."""
        first, last = int(self._group_segments[number]), int(self._group_segments[number + 1])
        width = len(self._cells.columns)
        offsets = self._offsets[[first, *range(last - width, last + 1)]].tolist()
        rows = int(self._bounds[number + 1] - self._bounds[number])
        values = [rows, *self._values[number].tolist()]
        chunks = [
            Chunk(low, high - low, count)
            for (low, high), count in zip(pairwise(offsets), values, strict=True)
        ]
        return Group(rows, chunks)


def _data(entry: int, size: int, at: int, start: int, end: int) -> Iterator[Data]:
    """Yields the part between `start` and `end` of the data of an entry, which begins at `at`."""
    if max(start, at) < min(end, at + size):
        yield Data(entry, max(0, start - at), min(size, end - at))


def _group_bounds(sizes: NDArray[np.int64]) -> list[int]:
    """Returns the bounds of the row groups: each has an image, and exceeds 100 MB by one image at most."""
    ends = np.cumsum(sizes, dtype=np.int64)
    bounds = [0]
    while bounds[-1] < len(sizes):
        before = int(ends[bounds[-1] - 1]) if bounds[-1] else 0
        full = int(np.searchsorted(ends, before + _GROUP_BYTES)) + 1
        bounds.append(min(bounds[-1] + _GROUP_ROWS, full, len(sizes)))
    return bounds
