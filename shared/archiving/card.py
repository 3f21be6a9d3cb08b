"""The dataset card: README.md with the front matter that Hugging Face reads."""

import json
from collections.abc import Mapping, Sequence

from shared.archiving.order import ArchiveOrder

_SIZES = ((1000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(
    order: ArchiveOrder,
    counts: Mapping[str, Mapping[str, int]],
    splits: Mapping[str, int],
    sources: Mapping[str, int],
    licenses: Mapping[str, int],
    labels: Sequence[str],
) -> str:
    """The card. `counts` is by label and outcome; the others count images by split, source and licence.

    `labels` are those that are numbered in the shards.
    """
    total = sum(splits.values())
    size = next((name for limit, name in _SIZES if total < limit), "n>1M")
    return "\n".join(
        [
            "---",
            f"pretty_name: {json.dumps(order.name, ensure_ascii=False)}",
            "license: other",
            "task_categories:\n- image-classification",
            f"size_categories:\n- {size}",
            "---",
            "",
            f"# {_escaped(order.name)}",
            "",
            f"{total} images, made by PixCrawler on {order.created_at:%Y-%m-%d} (job {order.job_id}).",
            "",
            *_table(("label", "found", "kept"), _label_rows(counts)),
            *_table(("split", "images"), [(name, str(number)) for name, number in splits.items()]),
            *_table(("source", "images"), _descending(sources)),
            *_table(("licence", "images"), _descending(licenses)),
            *(_IN_ZIP if order.output.format == "zip" else _in_shards(labels)),
            "## How it was made",
            "",
            f"- deduplication: {_dedup(order)}",
            f"- images per label: {order.max_images_per_label or 'no limit'}",
            f"- splits: {_shares(order)}; seed {order.seed}",
            "",
        ]
    )


_TERMS = (
    "Every image keeps its own licence: mind it when you use or share the dataset. Where the licence is",
    "`unknown`, nobody told one.",
    "",
    "## How to load it",
    "",
    "```python",
)
_IN_ZIP = (
    "## What is in here",
    "",
    "- `{split}/{label}/{number}.{format}`: the images. The number is the candidate's in the job's records.",
    "- `{split}/metadata.jsonl` or `.csv`: label, caption, licence, author and origin of each image.",
    "- `ATTRIBUTION.md`: a line for each image whose licence asks for its author to be named.",
    "- `SHA256SUMS`: checksums of the images, for `sha256sum --check`.",
    "",
    *_TERMS,
    "from datasets import load_dataset",
    'dataset = load_dataset("imagefolder", data_dir="path/to/the/unpacked/archive")',
    "```",
    "",
)


def _in_shards(labels: Sequence[str]) -> list[str]:
    return [
        "## What is in here",
        "",
        "- `*.tar`: shards in the WebDataset format. Beside each image stand, under the same key,",
        "  `.json` (label, caption, licence, author, origin), `.txt` (the caption, or else the label)",
        "  and `.cls` (the label's number). The key is the candidate's number in the job's records.",
        "- `ATTRIBUTION.md`: a line for each image whose licence asks for its author to be named.",
        "- `SHA256SUMS`: checksums of the files, for `sha256sum --check`.",
        "",
        *_table(("cls", "label"), [(str(number), label) for number, label in enumerate(labels)]),
        *_TERMS,
        "import webdataset",
        'dataset = webdataset.WebDataset("path/to/00001.tar", shardshuffle=False).decode("pil")',
        "",
        "from datasets import load_dataset  # where all images have one format",
        'dataset = load_dataset("webdataset", data_files="path/to/*.tar")',
        "```",
        "",
    ]


def _shares(order: ArchiveOrder) -> str:
    return ", ".join(f"{name} {share:g}" for name, share in order.splits.root.items())


def _dedup(order: ArchiveOrder) -> str:
    exact = "equal bytes" if order.dedup.exact else "off for equal bytes"
    near = order.dedup.near_distance
    return f"{exact}; " + (
        f"perceptual hashes up to {near} of 64 bits apart" if near is not None else "exact only"
    )


def _label_rows(counts: Mapping[str, Mapping[str, int]]) -> list[tuple[str, ...]]:
    return [
        (label, str(sum(outcomes.values())), str(outcomes.get("kept", 0)))
        for label, outcomes in counts.items()
    ]


def _descending(numbers: Mapping[str, int]) -> list[tuple[str, ...]]:
    return [
        (name, str(number)) for name, number in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    ]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    line = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return [*line, *("| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in rows), ""]


def _escaped(text: str) -> str:
    """One line of text that Markdown shows as it is."""
    flat = " ".join(text.split())
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>#|" else character for character in flat)
