"""Reads the project's documents: their tables, their examples, their headings and links."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[3]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`]*)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)


def documents() -> list[str]:
    """Returns the paths of all documents of the project. Hidden folders belong to tools and are left out."""
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return sorted(path.as_posix() for path in paths if not _is_a_tools(path))


def _is_a_tools(path: Path) -> bool:
    return any(part.startswith(".") or part == "node_modules" for part in path.parts)


def text_of(document: str) -> str:
    """Returns a document's text."""
    return (ROOT / document).read_text(encoding="utf-8")


def section_of(document: str, heading: str) -> str:
    """Returns the text below a heading, up to the next heading of the same or a higher level."""
    text = _without_examples(text_of(document))
    found = {title: (place.end(), len(place[1])) for place in _HEADING.finditer(text) for title in [place[2]]}
    start, level = found[heading]
    ends = (other.start() for other in _HEADING.finditer(text, start) if len(other[1]) <= level)
    return text[start : next(ends, len(text))]


def rows_of(text: str) -> list[list[str]]:
    """Returns the rows of all tables in a text, without headers."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rules = {at for at, line in enumerate(lines) if set(line) <= set("|- ")}
    return [_cells(line) for at, line in enumerate(lines) if at not in rules and at + 1 not in rules]


def codes_in(cell: str) -> list[str]:
    """Returns the texts in a cell that are formatted as code."""
    return _CODE.findall(cell)


def examples_in(document: str, language: str, heading: str | None = None) -> list[str]:
    """Returns a document's examples in a language, or only those below a heading of the second level."""
    text = text_of(document)
    if heading is not None:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [body for name, body in _FENCE.findall(text) if name == language]


def links_in(document: str) -> Iterator[tuple[str, str]]:
    """Yields the links to documents: the path and the anchor, each of which may be empty."""
    for target in _LINK.findall(_CODE.sub("", _without_examples(text_of(document)))):
        if "://" not in target and not target.startswith("mailto:"):
            path, _, anchor = target.partition("#")
            yield path, anchor


def anchors_of(document: str) -> Sequence[str]:
    """Returns the anchors of a document's headings, as GitHub makes them."""
    titles = [title for _, title in _HEADING.findall(_without_examples(text_of(document)))]
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def _without_examples(text: str) -> str:
    return _FENCE.sub("", text)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
