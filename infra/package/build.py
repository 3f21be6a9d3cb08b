"""Builds the zip that a deployment uploads: the app's files, and its dependencies as the platform looks for them.

```
function_app.py  host.json  functions/  shared/  …   all that .funcignore leaves
.python_packages/lib/site-packages/                  the pinned dependencies
```

The bytecode is part of the package, because a new instance would compile each module again. It is valid whatever times
the platform gives the files (PEP 552, unchecked hash). The same files make the same bytes.
"""

import compileall
import platform
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

from pathspec import GitIgnoreSpec

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / ".local" / "package"
SITE_PACKAGES: Final = ".python_packages/lib/site-packages"
"""The folder where Microsoft's worker looks for the dependencies of an app."""

_DEPLOYED_TO = "/home/site/wwwroot"
_NEWEST_GLIBC = (2, 36)
"""The C library of the platform's image, Debian 12. A wheel for a newer one would not load there."""

# what only compilers, type checkers and the packages' own tests read
_UNUSED_SUFFIXES = frozenset(
    {".a", ".c", ".cpp", ".d", ".h", ".hpp", ".pxd", ".pxi", ".pyi", ".pyx", ".rlib"}
)
_UNUSED_FOLDERS = frozenset({"__pycache__", "tests"})
_NOT_INSTALLED = "the dependencies cannot be installed"
# the earliest time that a zip can have
_TIME = (1980, 1, 1, 0, 0, 0)


class PackageError(Exception):
    """The package cannot be built. The text says why."""


@dataclass(frozen=True, slots=True)
class Package:
    """A built package. `folder` has the files of the zip at `path`."""

    path: Path
    folder: Path
    extras: tuple[str, ...]


def build_package(extras: tuple[str, ...] = ()) -> Package:
    """Builds the package in place of an earlier one. `extras` are optional dependencies of pyproject.toml.

    Raises:
        PackageError: this machine cannot build it, or a dependency cannot be installed or would not run on the
            platform.
    """
    _check_machine()
    folder = FOLDER / "app"
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "functions.http.pages.assets"], "the files of the pages cannot be copied")
    for name in app_files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    packages = folder / SITE_PACKAGES
    _install(packages, extras)
    _remove_unused(packages)
    _compile(folder)
    path = FOLDER / "pixcrawler.zip"
    _zip(folder, path)
    return Package(path, folder, extras)


def app_files() -> Iterator[str]:
    """Yields the paths of the app's files, relative to the repository: those that .funcignore leaves.

    Bytecode is left out, because the package gets its own.
    """
    ignored = GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text("utf-8").splitlines())
    yield from sorted(
        name for name in ignored.match_tree_files(ROOT, negate=True) if not name.endswith(".pyc")
    )


def _check_machine() -> None:
    machine = (sys.platform, platform.machine(), sys.version_info[:2])
    if machine != ("linux", "x86_64", (3, 13)):
        raise PackageError(
            "a package has the files for Linux on x86-64 with Python 3.13, and pip takes those of the machine it runs"
            " on; build it in the devcontainer or on such a machine"
        )


def _install(target: Path, extras: tuple[str, ...]) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    _run(
        [*pip, "--require-hashes", "--target", str(target), "-r", str(ROOT / "requirements.txt")],
        _NOT_INSTALLED,
    )
    if extras:
        # the pins of the extras are among those of development
        pins = FOLDER / "extras.txt"
        pins.write_text("\n".join(_pins(extras)) + "\n")
        _run(
            [*pip, "--require-hashes", "--no-deps", "--target", str(target), "-r", str(pins)], _NOT_INSTALLED
        )
    shutil.rmtree(target / "bin", ignore_errors=True)
    for wheel in sorted(target.glob("*.dist-info/WHEEL")):
        tags = re.findall(r"^Tag: (.+)$", wheel.read_text("utf-8"), re.MULTILINE)
        if not any(_runs_on_platform(tag) for tag in tags):
            raise PackageError(
                f"{wheel.parent.stem} is built for {', '.join(tags)}, which Azure does not run"
            )


def _pins(extras: tuple[str, ...]) -> Iterator[str]:
    optional = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    pinned = (ROOT / "requirements-dev.txt").read_text("utf-8")
    for extra in extras:
        if extra not in optional or extra == "dev":
            raise PackageError(f"there is no extra {extra!r} for a package in pyproject.toml")
        for name in optional[extra]:
            pin = re.search(rf"^{re.escape(name)}==.+(?:\n .+)*", pinned, re.MULTILINE)
            if pin is None:
                raise PackageError(f"requirements-dev.txt does not pin {name}")
            yield pin[0]


def _runs_on_platform(tag: str) -> bool:
    """Returns whether the platform runs a wheel of this tag (PEP 425, PEP 600)."""
    system = tag.rpartition("-")[2]
    glibc = re.fullmatch(r"manylinux_(\d+)_(\d+)_x86_64", system)
    if glibc:
        return (int(glibc[1]), int(glibc[2])) <= _NEWEST_GLIBC
    return system == "any" or re.fullmatch(r"manylinux(1|2010|2014)_x86_64", system) is not None


def _remove_unused(packages: Path) -> None:
    for folder in [path for path in packages.rglob("*") if path.is_dir() and path.name in _UNUSED_FOLDERS]:
        shutil.rmtree(folder, ignore_errors=True)
    for path in packages.rglob("*"):
        if path.suffix in _UNUSED_SUFFIXES:
            path.unlink()


def _compile(folder: Path) -> None:
    done = compileall.compile_dir(
        folder,
        maxlevels=50,
        quiet=2,
        workers=0,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        stripdir=str(folder),
        prependdir=_DEPLOYED_TO,
    )
    if not done:
        raise PackageError("a module of the package has an error of syntax: see `python -m compileall`")


def _zip(folder: Path, path: Path) -> None:
    """Writes the zip. It replaces an earlier one only when it is complete."""
    unfinished = path.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, file.read_bytes())
    unfinished.replace(path)


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"{failure}:\n{done.stderr.strip()}")
