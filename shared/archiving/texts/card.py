"""Writes the dataset card: README.md with the front matter that Hugging Face reads."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shared.archiving.options import AnnotationFormat
from shared.archiving.order import ArchiveOrder, changes_of
from shared.archiving.texts.loading import loading
from shared.archiving.texts.markdown import code, escaped
from shared.archiving.texts.yaml import yaml_of
from shared.records.delivered import SHA256_BYTES
from shared.records.licenses import allows_changes
from shared.records.records import KEPT

_SIZES = (
    (1000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_LINES = 4096
# Hugging Face's own name of this split, which it uses if a card declares no splits
_HUGGING_FACE_NAMES = {"val": "validation"}


@dataclass(slots=True)
class Figures:
    """Counts for the card: candidates by label and outcome, and images by split, source, licence and scoring model."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    splits: Mapping[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    licenses: dict[str, int] = field(default_factory=dict)
    scorers: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Packing:
    """The card's description of the archive's format.

    `split_paths` has a glob for the files of each split. `images` are the lines that say where the images are.
    `example` is a program that loads them. `checksums_of` names the files that `SHA256SUMS` covers. If the archive
    has `numbered_labels`, the card lists their numbers.
    """

    split_paths: Mapping[str, str]
    images: Sequence[str]
    annotations: Sequence[AnnotationFormat]
    checksums_of: Literal["images", "files"]
    example: Sequence[str]
    numbered_labels: bool = False


def card(
    order: ArchiveOrder,
    packing: Packing,
    figures: Figures,
    labels: Sequence[str],
    checksum: str,
    *,
    has_preview: bool = False,
) -> str:
    """Returns the card. `labels` are in order of their numbers, and `checksum` is that of the images.

    If the dataset `has_preview`, the card shows it. Hugging Face shows images of the repository in the card, too.
    """
    total = sum(figures.splits.values())
    return "\n".join(
        [
            *_front_matter(order, packing, total),
            "",
            f"# {escaped(order.name)}",
            "",
            f"{total} images, made by PixCrawler on {order.created_at:%Y-%m-%d} (job {order.job_id}).",
            "",
            *(("![Some images of each label](preview.jpg)", "") if has_preview else ()),
            *_table(("label", "found", "kept"), _label_rows(figures.counts)),
            *_table(("split", "images"), [(name, str(number)) for name, number in figures.splits.items()]),
            *_table(("source", "images"), _descending(figures.sources)),
            *_table(("licence", "images"), _descending(figures.licenses)),
            *_contents(packing, labels, has_preview=has_preview),
            *_terms(order, figures.licenses),
            "",
            "## How to load it",
            "",
            *loading(packing.example, packing.annotations),
            *_making(order, figures),
            f"Checksum of the images: `{checksum}`, the SHA-256 of their sorted SHA-256s, a line each. The same images",
            "have the same one, however they are named, divided and packed.",
            "",
        ]
    )


_ANNOTATIONS = {
    "jsonl": "- `annotations.jsonl`: the same of all images, as JSON, a line each.",
    "csv": "- `annotations.csv`: the same of all images. Texts are as they were found: a cell may begin with `=`.",
    "txt": "- `annotations.txt`: of each image its name, a tab, and its label.",
    "yaml": "- `annotations.yaml`: the same of all images, as YAML.",
    "coco": "- `annotations.coco.json`: labels as COCO's categories; of each image its size and a box around it.",
    "labelstudio": "- `annotations.labelstudio.json`: tasks for Label Studio, annotated with the labels.",
    "fiftyone": "- `annotations.fiftyone.json`: the labels for FiftyOne's FiftyOneImageClassificationDataset.",
}


def checksum_of(sha256: NDArray[np.void]) -> str:
    """Returns the card's checksum of images with these checksums. Their order does not matter."""
    order = np.lexsort(sha256.view(">u8").reshape(-1, SHA256_BYTES // 8).T[::-1])
    digest = hashlib.sha256()
    # all lines at once would be the largest object of the planning step
    for start in range(0, len(order), _LINES):
        lines = sha256[order[start : start + _LINES]].tobytes().hex("\n", SHA256_BYTES)
        digest.update(f"{lines}\n".encode())
    return digest.hexdigest()


def _front_matter(order: ArchiveOrder, packing: Packing, total: int) -> Iterator[str]:
    size = next((name for limit, name in _SIZES if total < limit), "10M<n<100M")
    yield from ("---", f"pretty_name: {yaml_of(order.name)}", "license: other")
    yield from ("task_categories:\n- image-classification", f"size_categories:\n- {size}")
    yield from (*_split_globs(packing), "---")


def _making(order: ArchiveOrder, figures: Figures) -> Iterator[str]:
    yield from ("## How it was made", "")
    if order.parents:
        yield f"- made of the datasets: {', '.join(order.parents)}"
    yield f"- {changes_of(order) or 'Images are as they were found.'}"
    yield f"- deduplication: {_dedup(order)}"
    if figures.scorers:
        models = ", ".join(map(code, sorted(figures.scorers)))
        yield f"- relevance and embeddings: measured by {models}. Values of different models are not comparable."
    yield f"- images per label: {_limit(order)}"
    yield f"- splits: {_shares(order)}; seed {order.seed}"
    yield ""


def _split_globs(packing: Packing) -> Iterator[str]:
    """Yields the lines that declare the files of each split.

    Without them, `load_dataset` would take labels such as `test` or `dev-board` for splits, and annotation files for
    data.
    """
    yield "configs:\n- config_name: default\n  data_files:"
    for split, path in packing.split_paths.items():
        yield f"  - split: {_HUGGING_FACE_NAMES.get(split, split)}\n    path: {yaml_of(path)}"


def _contents(packing: Packing, labels: Sequence[str], *, has_preview: bool) -> Iterator[str]:
    yield from ("## What is in here", "", *packing.images)
    yield from (line for kind, line in _ANNOTATIONS.items() if kind in packing.annotations)
    if has_preview:
        yield "- `preview.jpg`: some of the images of each label, made small."
    yield "- `report.html`: the scores of the images, and the worst of them; classes, copies, sources and refusals."
    yield "- `classes.txt`: the labels in the order of their numbers, which are the same in all splits."
    yield "- `croissant.json`: the dataset as Croissant 1.1, for search engines and `mlcroissant`."
    yield "- `ATTRIBUTION.md`: a line for each image whose licence asks for its author to be named."
    yield "- `CONSENT.jsonl`: for each image, which signals against its use were looked for, and their answers."
    yield f"- `SHA256SUMS`: checksums of the {packing.checksums_of}, for `sha256sum --check`."
    yield ""
    if packing.numbered_labels:
        yield from _table(("cls", "label"), [(str(number), label) for number, label in enumerate(labels)])


def _terms(order: ArchiveOrder, licenses: Iterable[str]) -> Iterator[str]:
    yield "Every image keeps its own licence: respect it when you use or share the dataset. `unknown` means that no"
    yield "licence was given, or one that has no code here, such as GFDL or “all rights reserved”."
    rigid = ", ".join(f"`{code}`" for code in sorted(licenses) if not allows_changes(code))
    if order.changes and rigid:
        yield f"Images were changed (see below), and {rigid} do not allow adapted versions to be shared."


def _shares(order: ArchiveOrder) -> str:
    return ", ".join(f"{name} {share:g}" for name, share in order.splits.root.items())


def _limit(order: ArchiveOrder) -> str:
    if order.max_images_per_label is None:
        return "no limit"
    lists = ", all of those in lists" if order.whole_labels else ""
    return f"{order.max_images_per_label}{lists}"


def _dedup(order: ArchiveOrder) -> str:
    dedup = order.dedup
    criteria = ["equal bytes"] if dedup.exact else []
    if dedup.near_distance is not None:
        criteria.append(f"perceptual hashes up to {dedup.near_distance} of 64 bits apart")
    if dedup.against and criteria:
        criteria.append(f"also against {', '.join(dedup.against)}")
    return "; ".join(criteria) or "none"


def _label_rows(counts: Mapping[str, Mapping[str, int]]) -> list[tuple[str, ...]]:
    return [
        (label, str(sum(outcomes.values())), str(outcomes.get(KEPT, 0))) for label, outcomes in counts.items()
    ]


def _descending(numbers: Mapping[str, int]) -> list[tuple[str, ...]]:
    return [
        (name, str(number)) for name, number in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    ]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    line = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return [*line, *("| " + " | ".join(escaped(cell) for cell in row) + " |" for row in rows), ""]
