"""Modules that strings name exist. No tool follows such names when code moves."""

import ast
import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "functions", "pixcrawler_sources", "devhost", "playground", "bench")
MODULE = re.compile(r"(?:shared|functions)(?:\.[A-Za-z_]\w*)+")
# few files have such strings, and it takes seconds to parse all of them
QUOTED = re.compile(r"""["'](?:shared|functions)""")


def named_in_strings() -> Iterator[str]:
    """Yields the modules that whole strings name, such as those that are imported ahead or patched."""
    for folder in (*PACKAGES, "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text()
            if not QUOTED.search(text):
                continue
            for node in ast.walk(ast.parse(text)):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and MODULE.fullmatch(node.value)
                ):
                    yield node.value


def named_in_layers() -> Iterator[str]:
    """Yields the modules that import-linter's configuration names. import-linter itself checks only those in layers."""
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
