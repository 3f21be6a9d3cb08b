"""Where each selected image goes: the order of the images, the files that they are in, and their names there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.layout import NameList
from shared.archiving.layout.names import EXTENSIONS, file_name, shard_prefix
from shared.archiving.layout.tar import BLOCK, TarLayout
from shared.archiving.layout.zip import ZipLayout

MAX_SHARDS = 1000
_BESIDE = ("json", "txt", "cls")
MEMBERS = 1 + len(_BESIDE)
"""Entries of a shard for each image: itself, and what stands beside it."""


@dataclass(slots=True)
class Images:
    """The images of a dataset, in the order in which they stand in it; one column a field.

    `label`, `split` and `extension` are positions in their lists; `shard`, `offset`, `size` and `crc32` say where the
    bytes are and what they are; `beside`, `json` and `text` where the sidecars are in their blob, and how long.
    """

    index: NDArray[np.int64]
    label: NDArray[np.int32]
    split: NDArray[np.int8]
    extension: NDArray[np.int8]
    shard: NDArray[np.int32]
    offset: NDArray[np.int64]
    size: NDArray[np.int64]
    crc32: NDArray[np.uint32]
    beside: NDArray[np.int64]
    json: NDArray[np.int32]
    text: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.index)

    def file(self, position: int) -> str:
        """The name of an image's file."""
        return file_name(int(self.index[position]), int(self.extension[position]))


@dataclass(frozen=True, slots=True)
class File:
    """One file of the dataset. `start` and `end` bound its images; a text's are its position in the list of texts."""

    name: str
    kind: Literal["zip", "tar", "text"]
    start: int
    end: int
    size: int = 0


class ZipNames:
    """`{split}/{label's folder}/{file}` for the images, and behind them the names of the texts; see `Names`."""

    def __init__(
        self, images: Images, splits: Sequence[str], folders: Sequence[str], texts: Sequence[str]
    ) -> None:
        self._images = images
        self._splits = splits
        self._folders = folders
        self._texts = NameList(texts)
        split_bytes = np.array([len(split.encode()) for split in splits], np.int64)
        folder_bytes = np.array([len(folder.encode()) for folder in folders], np.int64)
        lengths = split_bytes[images.split] + folder_bytes[images.label] + 2 + _file_lengths(images)
        self.lengths = np.concatenate([lengths, self._texts.lengths])
        self.ascii = self._texts.ascii and all(name.isascii() for name in (*splits, *folders))

    def path(self, position: int) -> str:
        """The path of an image."""
        images = self._images
        folder = self._folders[int(images.label[position])]
        return f"{self._splits[int(images.split[position])]}/{folder}/{images.file(position)}"

    def __getitem__(self, entry: int, /) -> bytes:
        count = len(self._images)
        return self.path(entry).encode() if entry < count else self._texts[entry - count]


class TarNames:
    """For each image from `start` to `end` its file's name, and the same with other extensions; see `Names`."""

    ascii = True

    def __init__(self, images: Images, start: int, end: int) -> None:
        self._images = images
        self._start = start
        lengths = np.repeat(_file_lengths(images)[start:end, None], MEMBERS, axis=1)
        stems = lengths[:, 0] - _EXTENSION_LENGTHS[images.extension[start:end]]
        for number, extension in enumerate(_BESIDE, start=1):
            lengths[:, number] = stems + len(extension)
        self.lengths = lengths.ravel()

    def __getitem__(self, entry: int, /) -> bytes:
        position, number = divmod(entry, MEMBERS)
        file = self._images.file(self._start + position)
        return (f"{file.partition('.')[0]}.{_BESIDE[number - 1]}" if number else file).encode()


def zip_layout(
    images: Images,
    names: ZipNames,
    text_sizes: Sequence[int],
    text_crc32s: Sequence[int],
    moment: datetime,
) -> ZipLayout:
    """The archive of the images and, behind them, the texts."""
    sizes = np.concatenate([images.size, np.array(text_sizes, np.int64)])
    return ZipLayout(names, sizes, np.concatenate([images.crc32, np.array(text_crc32s, np.uint32)]), moment)


def tar_layout(images: Images, start: int, end: int, moment: datetime) -> TarLayout:
    """The shard of the images from `start` to `end`: each with its json, txt and cls behind it."""
    part = slice(start, end)
    sizes = np.empty((end - start, MEMBERS), np.int64)
    sizes[:, 0] = images.size[part]
    sizes[:, 1] = images.json[part]
    sizes[:, 2] = images.text[part]
    sizes[:, 3] = _digits(images.label[part], 1)
    return TarLayout(TarNames(images, start, end), sizes.ravel(), moment)


def cut_shards(images: Images, splits: Sequence[str], shard_size: int, moment: datetime) -> list[File]:
    """The shards of the images, which are in order of their splits; each split has shards of its own, of even size.

    They are called `shards/00001.tar`, and where there are several splits `shards/train-00001.tar`.
    """
    beside = [-(-column // BLOCK) for column in (images.json, images.text)]
    ends = np.cumsum((-(-images.size // BLOCK) + beside[0] + beside[1] + MEMBERS + 1) * BLOCK, dtype=np.int64)
    used = np.unique(images.split).tolist()
    target = max(shard_size, -(-int(ends[-1]) // (MAX_SHARDS - len(used))))
    files: list[File] = []
    for split in used:
        begin, end = (int(np.searchsorted(images.split, split, side=side)) for side in ("left", "right"))
        prefix = shard_prefix(splits[split], used)
        for number, (start, stop) in enumerate(pairwise(_even_bounds(ends, begin, end, target)), start=1):
            size = tar_layout(images, start, stop, moment).size
            files.append(File(f"shards/{prefix}{number:05}.tar", "tar", start, stop, size))
    return files


def _even_bounds(ends: NDArray[np.int64], begin: int, end: int, target: int) -> list[int]:
    """Bounds from `begin` to `end`, none without an image between them; parts exceed `target` by one at most."""
    before = int(ends[begin - 1]) if begin else 0
    size = int(ends[end - 1]) - before
    count = max(1, -(-size // target))
    inner = np.searchsorted(ends, before + size * np.arange(1, count) // count)
    return sorted({begin, end, *np.clip(inner, begin + 1, end).tolist()})


_EXTENSION_LENGTHS = np.array([len(extension) for extension in EXTENSIONS], np.int64)


def _file_lengths(images: Images) -> NDArray[np.int64]:
    return _digits(images.index, 8) + 1 + _EXTENSION_LENGTHS[images.extension]


def _digits(numbers: NDArray[np.int64] | NDArray[np.int32], least: int) -> NDArray[np.int64]:
    """How many decimal digits each number has, filled up with zeros to `least`."""
    digits = np.full(len(numbers), least, np.int64)
    for power in range(least, 19):
        digits += numbers >= 10**power
    return digits
