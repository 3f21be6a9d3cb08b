"""Holds the contents of a dataset: its images as columns, its texts, and the blobs that hold the bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.names import EXTENSIONS, file_name

EXTENSION_LENGTHS = np.array([len(extension) for extension in EXTENSIONS], np.int64)


@dataclass(slots=True)
class Images:
    """The images of a dataset, in the dataset's order. Each field is a column, an array with one value per image.

    `label`, `split` and `extension` are positions in their lists. `shard`, `offset`, `size` and `crc32` say where the
    bytes are and what they are. `sidecar_offset` says where the image's sidecars begin in their blob. They are one
    after the other, and `sidecar_sizes` has a row for each image with their sizes in bytes.
    """

    index: NDArray[np.int64]
    label: NDArray[np.int32]
    split: NDArray[np.int8]
    extension: NDArray[np.int8]
    shard: NDArray[np.int32]
    offset: NDArray[np.int64]
    size: NDArray[np.int64]
    crc32: NDArray[np.uint32]
    sidecar_offset: NDArray[np.int64]
    sidecar_sizes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.index)

    def file(self, position: int) -> str:
        """Returns the name of an image's file."""
        return file_name(int(self.index[position]), int(self.extension[position]))

    @property
    def file_lengths(self) -> NDArray[np.int64]:
        """Returns the length of the name of each image's file."""
        return digits(self.index, 8) + 1 + EXTENSION_LENGTHS[self.extension]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a blob, and their CRC-32, which is None if it is not known."""

    blob: str
    offset: int
    size: int
    crc32: int | None = None


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file of the dataset. Its bytes are in a working blob from `offset` on."""

    name: str
    size: int
    crc32: int
    blob: str
    offset: int = 0

    @property
    def piece(self) -> Piece:
        """The bytes of the file."""
        return Piece(self.blob, self.offset, self.size, self.crc32)


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of a dataset beside the columns of its images.

    `splits`, `labels`, `folders` (by label) and `shards` (blobs) are the lists that the images' numbers are positions
    in.
    `created_at` is the time of every entry. `sidecars` is the blob with the sidecars of all images. The texts are empty
    until they are written. `dimensions` is that of the embeddings, or 0 if the dataset has none.
    """

    created_at: datetime
    splits: tuple[str, ...]
    labels: tuple[str, ...]
    folders: tuple[str, ...]
    shards: tuple[str, ...]
    sidecars: str
    texts: tuple[TextFile, ...] = ()
    dimensions: int = 0

    def sidecar(self, images: Images, position: int, number: int) -> Piece:
        """Returns the place of the sidecar with this number of an image."""
        # Python adds some small numbers faster than NumPy does, and a Parquet file has millions of sidecars
        *before, size = images.sidecar_sizes[position, : number + 1].tolist()
        return Piece(self.sidecars, int(images.sidecar_offset[position]) + sum(before), size)

    def image(self, images: Images, position: int) -> Piece:
        """Returns the place of an image's bytes."""
        shard = self.shards[int(images.shard[position])]
        offset, size = int(images.offset[position]), int(images.size[position])
        return Piece(shard, offset, size, int(images.crc32[position]))


@dataclass(frozen=True, slots=True)
class File:
    """One file of the dataset: some of its images, or one of its texts.

    `start` and `end` are the bounds of its images. For a text they are the bounds of its position in the list of
    texts.
    """

    name: str
    kind: Literal["images", "text"]
    start: int
    end: int
    size: int = 0


def text_files(texts: Sequence[TextFile]) -> list[File]:
    """Returns the texts as files of their own."""
    return [File(text.name, "text", at, at + 1, text.size) for at, text in enumerate(texts)]


def digits(numbers: NDArray[np.int64] | NDArray[np.int32], least: int) -> NDArray[np.int64]:
    """Returns how many decimal digits each number has, at least `least`."""
    count = np.full(len(numbers), least, np.int64)
    for power in range(least, 19):
        count += numbers >= 10**power
    return count
