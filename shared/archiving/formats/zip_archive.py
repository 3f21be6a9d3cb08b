"""One ZIP file: a folder for each split, in it a folder for each label, and the texts after the images.

All splits have folders for the same labels, so the file ends with those that are empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import override

import numpy as np
from numpy.typing import NDArray

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.layout.contents import Contents, File, Images, Piece
from shared.archiving.layout.layout import NameList
from shared.archiving.layout.zip import ZipLayout
from shared.archiving.order import ArchiveOrder
from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.annotations import Checksums, Metadata, annotations_of
from shared.archiving.texts.card import Packing
from shared.archiving.texts.croissant import PARQUET, Node, Resources, file_object, image_set, joined_fields
from shared.archiving.texts.metadata import Cell, columns_with
from shared.records.delivered import FileChecksum
from shared.records.records import Record

_IMAGES = (
    "- `{split}/{label}/{number}.{format}`: the images. The number is the candidate's in the job's records.",
    "- `{split}/metadata.parquet`: label, caption, licence, author and origin of each image.",
)


class ZipArchive(ArchiveFormat):
    """The format with one file, `dataset.zip`."""

    shuffled = False
    sidecar_count = 0
    description_inside = True
    encoding = "application/zip"
    outlier_sidecar = 0
    embedding_sidecar = None

    @override
    def sidecars(self, record: Record, fields: Mapping[str, Cell], embedding: bytes) -> Sequence[bytes]:
        return ()

    @override
    def path(self, split: str, folder: str, file: str) -> str:
        return _path(split, folder, file)

    @override
    def image_files(self, images: Images, contents: Contents, shard_size: int) -> Sequence[File]:
        return [File("dataset.zip", "images", 0, len(images))]

    @override
    def delivered(self, files: Sequence[File], images: Images, contents: Contents) -> Sequence[File]:
        return [replace(file, size=self.layout(file, images, contents).size) for file in files]

    @override
    def image_offsets(self, file: File, images: Images, contents: Contents) -> NDArray[np.int64]:
        return self.layout(file, images, contents).data_offsets[: len(images)]

    @override
    def layout(self, file: File, images: Images, contents: Contents) -> ZipLayout:
        folders = _empty_folders(images, contents)
        nothing = [0] * len(folders)
        sizes = np.array([text.size for text in contents.texts] + nothing, np.int64)
        crc32s = np.array([text.crc32 for text in contents.texts] + nothing, np.uint32)
        return ZipLayout(
            _Names(images, contents, folders),
            np.concatenate([images.size, sizes]),
            np.concatenate([images.crc32, crc32s]),
            contents.created_at,
        )

    @override
    def bytes_before_texts(self, file: File, images: Images, contents: Contents) -> int:
        return int(self.image_offsets(file, images, contents)[-1] + images.size[-1])

    @override
    def content(self, file: File, entry: int, images: Images, contents: Contents) -> Piece | bytes:
        count = len(images)
        return contents.image(images, entry) if entry < count else contents.texts[entry - count].piece

    @override
    def annotations(
        self, order: ArchiveOrder, splits: Sequence[str], labels: Sequence[str]
    ) -> Sequence[Annotation]:
        return [
            *(Metadata(_table(split), split, self.optional_columns) for split in splits),
            *annotations_of(order.output.annotations, order, labels, local=True),
            Checksums("SHA256SUMS"),
        ]

    @override
    def embedding_files(self, splits: Sequence[str]) -> Mapping[str, str | None]:
        return {f"{split}/embeddings.npy": split for split in splits}

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
        distribution: list[Node] = []
        fields: dict[str, Sequence[Node]] = {}
        for split in splits:
            images, table = f"{split}-images", _table(split)
            distribution.append(file_object(table, PARQUET, tables[table]))
            distribution.append(image_set(images, f"{split}/", extensions))
            # the table has paths from the folder of the split
            columns = columns_with(self.optional_columns)
            fields[split] = joined_fields(split, images, {"regex": "[^/]+/(.+)"}, table, columns)
        return Resources(distribution, fields)

    @override
    def packing(self, order: ArchiveOrder, splits: Sequence[str]) -> Packing:
        first = splits[0] if splits else "train"
        return Packing(
            split_paths={split: f"{split}/**" for split in splits},
            images=_IMAGES,
            annotations=order.output.annotations,
            checksums_of="images",
            example=(
                "from datasets import load_dataset",
                'dataset = load_dataset("path/to/the/unpacked/archive")',
                "",
                "import pandas",
                f'images = pandas.read_parquet("path/to/the/unpacked/archive/{first}/metadata.parquet")',
            ),
        )


class _Names:
    """The paths of the images, followed by the names of the texts and of the empty folders (see `Names`)."""

    def __init__(self, images: Images, contents: Contents, empty_folders: Sequence[str]) -> None:
        self._images = images
        self._splits, self._folders = contents.splits, contents.folders
        self._texts = NameList([*(text.name for text in contents.texts), *empty_folders])
        split_bytes = np.array([len(split.encode()) for split in self._splits], np.int64)
        folder_bytes = np.array([len(folder.encode()) for folder in self._folders], np.int64)
        lengths = split_bytes[images.split] + folder_bytes[images.label] + 2 + images.file_lengths
        self.lengths = np.concatenate([lengths, self._texts.lengths])
        self.ascii = self._texts.ascii and all(name.isascii() for name in (*self._splits, *self._folders))

    def __getitem__(self, entry: int, /) -> bytes:
        images, count = self._images, len(self._images)
        if entry >= count:
            return self._texts[entry - count]
        split, folder = self._splits[int(images.split[entry])], self._folders[int(images.label[entry])]
        return _path(split, folder, images.file(entry)).encode()


def _empty_folders(images: Images, contents: Contents) -> list[str]:
    """Returns the folders of the labels that have images, but none in a split that has other images.

    Loaders number the folders of a split in the order of their names. So all splits need the same folders.
    """
    labels = len(contents.labels)
    pairs = images.split.astype(np.int64) * labels + images.label
    counts = np.bincount(pairs, minlength=len(contents.splits) * labels).reshape(-1, labels)
    empty = (counts == 0) & counts.any(axis=0) & counts.any(axis=1)[:, None]
    return [
        _path(contents.splits[split], contents.folders[label], "")
        for split, label in np.argwhere(empty).tolist()
    ]


def _table(split: str) -> str:
    return f"{split}/metadata.parquet"


def _path(split: str, folder: str, file: str) -> str:
    return f"{split}/{folder}/{file}"
