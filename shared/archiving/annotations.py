"""The text files of a dataset: what each image is, where it comes from, under which terms.

Every file is written row by row while the records stream by. `metadata.jsonl` in each split's folder is what Hugging
Face's `imagefolder` reads: `file_name` relative to the folder, and the other columns as features. Texts that nobody
told are empty and not null: a column of nulls has no type, and so another than in a split where there is a text.

Texts are as they were found. In CSV, too: what begins with `=`, `+`, `-` or `@` is no formula to the programs that read
datasets, and a quote before it would make another label of it.
"""

import csv
import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pydantic_core import to_json

from shared.archiving.markdown import code, escaped
from shared.archiving.options import Output
from shared.licenses import License, asks_for_attribution, license_name
from shared.records import Kept, Record

# not printable, or breaks of lines to some (YAML 1.2, 5.1 and 5.4)
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

_COLUMNS = (
    "file_name",
    "label",
    "caption",
    "width",
    "height",
    "license",
    "license_url",
    "creator",
    "creator_url",
    "attribution",
    "source",
    "page_url",
    "url",
    "sha256",
    "perceptual_hash",
)


class Placed(NamedTuple):
    """A selected image and its place in the dataset: `path` in its archive, `local` in its split's folder.

    `told` is what annotations tell of it, with its path as the name.
    """

    record: Record
    kept: Kept
    split: str
    path: str
    local: str
    label_number: int
    told: dict[str, str | int]


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


def annotations_of(output: Output, splits: Sequence[str], labels: Sequence[str]) -> list[Annotation]:
    """The text files that an output asks for, in the order in which they are delivered.

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
    found.append(Attribution("ATTRIBUTION.md"))
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
        return _csv_line(_COLUMNS)

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        return _csv_line([image.told[column] for column in _COLUMNS])

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
class Yaml:
    """A YAML 1.2 sequence of flow mappings; JSON scalars are YAML scalars."""

    name: str

    def begin(self) -> str:
        """See `Annotation`."""
        return "images:\n"

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        return f"- {yaml_of(image.told)}\n"

    def end(self) -> Iterator[str]:
        """See `Annotation`."""
        return iter(())


class Coco:
    """COCO's object format: images, categories, one whole-image box each (cocodataset.org/#format-data)."""

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        self.name = name
        self._labels = labels
        self._boxes = array("i")  # label, width and height of each image, for the list behind the images

    def begin(self) -> str:
        """See `Annotation`."""
        categories = [{"id": number + 1, "name": label} for number, label in enumerate(self._labels)]
        return f'{{"categories": {_json(categories)},\n"images": ['

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        facts = image.kept.facts
        self._boxes.extend((image.label_number + 1, facts.width, facts.height))
        number = len(self._boxes) // 3
        described = {"id": number, "file_name": image.path, "width": facts.width, "height": facts.height}
        return ("" if number == 1 else ",") + "\n" + _json(described)

    def end(self) -> Iterator[str]:
        """See `Annotation`."""
        yield '],\n"annotations": ['
        for at in range(0, len(self._boxes), 3):
            category, width, height = self._boxes[at : at + 3]
            number = at // 3 + 1
            yield (
                f'{"," if at else ""}\n{{"id":{number},"image_id":{number},"category_id":{category},'
                f'"bbox":[0,0,{width},{height}],"area":{width * height},"iscrowd":0}}'
            )
        yield "]}\n"


@dataclass(slots=True)
class Attribution:
    """A line for every image whose licence asks for its author to be named."""

    name: str

    def begin(self) -> str:
        """See `Annotation`."""
        return "# Attribution\n\nImages whose licences ask for it, and their authors.\n\n"

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


def attribution_line(record: Record) -> str:
    """The source's own attribution, or title, author, licence and page, as far as they are known."""
    provenance = record.candidate.provenance
    if provenance.attribution:
        return provenance.attribution
    title = f'"{provenance.title}"' if provenance.title else "Untitled"
    author = f" by {provenance.creator}" if provenance.creator else ""
    name = license_name(License(provenance.license, provenance.license_version))
    where = f" ({provenance.page_url})" if provenance.page_url else ""
    return f"{title}{author}, {name}{where}"


def yaml_of(value: object) -> str:
    """JSON on one line that is YAML as well: what YAML forbids, or readers of it take for breaks, is escaped."""
    text = _json(value)
    if text.isascii() and "\x7f" not in text:
        return text
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def sidecar(record: Record, told: Mapping[str, str | int]) -> tuple[bytes, bytes]:
    """What stands beside an image in a WebDataset shard: its `.json`, and its `.txt`, the caption or else the label."""
    text = record.candidate.caption or record.candidate.label
    return to_json(told), text.encode("utf-8", "replace")


def told_of(record: Record, kept: Kept, file_name: str) -> dict[str, str | int]:
    """What annotations tell of an image, by column."""
    candidate, facts = record.candidate, kept.facts
    provenance = candidate.provenance
    asked = asks_for_attribution(provenance.license)
    return {
        "file_name": file_name,
        "label": candidate.label,
        "caption": candidate.caption or "",
        "width": facts.width,
        "height": facts.height,
        "license": provenance.license,
        "license_url": provenance.license_url or "",
        "creator": provenance.creator or "",
        "creator_url": provenance.creator_url or "",
        "attribution": _one_line(attribution_line(record)) if asked else "",
        "source": provenance.source,
        "page_url": provenance.page_url or "",
        "url": candidate.url,
        "sha256": facts.sha256,
        "perceptual_hash": facts.perceptual_hash,
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Echo:
    """A file for `csv.writer`, whose `writerow` then returns the line."""

    def write(self, line: str) -> str:
        return line


_csv_line: Callable[[Iterable[str | int]], str] = csv.writer(_Echo()).writerow
_json = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` would make an encoder for each call
