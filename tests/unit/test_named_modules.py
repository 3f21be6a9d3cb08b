"""Modules and files that are named in strings and documents are there: no tool follows such names when code moves."""

import ast
import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "functions", "pixcrawler", "devhost", "playground", "bench")
MODULE = re.compile(r"(?:shared|functions)(?:\.[A-Za-z_]\w*)+")
FILE_IN_TEXT = re.compile(r"`([\w./-]+\.py)`")
DOCUMENTS = ("README.md", "docs/architecture.md", "docs/benchmarks.md", "devhost/README.md")


def named_in_strings() -> Iterator[str]:
    """What whole strings name, such as those that are imported ahead or patched; not what prose mentions."""
    for folder in (*PACKAGES, "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and MODULE.fullmatch(node.value)
                ):
                    yield node.value


def named_in_layers() -> Iterator[str]:
    """What the layers' configuration names; it tells itself of layers, but not of all else."""
    for line in (ROOT / ".importlinter").read_text().splitlines():
        yield from (name for name in MODULE.findall(line.split("->")[0]) if not line.strip().endswith("*"))


@pytest.mark.parametrize("name", sorted({*named_in_strings(), *named_in_layers()}))
def test_a_module_that_is_named_in_a_string_is_there(name: str):
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            if importlib.util.find_spec(".".join(parts[:length])) is None:
                continue
        except ModuleNotFoundError:
            continue
        found = importlib.import_module(".".join(parts[:length]))
        for attribute in parts[length:]:
            found = getattr(found, attribute)
        return
    pytest.fail(f"there is no {name}")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_file_that_a_document_names_is_there(document: str):
    files = {
        path.relative_to(ROOT).as_posix()
        for package in (*PACKAGES, "tests")
        for path in (ROOT / package).rglob("*.py")
    }
    files |= {path.name for path in ROOT.glob("*.py")}
    endings = {name for file in files for name in (file, file.rpartition("/")[2])}
    endings |= {"/".join(file.split("/")[-2:]) for file in files}
    named = FILE_IN_TEXT.findall((ROOT / document).read_text())
    assert not [name for name in named if name.removeprefix("./") not in endings]
