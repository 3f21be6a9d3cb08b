"""The text files of a dataset: what each image is, where it comes from, under which terms.

Every file is written row by row while the records stream by. `metadata.parquet` in each split's folder is what Hugging
Face's `imagefolder` reads: `file_name` relative to the folder, and the other columns as features. It is Parquet since
that tells the type of each column: of JSON lines and CSV, readers guess it, and take texts such as `2021-03-05` and
`007` for dates and numbers.

Texts are as they were found. In CSV, too: what begins with `=`, `+`, `-` or `@` is no formula to the programs that read
datasets, and a quote before it would make another label of it.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.archiving.changes import changes_of
from shared.archiving.coco import Coco
from shared.archiving.credit import credit_markdown
from shared.archiving.markdown import code
from shared.archiving.order import ArchiveOrder
from shared.archiving.parquet import ParquetWriter
from shared.archiving.told import COLUMNS, Placed
from shared.archiving.yaml_text import Yaml
from shared.json_lines import json_line
from shared.licenses import asks_for_attribution
from shared.records import Record


class Annotation(Protocol):
    """One file of the archive that tells of images, made from them one by one."""

    name: str

    def begin(self) -> bytes:
        """What stands before the first image."""
        ...

    def row(self, image: Placed) -> bytes:
        """What is to be written once this image is told; it may be empty, and tell of images before."""
        ...

    def end(self) -> Iterator[bytes]:
        """What stands behind the last image, piece by piece."""
        ...


def annotations_of(order: ArchiveOrder, splits: Sequence[str], labels: Sequence[str]) -> list[Annotation]:
    """The files that tell of an order's images, in the order in which they are delivered.

    In WebDataset shards, each image has its JSON beside it, which takes the place of a `metadata.parquet` and of an
    `annotations.jsonl`; and the checksums are those of the shards, which are not known before they are written.
    """
    wanted = set(order.output.beside)
    found: list[Annotation] = []
    folders = order.output.format == "zip"
    if folders:
        found += [Metadata(f"{split}/metadata.parquet", split) for split in splits]
    if "jsonl" in wanted:
        found.append(JsonLines("annotations.jsonl"))
    if "csv" in wanted:
        found.append(Table("annotations.csv"))
    if "txt" in wanted:
        found.append(PlainText("annotations.txt"))
    if "yaml" in wanted:
        found.append(Yaml("annotations.yaml"))
    if "coco" in wanted:
        found.append(Coco("annotations.coco.json", order, labels))
    found.append(Attribution("ATTRIBUTION.md", changes_of(order)))
    return [*found, Checksums("SHA256SUMS")] if folders else found


@dataclass(slots=True)
class Metadata:
    """Parquet, of the images of one split, with names relative to its folder."""

    name: str
    split: str
    _writer: ParquetWriter = field(default_factory=lambda: ParquetWriter(COLUMNS))

    def begin(self) -> bytes:
        """See `Annotation`."""
        return self._writer.begin()

    def row(self, image: Placed) -> bytes:
        """See `Annotation`."""
        if image.split != self.split:
            return b""
        return self._writer.add(image.told | {"file_name": image.local})

    def end(self) -> Iterator[bytes]:
        """See `Annotation`."""
        yield self._writer.end()


@dataclass(slots=True)
class JsonLines:
    """One JSON object a line."""

    name: str

    def begin(self) -> bytes:
        """See `Annotation`."""
        return b""

    def row(self, image: Placed) -> bytes:
        """See `Annotation`."""
        return json_line(image.told) + b"\n"

    def end(self) -> Iterator[bytes]:
        """See `Annotation`."""
        return iter(())


@dataclass(slots=True)
class Table:
    """CSV (RFC 4180) with a header."""

    name: str

    def begin(self) -> bytes:
        """See `Annotation`."""
        return _csv_line(COLUMNS).encode()

    def row(self, image: Placed) -> bytes:
        """See `Annotation`."""
        return _csv_line([image.told[column] for column in COLUMNS]).encode("utf-8", "replace")

    def end(self) -> Iterator[bytes]:
        """See `Annotation`."""
        return iter(())


@dataclass(slots=True)
class PlainText:
    """Path, tab, label."""

    name: str

    def begin(self) -> bytes:
        """See `Annotation`."""
        return b""

    def row(self, image: Placed) -> bytes:
        """See `Annotation`."""
        label = " ".join(image.record.candidate.label.split())  # which a line has to be enough for
        return f"{image.path}\t{label}\n".encode("utf-8", "replace")

    def end(self) -> Iterator[bytes]:
        """See `Annotation`."""
        return iter(())


@dataclass(slots=True)
class Attribution:
    """A line for every image whose licence asks for its author to be named."""

    name: str
    changes: str

    def begin(self) -> bytes:
        """See `Annotation`."""
        changes = f" {self.changes}" if self.changes else ""
        head = f"# Attribution\n\nImages whose licences ask for it, and their authors.{changes}\n\n"
        return head.encode()

    def row(self, image: Placed) -> bytes:
        """See `Annotation`."""
        if not asks_for_attribution(image.record.candidate.provenance.license):
            return b""
        line = f"- {code(image.path)}: {credit_markdown(image.record)}\n"
        return line.encode("utf-8", "replace")

    def end(self) -> Iterator[bytes]:
        """See `Annotation`."""
        return iter(())


@dataclass(slots=True)
class Checksums:
    """What `sha256sum --check` reads."""

    name: str

    def begin(self) -> bytes:
        """See `Annotation`."""
        return b""

    def row(self, image: Placed) -> bytes:
        """See `Annotation`."""
        return f"{image.kept.facts.sha256}  {image.path}\n".encode()

    def end(self) -> Iterator[bytes]:
        """See `Annotation`."""
        return iter(())


def sidecar(record: Record, told: Mapping[str, str | int]) -> tuple[bytes, bytes]:
    """What stands beside an image in a WebDataset shard: its `.json`, and its `.txt`, the caption or else the label."""
    text = record.candidate.caption or record.candidate.label
    return json_line(told), text.encode("utf-8", "replace")


class _Echo:
    """A file for `csv.writer`, whose `writerow` then returns the line."""

    def write(self, line: str) -> str:
        return line


_csv_line: Callable[[Iterable[str | int]], str] = csv.writer(_Echo()).writerow
