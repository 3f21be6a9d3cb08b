"""Modules that are named in strings are there: no tool follows such names when code moves."""

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
