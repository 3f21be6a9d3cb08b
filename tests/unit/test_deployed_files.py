"""The files that a deployment and an installed package contain."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {"functions", "pixcrawler_sources", "shared"}


def test_what_the_app_runs_with_is_deployed_and_its_tools_are_not():
    left_out = (ROOT / ".funcignore").read_text().split()

    def deployed(name: str) -> bool:
        return not any(fnmatch(name, pattern) for pattern in left_out)

    needed = {*PACKAGES, "function_app.py", "host.json", "requirements.txt"}
    assert needed == {name for name in needed if deployed(name)}
    tools = {
        "bench",
        "build",
        "client",
        "devhost",
        "docs",
        "infra",
        "playground",
        "tests",
        "README.md",
        "pyproject.toml",
    }
    assert not [name for name in tools if deployed(name)]


def test_the_packages_of_the_app_are_installed_and_those_that_others_import_are_typed():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    patterns = setuptools["packages"]["find"]["include"]
    assert {name for name in found if any(fnmatch(name, pattern) for pattern in patterns)} == PACKAGES
    assert setuptools["py-modules"] == ["function_app"]
    for name, files in setuptools["package-data"].items():
        assert all(any((ROOT / name).glob(file)) for file in files)
