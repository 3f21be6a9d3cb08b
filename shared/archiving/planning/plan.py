"""Defines the plan of a dataset: what every byte of every file will be, without the bytes themselves.

A plan is made once and stored. All function instances that write parts of a file read it, so that their parts fit
together.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property

import numpy as np
from pydantic import TypeAdapter

from shared.archiving.formats.registry import format_of
from shared.archiving.layout.contents import Contents, File, Images, Piece
from shared.archiving.layout.layout import Layout, PlainLayout
from shared.archiving.options import FormatName
from shared.archiving.planning.parts import BegunSlice, Part, Slice, WrittenSlices, block_bytes_of, cut_parts


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """A plan without the columns of its images.

    `digest` is that of the order. `description` is croissant.json without the files of images, or empty if it is one of
    the texts. `counts`, `split_counts` and `diff` are `Archived.counts`, `splits` and `diff`.
    `optional_columns` are those of the order.
    """

    digest: str
    job_id: str
    format: FormatName
    prefix: str
    planned_at: datetime
    contents: Contents
    files: tuple[File, ...]
    part_bytes: int
    block_bytes: int
    records_blob: str = ""
    description: Mapping[str, object] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    split_counts: Mapping[str, int] = field(default_factory=dict)
    diff: Mapping[str, int] | None = None
    optional_columns: tuple[str, ...] = ()


_adapter = TypeAdapter(PlanHeader)


class Plan:
    """The plan of a dataset (see the module).

    `begun` is what this run wrote of the first slice while it made the plan. `written` says which slices are written,
    as this run last read or wrote it. Neither is stored with the plan.
    """

    def __init__(self, header: PlanHeader, images: Images) -> None:
        self.begun: BegunSlice | None = None
        self.written: WrittenSlices | None = None
        self.header = header
        self.images = images
        self._format = format_of(header.format, header.optional_columns)

    @property
    def files(self) -> Sequence[File]:
        """The dataset's files, in the order of delivery."""
        return self.header.files

    @property
    def size_bytes(self) -> int:
        """The size of all files together, in bytes."""
        return sum(file.size for file in self.files)

    @cached_property
    def parts(self) -> Sequence[Part]:
        """The parts of the files. One function instance writes a part at a time."""
        sizes = [file.size for file in self.files]
        return cut_parts(sizes, self.header.block_bytes, self.header.part_bytes)

    def slice_of_images(self) -> Slice | None:
        """Returns the whole blocks at the beginning of the first file that do not depend on texts.

        Returns None if there are none, or if the files are written by several runs.
        """
        if len(self.parts) != 1:
            return None
        file = self.files[0]
        known = self._format.bytes_before_texts(file, self.images, self.header.contents)
        blocks = known // block_bytes_of(file.size, self.header.block_bytes)
        return Slice(0, 0, 0, blocks) if blocks else None

    def take_begun(self, piece: Slice) -> BegunSlice | None:
        """Returns what is written of the slice, if it is the first one. The next call returns None."""
        if piece.number:
            return None
        begun, self.begun = self.begun, None
        return begun

    def take_written(self) -> WrittenSlices | None:
        """Returns what the run knows of the slices. The next call returns None: by then it may have changed."""
        written, self.written = self.written, None
        return written

    def blob(self, file: File) -> str:
        """Returns the name of a file's blob."""
        return f"{self.header.prefix}{file.name}"

    def layout(self, file: File) -> Layout:
        """Returns the layout of a file."""
        if file.kind == "text":
            return PlainLayout(file.size)
        return self._format.layout(file, self.images, self.header.contents)

    def content(self, file: File, entry: int) -> Piece | bytes:
        """Returns the place of the data of an entry in a file, or the data itself."""
        if file.kind == "text":
            return self.header.contents.texts[file.start].piece
        return self._format.content(file, entry, self.images, self.header.contents)

    def encode(self) -> bytes:
        """Encodes the plan as an .npz file of NumPy, with the header as JSON in it."""
        out = io.BytesIO()
        header = np.frombuffer(_adapter.dump_json(self.header), np.uint8)
        columns = {column.name: getattr(self.images, column.name) for column in fields(Images)}
        np.savez(out, header=header, **columns)
        return out.getvalue()

    @classmethod
    def decode(cls, data: bytes) -> "Plan":
        """Decodes what `encode` encoded."""
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            header = _adapter.validate_python(json.loads(found["header"].tobytes()))
            return cls(header, Images(**{column.name: found[column.name] for column in fields(Images)}))
