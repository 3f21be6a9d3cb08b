"""Defines what differs between the formats in which a dataset is delivered.

To add one, write a class beside these, and add its name to `options.Output` and the class to `registry.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.contents import Contents, File, Images, Piece
from shared.archiving.layout.layout import Layout
from shared.archiving.order import ArchiveOrder
from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.card import Packing
from shared.archiving.texts.croissant import Node, Resources
from shared.archiving.texts.metadata import Cell
from shared.records.delivered import FileChecksum
from shared.records.records import Record


class ArchiveFormat(Protocol):
    """One format of datasets: its files, their content, and its description in the texts.

    The methods are pure. A file of kind "images" is the format's own. Texts are files whose bytes are in a blob
    already. `optional_columns` are those of the annotations' optional columns that the dataset has.
    """

    optional_columns: Sequence[str]

    def __init__(self, optional_columns: Sequence[str] = ()) -> None:
        self.optional_columns = optional_columns

    @property
    def shuffled(self) -> bool:
        """Whether the seed draws the order of a split's images. Otherwise they are in order of their indices."""
        ...

    @property
    def sidecar_count(self) -> int:
        """How many sidecars an image has: pieces of text in the files of images that say what it is."""
        ...

    @property
    def outlier_sidecar(self) -> int:
        """Which sidecar has the field `outlier`. It is longer by as many bytes as the mark has. 0 without sidecars."""
        ...

    @property
    def embedding_sidecar(self) -> int | None:
        """Which sidecar has the image's embedding, or is empty; None if embeddings are files of their own."""
        ...

    def sidecars(self, record: Record, fields: Mapping[str, Cell], embedding: bytes) -> Sequence[bytes]:
        """Returns the sidecars of an image. `fields` and `embedding` are as in `Placed`."""
        ...

    def embedding_files(self, splits: Sequence[str]) -> Mapping[str, str | None]:
        """Returns the names of the files with embeddings, and the split of each file, or None for all splits."""
        ...

    def embedding_fields(self, split: str, dimensions: int) -> Sequence[Node]:
        """Returns the fields of croissant.json for the embeddings of a split, if records have them."""
        ...

    def path(self, split: str, folder: str, file: str) -> str:
        """Returns the path of an image, as annotations name it. `folder` is its label's."""
        ...

    def image_files(self, images: Images, contents: Contents, shard_size: int) -> Sequence[File]:
        """Returns the files that hold the images, in order. There is at least one image, and no text yet."""
        ...

    def delivered(self, files: Sequence[File], images: Images, contents: Contents) -> Sequence[File]:
        """Returns all files with their sizes, in the order of delivery. `files` are those of the images."""
        ...

    def image_offsets(self, file: File, images: Images, contents: Contents) -> NDArray[np.int64]:
        """Returns the offset of each of a file's images in it. Texts do not change these offsets."""
        ...

    def layout(self, file: File, images: Images, contents: Contents) -> Layout:
        """Returns the layout of a file of images."""
        ...

    def bytes_before_texts(self, file: File, images: Images, contents: Contents) -> int:
        """Returns how many bytes at the beginning of a file of images depend neither on texts nor on sidecars."""
        ...

    def content(self, file: File, entry: int, images: Images, contents: Contents) -> Piece | bytes:
        """Returns the place of the data of an entry in a file of images, or the data itself."""
        ...

    def annotations(
        self, order: ArchiveOrder, splits: Sequence[str], labels: Sequence[str]
    ) -> Sequence[Annotation]:
        """Returns the annotation files of an order, in the order of delivery. `splits` have images."""
        ...

    @property
    def description_inside(self) -> bool:
        """Whether the description of the dataset, croissant.json, is in the file of images.

        Otherwise it is a file of its own, and names the checksum of each file of images.
        """
        ...

    def resources(
        self,
        files: Sequence[File],
        splits: Sequence[str],
        extensions: Sequence[str],
        tables: Mapping[str, FileChecksum],
    ) -> Resources:
        """Returns what croissant.json says of files and records, without the files of images themselves.

        `files` are those of the images, which have these `extensions`. `splits` have images. `tables` has the checksums
        of annotation files, by name.
        """
        ...

    @property
    def encoding(self) -> str:
        """The media type of a file of images."""
        ...

    def packing(self, order: ArchiveOrder, splits: Sequence[str]) -> Packing:
        """Returns the card's description of the format. `splits` have images."""
        ...
