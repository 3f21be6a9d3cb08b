"""WebDataset: tar shards in which each image has its `.json`, `.txt` and `.cls` beside it. Texts are outside of shards.

Format: https://github.com/webdataset/webdataset, "The WebDataset Format".
"""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import replace
from itertools import pairwise
from typing import override

import numpy as np
from numpy.typing import NDArray

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.layout.contents import (
    EXTENSION_LENGTHS,
    Contents,
    File,
    Images,
    Piece,
    digits,
    text_files,
)
from shared.archiving.layout.shards import cut_shards
from shared.archiving.layout.tar import BLOCK, TarLayout
from shared.archiving.options import AnnotationFormat
from shared.archiving.order import ArchiveOrder
from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.annotations import Metadata, annotations_of
from shared.archiving.texts.card import Packing
from shared.archiving.texts.croissant import (
    PARQUET,
    TAR,
    Node,
    Resources,
    file_object,
    image_set,
    joined_fields,
)
from shared.archiving.texts.metadata import Cell, columns_with
from shared.records.delivered import FileChecksum
from shared.records.records import Record
from shared.text.json_lines import json_line

_TABLE = "metadata.parquet"
_BESIDE = ("json", "txt", "cls")
# entries of a shard for each image: the image and its sidecars
_MEMBERS = 1 + len(_BESIDE)


class WebDataset(ArchiveFormat):
    """The format with `shards/00001.tar`, or with `shards/train-00001.tar` if there are several splits."""

    shuffled = True
    sidecar_count = 2
    description_inside = False
    encoding = TAR
    outlier_sidecar = 0
    embedding_sidecar = None

    @override
    def sidecars(self, record: Record, fields: Mapping[str, Cell], embedding: bytes) -> Sequence[bytes]:
        text = record.candidate.caption or record.candidate.label
        return json_line(fields), text.encode("utf-8", "replace")

    @override
    def path(self, split: str, folder: str, file: str) -> str:
        return file

    @override
    def image_files(self, images: Images, contents: Contents, shard_size: int) -> Sequence[File]:
        beside = -(-images.sidecar_sizes // BLOCK)
        blocks = -(-images.size // BLOCK) + beside.sum(axis=1) + _MEMBERS + 1
        shards = cut_shards(images.split, blocks * BLOCK, shard_size)
        files: list[File] = []
        for split, bounds in shards.items():
            prefix = _prefix(contents.splits[split], shards)
            for number, (start, end) in enumerate(pairwise(bounds), start=1):
                file = File(f"shards/{prefix}{number:05}.tar", "images", start, end)
                files.append(replace(file, size=self.layout(file, images, contents).size))
        return files

    @override
    def delivered(self, files: Sequence[File], images: Images, contents: Contents) -> Sequence[File]:
        return [*files, *text_files(contents.texts)]

    @override
    def image_offsets(self, file: File, images: Images, contents: Contents) -> NDArray[np.int64]:
        return self.layout(file, images, contents).data_offsets[::_MEMBERS]

    @override
    def layout(self, file: File, images: Images, contents: Contents) -> TarLayout:
        part = slice(file.start, file.end)
        sizes = np.empty((file.end - file.start, _MEMBERS), np.int64)
        sizes[:, 0] = images.size[part]
        sizes[:, 1:3] = images.sidecar_sizes[part]
        sizes[:, 3] = digits(images.label[part], 1)
        return TarLayout(_Names(images, file), sizes.ravel(), contents.created_at)

    @override
    def bytes_before_texts(self, file: File, images: Images, contents: Contents) -> int:
        # each image has its sidecars beside it
        return 0

    @override
    def content(self, file: File, entry: int, images: Images, contents: Contents) -> Piece | bytes:
        position, member = divmod(entry, _MEMBERS)
        position += file.start
        if member == 0:
            return contents.image(images, position)
        if member <= self.sidecar_count:
            return contents.sidecar(images, position, member - 1)
        return str(int(images.label[position])).encode()

    @override
    def annotations(
        self,
        order: ArchiveOrder,
        splits: Sequence[str],
        labels: Sequence[str],
    ) -> Sequence[Annotation]:
        # the checksums are those of the shards and are not known before the shards are written
        return [
            Metadata(_TABLE, optional_columns=self.optional_columns),
            *annotations_of(_wanted(order), order, labels),
        ]

    @override
    def embedding_files(self, splits: Sequence[str]) -> Mapping[str, str | None]:
        return {"embeddings.npy": None}

    @override
    def embedding_fields(self, split: str, dimensions: int) -> Sequence[Node]:
        return ()

    @override
    def resources(
        self,
        files: Sequence[File],
        splits: Sequence[str],
        extensions: Sequence[str],
        tables: Mapping[str, FileChecksum],
    ) -> Resources:
        distribution: list[Node] = [file_object(_TABLE, PARQUET, tables[_TABLE])]
        fields: dict[str, Sequence[Node]] = {}
        for split in splits:
            images, prefix = f"{split}-images", f"shards/{_prefix(split, splits)}"
            shards = [file.name.rpartition("/")[2] for file in files if file.name.startswith(prefix)]
            distribution.append(image_set(images, "", extensions, shards))
            columns = columns_with(self.optional_columns)
            fields[split] = joined_fields(split, images, {"regex": "(?:.*/)?([^/]+)"}, _TABLE, columns)
        return Resources(distribution, fields)

    @override
    def packing(self, order: ArchiveOrder, splits: Sequence[str]) -> Packing:
        first = f"{_prefix(splits[0], splits)}00001.tar" if splits else ""
        return Packing(
            # shards have a folder in storage, but downloaded ones have none
            split_paths={split: f"**/{_prefix(split, splits)}*.tar" for split in splits},
            images=(
                "- `*.tar`: shards in the WebDataset format. Beside each image stand, under the same key,",
                "  `.json` (label, caption, licence, author, origin), `.txt` (the caption, or else the label)",
                "  and `.cls` (the label's number). The key is the candidate's number in the job's records.",
                "- `metadata.parquet`: split, label, caption, licence, author and origin of each image.",
            ),
            annotations=_wanted(order),
            checksums_of="files",
            example=(
                "import webdataset",
                f'dataset = webdataset.WebDataset("path/to/{first}", shardshuffle=False).decode("pil")',
                "",
                "from datasets import load_dataset  # where all images have one format",
                'dataset = load_dataset("path/to/the/folder/of/these/files")',
            ),
            numbered_labels=True,
        )


class _Names:
    """The names of an image's file and of its sidecars, for each image of a shard.

    They differ in the extension only (see `Names`).
    """

    ascii = True

    def __init__(self, images: Images, file: File) -> None:
        self._images = images
        self._start = file.start
        part = slice(file.start, file.end)
        lengths = np.repeat(images.file_lengths[part, None], _MEMBERS, axis=1)
        stems = lengths[:, 0] - EXTENSION_LENGTHS[images.extension[part]]
        for number, extension in enumerate(_BESIDE, start=1):
            lengths[:, number] = stems + len(extension)
        self.lengths = lengths.ravel()

    def __getitem__(self, entry: int, /) -> bytes:
        position, number = divmod(entry, _MEMBERS)
        file = self._images.file(self._start + position)
        return (f"{file.partition('.')[0]}.{_BESIDE[number - 1]}" if number else file).encode()


def _wanted(order: ArchiveOrder) -> tuple[AnnotationFormat, ...]:
    """Returns the annotation files that an order wants, without the JSON lines: each image has its JSON beside it."""
    return tuple(kind for kind in order.output.annotations if kind != "jsonl")


def _prefix(split: str, used: Sized) -> str:
    """Returns the beginning of the names of a split's shards. `used` are the splits with images."""
    return "" if len(used) == 1 else f"{split}-"
