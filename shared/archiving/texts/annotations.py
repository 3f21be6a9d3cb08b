"""Writes the annotation files of a dataset: what each image is, where it comes from, and under which terms.

Every file is written row by row while the records are read. Hugging Face's `imagefolder` reads the `metadata.parquet`
in each split's folder: `file_name` is relative to the folder, and the other columns are features. It is Parquet
because that format declares the type of each column. In JSON lines and CSV, readers guess types, and take texts such
as `2021-03-05` and `007` for dates and numbers.

Texts are not changed, not even in CSV. The programs that read datasets do not treat a text that begins with `=`, `+`,
`-` or `@` as a formula, and a quote before it would make it another label.
"""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import override

from shared.archiving.options import AnnotationFormat
from shared.archiving.order import ArchiveOrder, changes_of
from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.consent_lines import CONSENT_FILE, ConsentLines
from shared.archiving.texts.credit import credit_markdown
from shared.archiving.texts.markdown import code
from shared.archiving.texts.metadata import Cell, Placed, columns_with
from shared.archiving.texts.parquet import ParquetWriter
from shared.archiving.texts.tools.coco import Coco
from shared.archiving.texts.tools.labelling import Classes, FiftyOne, LabelStudio
from shared.archiving.texts.yaml import Yaml
from shared.records.licenses import asks_for_attribution
from shared.text.json_lines import json_line


def annotations_of(
    wanted: Collection[AnnotationFormat], order: ArchiveOrder, labels: Sequence[str], *, local: bool = False
) -> list[Annotation]:
    """Returns the annotation files that are `wanted`, and those of every dataset, in the order of delivery.

    `local` says whether the images are files of the dataset, not parts of shards.
    """
    found: list[Annotation] = []
    if "jsonl" in wanted:
        found.append(JsonLines("annotations.jsonl"))
    if "csv" in wanted:
        found.append(Table("annotations.csv", order.optional_columns))
    if "txt" in wanted:
        found.append(PlainText("annotations.txt"))
    if "yaml" in wanted:
        found.append(Yaml("annotations.yaml"))
    if "coco" in wanted:
        found.append(Coco("annotations.coco.json", order, labels))
    if "labelstudio" in wanted:
        found.append(LabelStudio("annotations.labelstudio.json", local=local))
    if "fiftyone" in wanted:
        found.append(FiftyOne("annotations.fiftyone.json", labels))
    found.append(Classes("classes.txt", labels))
    found += (Attribution("ATTRIBUTION.md", changes_of(order)), ConsentLines(CONSENT_FILE))
    return found


class Metadata(Annotation):
    """A Parquet file with the images of one split, whose names are relative to its folder.

    Without a `split` it has all images, and their splits as a column.
    """

    described = True

    def __init__(self, name: str, split: str | None = None, optional_columns: Sequence[str] = ()) -> None:
        super().__init__(name)
        self._split = split
        self._columns = columns_with(optional_columns)
        columns = self._columns if split else {**self._columns, "split": str}
        self._writer = ParquetWriter(columns, nullable=optional_columns)

    @override
    def begin(self) -> bytes:
        return self._writer.begin()

    @override
    def rows(self, images: Sequence[Placed]) -> bytes:
        mine = [image for image in images if self._split in {image.split, None}]
        columns = {name: [image.fields[name] for image in mine] for name in self._columns}
        if self._split is None:
            return self._writer.add(columns | {"split": [image.split for image in mine]})
        folder = f"{self._split}/"
        return self._writer.add(columns | {"file_name": [image.path.removeprefix(folder) for image in mine]})

    @override
    def end(self) -> Iterator[bytes]:
        yield self._writer.end()


class JsonLines(Annotation):
    """A file with one JSON object per line."""

    @override
    def row(self, image: Placed) -> bytes:
        return json_line(image.fields) + b"\n"


class Table(Annotation):
    """A CSV file (RFC 4180) with a header. A number that was not measured is an empty cell."""

    def __init__(self, name: str, optional_columns: Sequence[str] = ()) -> None:
        super().__init__(name)
        self._columns = columns_with(optional_columns)

    @override
    def begin(self) -> bytes:
        return _csv_line(self._columns).encode()

    @override
    def row(self, image: Placed) -> bytes:
        return _csv_line([image.fields[column] for column in self._columns]).encode("utf-8", "replace")


class PlainText(Annotation):
    """A text file with one line per image: its path, a tab, and its label on one line."""

    @override
    def row(self, image: Placed) -> bytes:
        label = " ".join(image.record.candidate.label.split())
        return f"{image.path}\t{label}\n".encode("utf-8", "replace")


class Attribution(Annotation):
    """A text file with a credit line for every image whose licence asks for attribution."""

    def __init__(self, name: str, changes: str) -> None:
        super().__init__(name)
        self._changes = changes

    @override
    def begin(self) -> bytes:
        changes = f" {self._changes}" if self._changes else ""
        head = f"# Attribution\n\nImages whose licences ask for it, and their authors.{changes}\n\n"
        return head.encode()

    @override
    def row(self, image: Placed) -> bytes:
        if not asks_for_attribution(image.record.candidate.provenance.license):
            return b""
        line = f"- {code(image.path)}: {credit_markdown(image.record)}\n"
        return line.encode("utf-8", "replace")


class Checksums(Annotation):
    """A text file that `sha256sum --check` reads."""

    @override
    def row(self, image: Placed) -> bytes:
        return f"{image.kept.facts.sha256}  {image.path}\n".encode()


class _Echo:
    """A file for `csv.writer` that makes `writerow` return the line."""

    def write(self, line: str) -> str:
        return line


_csv_line: Callable[[Iterable[Cell]], str] = csv.writer(_Echo()).writerow
