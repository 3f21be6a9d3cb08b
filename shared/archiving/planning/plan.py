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

from shared.archiving.formats.registry import FORMATS
from shared.archiving.layout.contents import Contents, File, Images, Piece
from shared.archiving.layout.layout import Layout, PlainLayout
from shared.archiving.options import FormatName
from shared.archiving.planning.parts import Part, cut_parts


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What a plan says beside its images.

    `digest` names the order that it was made for; `generation` tells its blocks from those of the job's other plans.
    `counts` and `split_counts` are those of `Archived`.
    """

    digest: str
    job_id: str
    format: FormatName
    prefix: str
    planned_at: datetime
    records_blob: str
    contents: Contents
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
        self._format = FORMATS[header.format]

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
        if file.kind == "text":
            return PlainLayout(file.size)
        return self._format.layout(file, self.images, self.header.contents)

    def content(self, file: File, entry: int) -> Piece | bytes:
        """Where the data of a file's entry is, or the data itself."""
        if file.kind == "text":
            return self.header.contents.texts[file.start].piece
        return self._format.content(file, entry, self.images, self.header.contents)

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
