"""Builds the site of the documents, and reads its pages: what they load, and where their links lead."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

from tests.unit.documents.markdown import ROOT

_IN_STYLES = re.compile(r"""(?:url\(\s*|@import\s+)["']?([^"')\s;]+)""")
# the attributes with which an element loads something; those of links for people are not among them
_LOADS: Mapping[str, tuple[str, ...]] = {
    "audio": ("src",),
    "embed": ("src",),
    "form": ("action",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}


class Page(HTMLParser):
    """One page: what it loads, its links, its classes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.classes: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.loads += [values[name] for name in _LOADS.get(tag, ()) if name in values]
        self.loads += _IN_STYLES.findall(values.get("style", ""))
        self.classes |= set(values.get("class", "").split())
        if tag == "a" and "href" in values:
            self.links.append(values["href"])


def loaded_by_styles(path: Path) -> Iterator[str]:
    """Yields what a style sheet loads."""
    yield from _IN_STYLES.findall(path.read_text(encoding="utf-8"))


def is_foreign(address: str) -> bool:
    """Says whether an address is of another server."""
    return bool(re.match(r"(?!data:)[a-zA-Z][\w+.-]*:|//", address))


def build(folder: Path, configuration: Path = ROOT / "mkdocs.yml") -> subprocess.CompletedProcess[str]:
    """Builds the site in a folder, as `make docs` does."""
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-f",
        str(configuration),
        "-d",
        str(folder),
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
