"""Writes the dataset card's example programs, which load the dataset."""

from collections.abc import Collection, Iterator, Sequence

from shared.archiving.options import AnnotationFormat

_TABLES: dict[AnnotationFormat, Sequence[str]] = {
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


def loading(example: Sequence[str], annotations: Collection[AnnotationFormat]) -> Iterator[str]:
    """Yields lines of Markdown: the `example` of the archive's format, and one for each table among the `annotations`.

    Every program loads texts unchanged, also those that look like numbers or dates.
    """
    yield from _code(*example)
    tables = [kind for kind in _TABLES if kind in annotations]
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
