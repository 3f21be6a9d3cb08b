"""WebDataset: tar shards in which each image has its `.json`, `.txt` and `.cls` beside it. Texts are outside of shards.

Format: https://github.com/webdataset/webdataset, "The WebDataset Format".
"""

from collections.abc import Sequence, Sized
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
from shared.archiving.layout.tar import BLOCK, TarLayout
from shared.archiving.options import AnnotationFormat
from shared.archiving.order import ArchiveOrder
from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.annotations import annotations_of
from shared.archiving.texts.card import Packing

_MAX_SHARDS = 1000
_BESIDE = ("json", "txt", "cls")
# entries of a shard for each image: the image and its sidecars
_MEMBERS = 1 + len(_BESIDE)


class WebDataset(ArchiveFormat):
    """The format with `shards/00001.tar`, or with `shards/train-00001.tar` if there are several splits."""

    shuffled = True
    sidecars = True

    @override
    def path(self, split: str, folder: str, file: str) -> str:
        return file

    @override
    def image_files(self, images: Images, contents: Contents, shard_size: int) -> Sequence[File]:
        # each split has shards of its own, of similar size
        beside = [-(-column // BLOCK) for column in (images.json_size, images.text_size)]
        blocks = -(-images.size // BLOCK) + beside[0] + beside[1] + _MEMBERS + 1
        ends = np.cumsum(blocks * BLOCK, dtype=np.int64)
        used = np.unique(images.split).tolist()
        target = max(shard_size, -(-int(ends[-1]) // (_MAX_SHARDS - len(used))))
        files: list[File] = []
        for split in used:
            begin, end = (int(np.searchsorted(images.split, split, side=side)) for side in ("left", "right"))
            prefix = _prefix(contents.splits[split], used)
            for number, (start, stop) in enumerate(pairwise(_even_bounds(ends, begin, end, target)), start=1):
                file = File(f"shards/{prefix}{number:05}.tar", "images", start, stop)
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
        sizes[:, 1] = images.json_size[part]
        sizes[:, 2] = images.text_size[part]
        sizes[:, 3] = digits(images.label[part], 1)
        return TarLayout(_Names(images, file), sizes.ravel(), contents.created_at)

    @override
    def content(self, file: File, entry: int, images: Images, contents: Contents) -> Piece | bytes:
        position, member = divmod(entry, _MEMBERS)
        position += file.start
        if member == 0:
            return contents.image(images, position)
        at, json_size = int(images.sidecar_offset[position]), int(images.json_size[position])
        if member == 1:
            return Piece(contents.sidecars, at, json_size)
        if member == 2:
            return Piece(contents.sidecars, at + json_size, int(images.text_size[position]))
        return str(int(images.label[position])).encode()

    @override
    def annotations(
        self,
        order: ArchiveOrder,
        splits: Sequence[str],
        labels: Sequence[str],
    ) -> Sequence[Annotation]:
        # the checksums are those of the shards and are not known before the shards are written
        return annotations_of(_wanted(order), order, labels)

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


def _even_bounds(ends: NDArray[np.int64], begin: int, end: int, target: int) -> list[int]:
    """Returns bounds from `begin` to `end`. Each part has an image, and exceeds `target` by one image at most."""
    before = int(ends[begin - 1]) if begin else 0
    size = int(ends[end - 1]) - before
    count = max(1, -(-size // target))
    inner = np.searchsorted(ends, before + size * np.arange(1, count) // count)
    return sorted({begin, end, *np.clip(inner, begin + 1, end).tolist()})
