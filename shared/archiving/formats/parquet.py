"""Parquet shards as Hugging Face writes them: images, labels and annotations as typed columns.

Source of the types: the key `huggingface` of a file's metadata, as `datasets.Features` of the library `datasets`
writes it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import override

import numpy as np
from numpy.typing import NDArray

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.layout.contents import Contents, File, Images, Piece, text_files
from shared.archiving.layout.parquet import ParquetLayout
from shared.archiving.layout.parquet_metadata import LENGTH, Column, kind_of, plain_cell
from shared.archiving.layout.shards import cut_shards
from shared.archiving.options import AnnotationFormat
from shared.archiving.order import ArchiveOrder
from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.annotations import annotations_of
from shared.archiving.texts.card import Packing
from shared.archiving.texts.croissant import (
    PARQUET,
    Node,
    Resources,
    column_fields,
    field,
    file_set,
    in_files,
)
from shared.archiving.texts.metadata import Cell, Columns, columns_with
from shared.records.delivered import FileChecksum
from shared.records.records import Record

_IMAGE = Column(("image", "bytes"), "bytes", nullable=True)
_EMBEDDING = Column(("embedding",), "floats", nullable=True)
_PLACED = (Column(("image", "path"), "text", nullable=True), Column(("label",), "integer", nullable=True))
_TYPES: Mapping[type, str] = {str: "string", int: "int64", float: "float64"}


def _in_sidecars(optional_columns: Sequence[str]) -> Columns:
    """Returns the columns whose cells are sidecars of images.

    An image's path and the number of its label are known without sidecars, and `file_name` would be the path again.
    """
    columns = columns_with(optional_columns)
    return {name: kind for name, kind in columns.items() if name not in {"file_name", "label"}}


class ParquetShards(ArchiveFormat):
    """The format with `data/train-00000-of-00012.parquet`, which has a row for each image."""

    shuffled = True
    description_inside = False
    encoding = PARQUET
    outlier_sidecar = list(_in_sidecars(())).index("outlier")

    def __init__(self, optional_columns: Sequence[str] = ()) -> None:
        super().__init__(optional_columns)
        self._sidecars = _in_sidecars(optional_columns)
        self._kinds = [(name, kind_of(kind)) for name, kind in self._sidecars.items()]

    @property
    @override
    def sidecar_count(self) -> int:
        return len(self._sidecars) + 1

    @property
    @override
    def embedding_sidecar(self) -> int:
        return len(self._sidecars)

    @override
    def sidecars(self, record: Record, fields: Mapping[str, Cell], embedding: bytes) -> Sequence[bytes]:
        cells = [plain_cell(kind, fields[name]) for name, kind in self._kinds]
        return [*cells, np.frombuffer(embedding, "<f2").astype("<f4").tobytes()]

    @override
    def path(self, split: str, folder: str, file: str) -> str:
        return file

    @override
    def image_files(self, images: Images, contents: Contents, shard_size: int) -> Sequence[File]:
        sizes = images.size + images.sidecar_sizes.sum(axis=1, dtype=np.int64)
        files: list[File] = []
        for split, bounds in cut_shards(images.split, sizes, shard_size).items():
            count = len(bounds) - 1
            for number, (start, end) in enumerate(pairwise(bounds)):
                name = f"data/{contents.splits[split]}-{number:05}-of-{count:05}.parquet"
                file = File(name, "images", start, end)
                files.append(replace(file, size=self.layout(file, images, contents).size))
        return files

    @override
    def delivered(self, files: Sequence[File], images: Images, contents: Contents) -> Sequence[File]:
        return [*files, *text_files(contents.texts)]

    @override
    def image_offsets(self, file: File, images: Images, contents: Contents) -> NDArray[np.int64]:
        return self.layout(file, images, contents).data_offsets

    @override
    def layout(self, file: File, images: Images, contents: Contents) -> ParquetLayout:
        features = json.dumps({"info": {"features": self._features(contents)}})
        sizes = images.size[file.start : file.end]
        further = [Column((name,), kind_of(kind), nullable=True) for name, kind in self._sidecars.items()]
        if contents.dimensions:
            further.append(_EMBEDDING)
        return ParquetLayout(_IMAGE, sizes, _Cells(images, file, further), {"huggingface": features})

    @override
    def bytes_before_texts(self, file: File, images: Images, contents: Contents) -> int:
        # the sidecars of some images stand before the next ones
        return 0

    @override
    def content(self, file: File, entry: int, images: Images, contents: Contents) -> Piece | bytes:
        count = file.end - file.start
        if entry < count:
            return contents.image(images, file.start + entry)
        row, number = divmod(entry - count, self.sidecar_count)
        return contents.sidecar(images, file.start + row, number)

    @override
    def annotations(
        self, order: ArchiveOrder, splits: Sequence[str], labels: Sequence[str]
    ) -> Sequence[Annotation]:
        # the checksums are those of the shards and are not known before the shards are written
        return annotations_of(_wanted(order), order, labels)

    @override
    def embedding_files(self, splits: Sequence[str]) -> Mapping[str, str | None]:
        return {}

    @override
    def embedding_fields(self, split: str, dimensions: int) -> Sequence[Node]:
        where = in_files(f"{split}-shards", {"column": "embedding"})
        vector = field(split, "embedding", "sc:Float", where, "The embedding of the image.")
        return [{**vector, "isArray": True, "arrayShape": str(dimensions)}]

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
            shards = f"{split}-shards"
            distribution.append(file_set(shards, [PARQUET], [f"{split}-*.parquet"]))
            image = in_files(shards, {"column": "image"}, {"jsonPath": "bytes"})
            path = in_files(shards, {"column": "image"}, {"jsonPath": "path"})
            label = in_files(shards, {"column": "label"})
            fields[split] = [
                field(split, "image", "sc:ImageObject", image),
                field(split, "file_name", "sc:Text", path),
                field(
                    split,
                    "label",
                    "sc:Integer",
                    label,
                    "The number of the label, as in the record set `labels`.",
                ),
                *column_fields(split, self._sidecars, _column_of(shards), but=()),
            ]
        return Resources(distribution, fields)

    @override
    def packing(self, order: ArchiveOrder, splits: Sequence[str]) -> Packing:
        first = f"{splits[0] if splits else 'train'}-*.parquet"
        return Packing(
            # shards have a folder in storage, but downloaded ones have none
            split_paths={split: f"**/{split}-*.parquet" for split in splits},
            images=(
                "- `*.parquet`: a row for each image, with the image itself, the number of its label, caption,",
                "  licence, author and origin. Names in `image.path` have the candidate's number in the job's records.",
            ),
            annotations=_wanted(order),
            checksums_of="files",
            example=(
                "from datasets import load_dataset",
                'dataset = load_dataset("path/to/the/folder/of/these/files")',
                "",
                "import duckdb",
                f'images = duckdb.read_parquet("path/to/the/folder/of/these/files/{first}").df()',
            ),
            numbered_labels=True,
        )

    def _features(self, contents: Contents) -> Mapping[str, object]:
        """Returns the types of the columns as Hugging Face declares them. Its newer versions call a Sequence a List."""
        typed = {name: {"dtype": _TYPES[kind], "_type": "Value"} for name, kind in self._sidecars.items()}
        vector = {"feature": {"dtype": "float32", "_type": "Value"}, "_type": "Sequence"}
        return {
            "image": {"_type": "Image"},
            "label": {"names": list(contents.labels), "_type": "ClassLabel"},
            **typed,
            **({"embedding": vector} if contents.dimensions else {}),
        }


class _Cells:
    """The cells of a shard. Those that the images' sidecars have are entries after the images (see `Cells`).

    `further` are the columns whose cells are sidecars. The sidecar for embeddings is the last one, and has no column in
    a dataset without embeddings.
    """

    def __init__(self, images: Images, file: File, further: Sequence[Column]) -> None:
        self.columns = (*_PLACED, *further)
        self._sidecar_count = int(images.sidecar_sizes.shape[1])
        self._images = images
        self._start = file.start
        self._count = file.end - file.start
        part = slice(file.start, file.end)
        self.lengths = np.empty((self._count, len(self.columns)), np.int64)
        self.lengths[:, 0] = LENGTH.size + images.file_lengths[part]
        self.lengths[:, 1] = len(plain_cell("integer", 0))
        self.lengths[:, len(_PLACED) :] = images.sidecar_sizes[part, : len(further)]

    def cell(self, row: int, column: int) -> bytes | int:
        """See `Cells.cell`."""
        if column == 0:
            return plain_cell("text", self._images.file(self._start + row))
        if column == 1:
            return plain_cell("integer", int(self._images.label[self._start + row]))
        return self._count + row * self._sidecar_count + column - len(_PLACED)


def _column_of(shards: str) -> Callable[[str], Node]:
    """Returns a function that says where a column is in these shards."""
    return lambda column: in_files(shards, {"column": column})


def _wanted(order: ArchiveOrder) -> tuple[AnnotationFormat, ...]:
    """Returns the annotation files that an order wants, without the JSON lines: the columns say the same."""
    return tuple(kind for kind in order.output.annotations if kind != "jsonl")
