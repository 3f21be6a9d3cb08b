"""The text files of a dataset: what each image is, where it comes from, under which terms.

Every file is written row by row while the records stream by. `metadata.jsonl` in each split's folder is what Hugging
Face's `imagefolder` reads: `file_name` relative to the folder, and the other columns as features.

Texts are as they were found. In CSV, too: what begins with `=`, `+`, `-` or `@` is no formula to the programs that read
datasets, and a quote before it would make another label of it.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic_core import to_json

from shared.archiving.coco import Coco
from shared.archiving.markdown import code, escaped
from shared.archiving.options import Output
from shared.archiving.told import COLUMNS, Placed, attribution_line
from shared.archiving.yaml_text import Yaml
from shared.licenses import asks_for_attribution
from shared.records import Record


class Annotation(Protocol):
    """One text file of the archive, made from the images one by one."""

    name: str

    def begin(self) -> str:
        """What stands before the first image."""
        ...

    def row(self, image: Placed) -> str:
        """What stands for one image; empty where the file does not concern it."""
        ...

    def end(self) -> Iterator[str]:
        """What stands behind the last image, piece by piece."""
        ...


def annotations_of(
    output: Output, splits: Sequence[str], labels: Sequence[str], changes: str
) -> list[Annotation]:
    """The text files that an output asks for, in the order in which they are delivered.

    `changes` is what was done to the images, in sentences.

    In WebDataset shards, each image has its JSON beside it, which takes the place of a `metadata.jsonl`; and the
    checksums are those of the shards, which are not known before they are written.
    """
    wanted = set(output.annotations)
    found: list[Annotation] = []
    folders = output.format == "zip"
    if folders:
        found += [JsonLines(f"{split}/metadata.jsonl", split) for split in splits]
    if "csv" in wanted:
        found.append(Table("annotations.csv"))
    if "txt" in wanted:
        found.append(PlainText("annotations.txt"))
    if "yaml" in wanted:
        found.append(Yaml("annotations.yaml"))
    if "coco" in wanted:
        found.append(Coco("annotations.coco.json", labels))
    found.append(Attribution("ATTRIBUTION.md", changes))
    return [*found, Checksums("SHA256SUMS")] if folders else found


@dataclass(slots=True)
class JsonLines:
    """One JSON object a line; of one split, with names relative to its folder."""

    name: str
    split: str

    def begin(self) -> str:
        """See `Annotation`."""
        return ""

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        if image.split != self.split:
            return ""
        return to_json(image.told | {"file_name": image.local}).decode() + "\n"

    def end(self) -> Iterator[str]:
        """See `Annotation`."""
        return iter(())


@dataclass(slots=True)
class Table:
    """CSV (RFC 4180) with a header."""

    name: str

    def begin(self) -> str:
        """See `Annotation`."""
        return _csv_line(COLUMNS)

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        return _csv_line([image.told[column] for column in COLUMNS])

    def end(self) -> Iterator[str]:
        """See `Annotation`."""
        return iter(())


@dataclass(slots=True)
class PlainText:
    """Path, tab, label."""

    name: str

    def begin(self) -> str:
        """See `Annotation`."""
        return ""

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        return f"{image.path}\t{image.record.candidate.label}\n"

    def end(self) -> Iterator[str]:
        """See `Annotation`."""
        return iter(())


@dataclass(slots=True)
class Attribution:
    """A line for every image whose licence asks for its author to be named."""

    name: str
    changes: str

    def begin(self) -> str:
        """See `Annotation`."""
        changes = f" {self.changes}" if self.changes else ""
        return f"# Attribution\n\nImages whose licences ask for it, and their authors.{changes}\n\n"

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        provenance = image.record.candidate.provenance
        if not asks_for_attribution(provenance.license):
            return ""
        line = attribution_line(image.record)
        terms = provenance.license_url or ""
        line = line if terms in line else f"{line}, {terms}"
        return f"- {code(image.path)}: {escaped(line)}\n"

    def end(self) -> Iterator[str]:
        """See `Annotation`."""
        return iter(())


@dataclass(slots=True)
class Checksums:
    """What `sha256sum --check` reads."""

    name: str

    def begin(self) -> str:
        """See `Annotation`."""
        return ""

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        return f"{image.kept.facts.sha256}  {image.path}\n"

    def end(self) -> Iterator[str]:
        """See `Annotation`."""
        return iter(())


def sidecar(record: Record, told: Mapping[str, str | int]) -> tuple[bytes, bytes]:
    """What stands beside an image in a WebDataset shard: its `.json`, and its `.txt`, the caption or else the label."""
    text = record.candidate.caption or record.candidate.label
    return to_json(told), text.encode("utf-8", "replace")


class _Echo:
    """A file for `csv.writer`, whose `writerow` then returns the line."""

    def write(self, line: str) -> str:
        return line


_csv_line: Callable[[Iterable[str | int]], str] = csv.writer(_Echo()).writerow
