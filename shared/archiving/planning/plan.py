"""The plan of a dataset: every file of it, byte by byte, without the bytes.

It is made once and stored; whoever then writes a part of a file reads it, so that all parts are of one whole.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property

import numpy as np
from pydantic import TypeAdapter

from shared.archiving.layout.layout import Layout, PlainLayout
from shared.archiving.planning.arrange import MEMBERS, File, Images, ZipNames, tar_layout, zip_layout
from shared.archiving.planning.parts import Part, cut_parts

_SIDECARS = ("json", "text")


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a blob, and their CRC-32, None where it is not known."""

    blob: str
    offset: int
    size: int
    crc32: int | None = None


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file of the dataset, whose bytes are in a working blob from `offset` on."""

    name: str
    size: int
    crc32: int
    blob: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What a plan says beside its images.

    `digest` names the order that it was made for; `generation` tells its blocks from those of the job's other plans.
    `splits`, `folders`, `labels` and `shards` are what the images' numbers mean. `blob` of `sidecars` holds the JSON
    and texts of WebDataset shards. `counts` and `split_counts` are those of `Archived`.
    """

    digest: str
    job_id: str
    prefix: str
    created_at: datetime
    planned_at: datetime
    records_blob: str
    splits: tuple[str, ...]
    folders: tuple[str, ...]
    shards: tuple[str, ...]
    sidecars: str
    texts: tuple[TextFile, ...]
    files: tuple[File, ...]
    part_bytes: int
    block_bytes: int
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    split_counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def generation(self) -> int:
        """A number below 1,900: two plans of a job seldom share one."""
        return int(self.digest, 16) % 1900


_adapter = TypeAdapter(PlanHeader)


class Plan:
    """A plan that can be written from: see the module."""

    def __init__(self, header: PlanHeader, images: Images) -> None:
        self.header = header
        self.images = images

    @property
    def files(self) -> Sequence[File]:
        """The dataset's files, in the order in which they are delivered."""
        return self.header.files

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size for file in self.files)

    @cached_property
    def parts(self) -> Sequence[Part]:
        """What each function instance may write on its own."""
        sizes = [file.size for file in self.files]
        return cut_parts(sizes, self.header.block_bytes, self.header.part_bytes)

    def blob(self, file: File) -> str:
        """Where a file is to stand."""
        return f"{self.header.prefix}{file.name}"

    def layout(self, file: File) -> Layout:
        """Where everything is in a file."""
        header, texts = self.header, self.header.texts
        if file.kind == "text":
            return PlainLayout(file.size)
        if file.kind == "tar":
            return tar_layout(self.images, file.start, file.end, header.created_at)
        names = ZipNames(self.images, header.splits, header.folders, [text.name for text in texts])
        sizes, crc32s = [text.size for text in texts], [text.crc32 for text in texts]
        return zip_layout(self.images, names, sizes, crc32s, header.created_at)

    def content(self, file: File, entry: int) -> Piece | bytes:
        """Where the data of a file's entry is, or the data itself."""
        if file.kind == "text":
            return self._text(file.start)
        if file.kind == "zip":
            count = len(self.images)
            return self._image(entry) if entry < count else self._text(entry - count)
        position, member = divmod(entry, MEMBERS)
        position += file.start
        if member == 0:
            return self._image(position)
        images = self.images
        if member > len(_SIDECARS):
            return str(int(images.label[position])).encode()
        at, first = int(images.beside[position]), int(images.json[position])
        offset, size = (at, first) if member == 1 else (at + first, int(images.text[position]))
        return Piece(self.header.sidecars, offset, size)

    def encode(self) -> bytes:
        """As NumPy's .npz, the header as JSON in it."""
        out = io.BytesIO()
        header = np.frombuffer(_adapter.dump_json(self.header), np.uint8)
        columns = {column.name: getattr(self.images, column.name) for column in fields(Images)}
        np.savez(out, header=header, **columns)
        return out.getvalue()

    @classmethod
    def decode(cls, data: bytes) -> "Plan":
        """The reverse of `encode`."""
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            header = _adapter.validate_python(json.loads(found["header"].tobytes()))
            return cls(header, Images(**{column.name: found[column.name] for column in fields(Images)}))

    def _text(self, number: int) -> Piece:
        text = self.header.texts[number]
        return Piece(text.blob, text.offset, text.size, text.crc32)

    def _image(self, position: int) -> Piece:
        images = self.images
        shard = self.header.shards[int(images.shard[position])]
        offset, size = int(images.offset[position]), int(images.size[position])
        return Piece(shard, offset, size, int(images.crc32[position]))


def plan_blob(work_prefix: str, digest: str) -> str:
    """Where the plan of an order is stored."""
    return f"{work_prefix}{digest}/plan.npz"
