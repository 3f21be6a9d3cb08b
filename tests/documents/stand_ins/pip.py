"""Stands in for `pip install`: a folder is really built and installed, a name must be installed where the tests run."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.documents.stand_ins.refuse import refuse

_BUILD = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def main() -> None:
    """Checks all requirements of a call."""
    if sys.argv[1:2] != ["install"] or not sys.argv[2:]:
        refuse("documents only use 'pip install' with names or folders")
    for requirement in sys.argv[2:]:
        if requirement.startswith("."):
            _install_once(Path(requirement.partition("[")[0]))
        elif not requirement.startswith("-"):
            _find(requirement)


def _install_once(folder: Path) -> None:
    """Installs a package, unless another page has tried it."""
    tried = Path(os.environ["TRIED"]) / folder.name  # noqa: TID251 - of the page
    if not tried.exists():
        _install(folder)
        tried.touch()


def _install(folder: Path) -> None:
    """Builds a copy of the package, because a build writes into its folder. Its commands must be those of the path."""
    with tempfile.TemporaryDirectory() as temporary:
        copy, target = Path(temporary) / "source", Path(temporary) / "target"
        ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
        shutil.copytree(folder, copy, ignore=ignored)
        command = [sys.executable, "-m", "pip", "install", *_BUILD, "--target", str(target), str(copy)]
        subprocess.run(command, check=True)  # noqa: S603 - our own command
        environment = {**os.environ, "PYTHONPATH": str(target)}  # noqa: TID251 - of the page
        for script in (target / "bin").iterdir():
            subprocess.run([str(script), "--help"], check=True, capture_output=True, env=environment)  # noqa: S603 - likewise


def _find(requirement: str) -> None:
    name = _NAME.match(requirement)
    try:
        importlib.metadata.version(name[0] if name else "")
    except (importlib.metadata.PackageNotFoundError, ValueError):
        refuse(f"{requirement} is not installed where the tests run, so nobody has tried the example")


if __name__ == "__main__":
    main()
