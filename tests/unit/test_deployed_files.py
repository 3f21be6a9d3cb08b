"""The files that a deployment and an installed package contain."""

import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec

ROOT = Path(__file__).parents[2]
PACKAGES = {"functions", "pixcrawler_sources", "shared"}


def _is_deployed(name: str) -> bool:
    return not GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines()).match_file(name)


def test_every_file_of_the_app_is_deployed():
    folders = [*PACKAGES, "function_app.py", "host.json", "requirements.txt"]
    listed = subprocess.run(  # noqa: S603 - fixed names
        ["git", "ls-files", *folders],  # noqa: S607 - as in a shell
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    files = listed.stdout.split()
    assert len(files) > len(folders)
    assert [name for name in files if not _is_deployed(name)] == []
    assert _is_deployed("functions/http/pages/copied/swagger-ui.css")
    assert _is_deployed("shared/wiring/__pycache__/app.cpython-313.pyc")


@pytest.mark.parametrize(
    "name",
    [
        "bench/table.py",
        "build/lib/shared/ids.py",
        "client/client.py",
        "devhost/__main__.py",
        "infra/roles.py",
        "tests/unit/manual_clock.py",
        "docs/reference/spec.md",
        "README.md",
        "pyproject.toml",
        ".venv/bin/python",
        ".env",
        ".azure/prod/.env",
        "local.settings.json",
        "id_rsa",
        "key.pem",
        "notes.txt",
        "backup.sql",
        "my datasets/dataset.zip",
        "shared/.env",
        "shared/id_rsa",
        "functions/http/private.key",
        "functions/__pycache__/queues.cpython-312.pyc",
        "functions/__pycache__/queues.cpython-313.opt-1.pyc",
        "__pycache__/conftest.cpython-313.pyc",
    ],
)
def test_tools_and_files_that_lie_about_are_not_deployed(name):
    assert not _is_deployed(name)


def test_the_packages_of_the_app_are_installed_and_those_that_others_import_are_typed():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    patterns = setuptools["packages"]["find"]["include"]
    assert {name for name in found if any(fnmatch(name, pattern) for pattern in patterns)} == PACKAGES
    assert setuptools["py-modules"] == ["function_app"]
    for name, files in setuptools["package-data"].items():
        assert all(any((ROOT / name).glob(file)) for file in files)
