"""The dataset card's example programs, which load the dataset."""

from collections.abc import Iterator, Sequence

from shared.archiving.layout.names import shard_prefix
from shared.archiving.options import Output

_TABLES = {
    "jsonl": (
        "import json",
        'with open("path/to/annotations.jsonl", encoding="utf-8") as lines:',
        "    images = [json.loads(line) for line in lines]",
    ),
    "csv": (
        "import pandas",
        'images = pandas.read_csv("path/to/annotations.csv", dtype=str, keep_default_na=False)',
        'images = images.astype({"width": int, "height": int})',
    ),
}


def loading(output: Output, splits: Sequence[str]) -> Iterator[str]:
    """Lines of Markdown. Every program loads texts as they are, also those that look like numbers or dates."""
    yield from _code(*(_from_zip(splits) if output.format == "zip" else _from_shards(splits)))
    tables = [kind for kind in _TABLES if kind in output.beside]
    if tables:
        yield "Texts may look like numbers, dates or nothing (`007`, `2021-03-05`, `NA`): let readers guess no types."
        yield ""
    for kind in tables:
        yield from _code(*_TABLES[kind])


def _code(*lines: str) -> Iterator[str]:
    yield "```python"
    yield from lines
    yield "```"
    yield ""


def _from_zip(splits: Sequence[str]) -> list[str]:
    split = splits[0] if splits else "train"
    return [
        "from datasets import load_dataset",
        'dataset = load_dataset("path/to/the/unpacked/archive")',
        "",
        "import pandas",
        f'images = pandas.read_parquet("path/to/the/unpacked/archive/{split}/metadata.parquet")',
    ]


def _from_shards(splits: Sequence[str]) -> list[str]:
    first = f"{shard_prefix(splits[0], splits)}00001.tar" if splits else ""
    return [
        "import webdataset",
        f'dataset = webdataset.WebDataset("path/to/{first}", shardshuffle=False).decode("pil")',
        "",
        "from datasets import load_dataset  # where all images have one format",
        'dataset = load_dataset("path/to/the/folder/of/these/files")',
    ]
