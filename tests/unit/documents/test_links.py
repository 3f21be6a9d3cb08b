"""Links between documents have targets, and files that documents name exist."""

import posixpath
import re

import pytest

from tests.unit.documents.markdown import ROOT, anchors_of, documents, links_in, text_of

_FILE = re.compile(r"`([\w./-]+\.py)`")


@pytest.mark.parametrize("document", documents())
def test_a_link_leads_to_a_file_and_a_heading_that_are_there(document: str) -> None:
    lost = []
    for path, anchor in links_in(document):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(document), path)) if path else document
        there = (ROOT / target).exists()
        if not there or (anchor and anchor not in anchors_of(target)):
            lost.append(f"{path}#{anchor}")
    assert not lost


def test_each_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[str](), ["README.md"]
    while waiting:
        document = waiting.pop()
        if document in reached:
            continue
        reached.add(document)
        targets = (
            posixpath.join(posixpath.dirname(document), path) for path, _ in links_in(document) if path
        )
        waiting += [found for found in map(posixpath.normpath, targets) if found.endswith(".md")]
    pages = {document for document in documents() if document.startswith("docs/")}
    assert not pages - reached


@pytest.mark.parametrize("document", documents())
def test_a_file_that_a_document_names_is_there(document: str) -> None:
    packages = (
        "shared",
        "functions",
        "pixcrawler_sources",
        "client",
        "devhost",
        "playground",
        "bench",
        "infra",
        "tests",
    )
    files = {path.relative_to(ROOT).as_posix() for name in packages for path in (ROOT / name).rglob("*.py")}
    files |= {path.name for path in ROOT.glob("*.py")}
    named = {name.removeprefix("./") for name in _FILE.findall(text_of(document))}
    assert not [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)]


def test_the_readme_is_short() -> None:
    assert len(text_of("README.md").splitlines()) < 130
