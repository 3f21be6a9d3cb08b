"""The first half of planning: which images go into the dataset, into which file and where, before a text is written."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.archiving.formats.registry import FORMATS
from shared.archiving.layout.contents import Contents, File, Images
from shared.archiving.layout.names import folder_names
from shared.archiving.order import ArchiveOrder
from shared.archiving.selection.columns import Columns
from shared.archiving.selection.draw import draw
from shared.archiving.selection.earlier import Earlier
from shared.archiving.selection.select import Selection, select
from shared.archiving.selection.split import assign_splits


@dataclass(frozen=True, slots=True)
class Places:
    """Where the image of each row of the columns goes; -1 where it is not selected."""

    split: NDArray[np.int8]
    file: NDArray[np.int32]
    offset: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is decided. `images` are the selected ones in their order, `files` those that they are in."""

    columns: Columns
    selection: Selection
    earlier: Earlier
    images: Images
    contents: Contents
    files: Sequence[File]
    places: Places

    @property
    def split_counts(self) -> dict[str, int]:
        """Images by split, without the splits that have none."""
        numbers, counts = np.unique(self.images.split, return_counts=True)
        return {
            self.contents.splits[number]: count
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
        }


def choose(order: ArchiveOrder, columns: Columns, earlier: Earlier) -> Chosen:
    """Select the images of an order, and place them."""
    form = FORMATS[order.output.format]
    selection = select(columns, order.dedup, order.max_images_per_label, earlier, order.whole_labels)
    rows, shares = selection.rows, order.splits.shares
    split = assign_splits(columns, rows, shares, order.seed, order.dedup)
    if form.shuffled:
        shuffled = np.lexsort((draw(columns, rows, f"order {order.seed}"), split))
        rows, split = rows[shuffled], split[shuffled]
    images = _images(columns, rows, split)
    folders = folder_names(columns.labels)
    contents = Contents(
        created_at=order.created_at,
        splits=tuple(shares),
        folders=tuple(folders[label] for label in columns.labels),
        shards=columns.shards,
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
    return Chosen(columns, selection, earlier, images, contents, files, places)


def _images(columns: Columns, rows: NDArray[np.int64], split: NDArray[np.int8]) -> Images:
    return Images(
        index=columns.index[rows],
        label=columns.label[rows],
        split=split,
        extension=columns.extension[rows],
        shard=columns.shard[rows],
        offset=columns.offset[rows],
        size=columns.size[rows],
        crc32=columns.crc32[rows],
        beside=np.zeros(len(rows), np.int64),
        json=columns.json[rows],
        text=columns.text[rows],
    )
