"""The text files of a dataset: what each image is, where it comes from, under which terms.

Every file is written row by row while the records stream by. `metadata.jsonl` (or `.csv`) in each split's folder is
what Hugging Face's `imagefolder` reads: `file_name` relative to the folder, and the other columns as features.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.archiving.options import Output
from shared.licenses import License, asks_for_attribution, license_name
from shared.records import Kept, Record

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


@dataclass(frozen=True, slots=True)
class Placed:
    """A selected image and its place in the archive: `folder` is the label's, `file` the name in it."""

    record: Record
    kept: Kept
    split: str
    folder: str
    file: str
    label_number: int

    @property
    def path(self) -> str:
        """Its path in the archive."""
        return f"{self.split}/{self.folder}/{self.file}"


class Annotation(Protocol):
    """One text file of the archive, made from the images one by one."""

    name: str

    def begin(self) -> str:
        """What stands before the first image."""
        ...

    def row(self, image: Placed) -> str:
        """What stands for one image; empty where the file does not concern it."""
        ...

    def end(self) -> str:
        """What stands behind the last image."""
        ...


def annotations_of(output: Output, splits: Sequence[str], labels: Sequence[str]) -> list[Annotation]:
    """The text files that an output asks for, in the order in which they stand in the archive."""
    wanted = set(output.annotations)
    main = "jsonl" if "jsonl" in wanted or "csv" not in wanted else "csv"
    found: list[Annotation] = [
        JsonLines(f"{split}/metadata.jsonl", split)
        if main == "jsonl"
        else Table(f"{split}/metadata.csv", split)
        for split in splits
    ]
    if "csv" in wanted and main != "csv":
        found.append(Table("annotations.csv", None))
    if "txt" in wanted:
        found.append(PlainText("annotations.txt"))
    if "yaml" in wanted:
        found.append(Yaml("annotations.yaml"))
    if "coco" in wanted:
        found.append(Coco("annotations.coco.json", labels))
    return [*found, Attribution("ATTRIBUTION.md"), Checksums("SHA256SUMS")]


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
        return json.dumps(_fields(image, relative=True), ensure_ascii=False) + "\n"

    def end(self) -> str:
        """See `Annotation`."""
        return ""


@dataclass(slots=True)
class Table:
    """CSV (RFC 4180) with a header; of one split and relative to its folder, or of all."""

    name: str
    split: str | None

    def begin(self) -> str:
        """See `Annotation`."""
        return _csv_line(_COLUMNS)

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        if self.split is not None and image.split != self.split:
            return ""
        fields = _fields(image, relative=self.split is not None)
        return _csv_line(["" if fields[column] is None else str(fields[column]) for column in _COLUMNS])

    def end(self) -> str:
        """See `Annotation`."""
        return ""


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

    def end(self) -> str:
        """See `Annotation`."""
        return ""


@dataclass(slots=True)
class Yaml:
    """A YAML 1.2 sequence of flow mappings; JSON scalars are YAML scalars."""

    name: str

    def begin(self) -> str:
        """See `Annotation`."""
        return "images:\n"

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        return f"- {json.dumps(_fields(image, relative=False), ensure_ascii=False)}\n"

    def end(self) -> str:
        """See `Annotation`."""
        return ""


class Coco:
    """COCO's object format: images, categories, one whole-image box each (cocodataset.org/#format-data)."""

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        self.name = name
        self._labels = labels
        self._images = 0
        self._annotations: list[str] = []

    def begin(self) -> str:
        """See `Annotation`."""
        categories = [{"id": number + 1, "name": label} for number, label in enumerate(self._labels)]
        return f'{{"categories": {json.dumps(categories, ensure_ascii=False)},\n"images": ['

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        self._images += 1
        facts = image.kept.facts
        number = self._images
        described = {"id": number, "file_name": image.path, "width": facts.width, "height": facts.height}
        self._annotations.append(
            f'{{"id":{number},"image_id":{number},"category_id":{image.label_number + 1},'
            f'"bbox":[0,0,{facts.width},{facts.height}],"area":{facts.width * facts.height},"iscrowd":0}}'
        )
        return ("" if number == 1 else ",") + "\n" + json.dumps(described, ensure_ascii=False)

    def end(self) -> str:
        """See `Annotation`."""
        return '],\n"annotations": [\n' + ",\n".join(self._annotations) + "]}\n"


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
        return f"- `{image.path}`: {_one_line(attribution_line(image.record))}\n"

    def end(self) -> str:
        """See `Annotation`."""
        return ""


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

    def end(self) -> str:
        """See `Annotation`."""
        return ""


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


def _fields(image: Placed, *, relative: bool) -> dict[str, str | int | None]:
    candidate, facts = image.record.candidate, image.kept.facts
    provenance = candidate.provenance
    asked = asks_for_attribution(provenance.license)
    return {
        "file_name": f"{image.folder}/{image.file}" if relative else image.path,
        "label": candidate.label,
        "caption": candidate.caption,
        "width": facts.width,
        "height": facts.height,
        "license": provenance.license,
        "license_url": provenance.license_url,
        "creator": provenance.creator,
        "creator_url": provenance.creator_url,
        "attribution": _one_line(attribution_line(image.record)) if asked else None,
        "source": provenance.source,
        "page_url": provenance.page_url,
        "url": candidate.url,
        "sha256": facts.sha256,
        "perceptual_hash": facts.perceptual_hash,
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
