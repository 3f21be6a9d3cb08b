"""Plans, in a first step, which images the dataset has, and where each of them goes. No text is written yet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.formats.registry import format_of
from shared.archiving.layout.contents import Contents, File, Images
from shared.archiving.layout.names import folder_names
from shared.archiving.layout.parquet_metadata import FLOAT_BYTES
from shared.archiving.order import ArchiveOrder
from shared.archiving.planning.embedding_table import EmbeddingTable, choose_embeddings
from shared.archiving.selection.columns import Columns
from shared.archiving.selection.draw import draw
from shared.archiving.selection.earlier import Earlier
from shared.archiving.selection.outliers import MARKS, find_outliers, names_of
from shared.archiving.selection.select import Limits, Selection, select
from shared.archiving.selection.split import assign_splits


@dataclass(frozen=True, slots=True)
class Places:
    """Where the image of each row of the columns goes. All three are -1 if the row is not selected.

    `split` and `file` are positions in the dataset's splits and files. `offset` is in the file, in bytes.
    """

    split: NDArray[np.int8]
    file: NDArray[np.int32]
    offset: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choice:
    """The images of a dataset, and their places.

    `selection`, `places` and `outliers` (see `find_outliers`) have an entry for each row of `columns`. `images` are the
    selected ones, in the dataset's order, and `files` are those that hold them. `contents` has no texts yet.
    `embeddings` is None if the dataset delivers none.
    """

    columns: Columns
    selection: Selection
    outliers: NDArray[np.float32]
    earlier: Earlier
    images: Images
    contents: Contents
    files: Sequence[File]
    places: Places
    embeddings: EmbeddingTable | None = None

    @property
    def split_counts(self) -> dict[str, int]:
        """The number of images by split. Splits without images are left out."""
        numbers, counts = np.unique(self.images.split, return_counts=True)
        return {
            self.contents.splits[number]: count
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
        }


def choose(order: ArchiveOrder, columns: Columns, earlier: Earlier, sidecars_blob: str) -> Choice:
    """Selects the images of an order, and places them. The images' sidecars will be written to `sidecars_blob`."""
    form = format_of(order.output.format, order.optional_columns)
    limits = Limits(order.max_images_per_label, order.whole_labels, order.max_images)
    selection = select(columns, order.dedup, limits, earlier, order.scores)
    rows, shares = selection.rows, order.splits.shares
    split = assign_splits(columns, rows, shares, order.seed, order.dedup)
    if form.shuffled:
        shuffled = np.lexsort((draw(columns, rows, f"order {order.seed}"), split))
        rows, split = rows[shuffled], split[shuffled]
    outliers = find_outliers(columns, selection.rows)
    embeddings = choose_embeddings(columns, rows) if order.output.embeddings else None
    sizes = _sidecar_sizes(columns, rows, outliers, form)
    if embeddings is not None and form.embedding_sidecar is not None:
        sizes[:, form.embedding_sidecar] = embeddings.delivered[rows] * embeddings.dimensions * FLOAT_BYTES
    images = _images(columns, rows, split, sizes)
    folders = folder_names(columns.labels)
    contents = Contents(
        created_at=order.created_at,
        splits=tuple(shares),
        labels=columns.labels,
        folders=tuple(folders[label] for label in columns.labels),
        shards=columns.shards,
        sidecars=sidecars_blob,
        dimensions=embeddings.dimensions if embeddings is not None else 0,
    )
    files = form.image_files(images, contents, order.output.shard_size) if len(images) else ()
    split_of = np.full(len(columns), -1, np.int8)
    split_of[rows] = split
    file_of = np.full(len(columns), -1, np.int32)
    offset_of = np.full(len(columns), -1, np.int64)
    for number, file in enumerate(files):
        inside = rows[file.start : file.end]
        file_of[inside] = number
        offset_of[inside] = form.image_offsets(file, images, contents)
    places = Places(split_of, file_of, offset_of)
    return Choice(columns, selection, outliers, earlier, images, contents, files, places, embeddings)


def _images(
    columns: Columns, rows: NDArray[np.int64], split: NDArray[np.int8], sidecar_sizes: NDArray[np.int32]
) -> Images:
    return Images(
        index=columns.index[rows],
        label=columns.label[rows],
        split=split,
        extension=columns.extension[rows],
        shard=columns.shard[rows],
        offset=columns.offset[rows],
        size=columns.size[rows],
        crc32=columns.crc32[rows],
        sidecar_offset=_sidecar_offsets(columns, rows, sidecar_sizes),
        sidecar_sizes=sidecar_sizes,
    )


def _sidecar_sizes(
    columns: Columns, rows: NDArray[np.int64], outliers: NDArray[np.float32], form: ArchiveFormat
) -> NDArray[np.int32]:
    """Computes the sizes of the sidecars with the marks of outliers, which were not known when records were read."""
    sizes = columns.sidecar_sizes[rows]
    if form.sidecar_count:
        lengths = np.array([len(mark) for mark in MARKS], np.int32)
        sizes[:, form.outlier_sidecar] += lengths[names_of(outliers[rows])]
    return sizes


def _sidecar_offsets(
    columns: Columns, rows: NDArray[np.int64], sidecar_sizes: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Computes where each image's sidecars begin. They are written in the order in which records are read.

    That is by record blob, and within a blob by index.
    """
    index = columns.index[rows]
    order = np.lexsort((index, columns.newest[index]))
    sizes = sidecar_sizes.sum(axis=1, dtype=np.int64)
    offsets = np.empty(len(rows), np.int64)
    offsets[order] = np.cumsum(sizes[order]) - sizes[order]
    return offsets
