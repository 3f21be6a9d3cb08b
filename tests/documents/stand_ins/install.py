"""Puts the programs into a folder that blocks call, but that tests cannot run as they are."""

import sys
from collections.abc import Mapping
from pathlib import Path

from playground.azurite import ROOT

_HERE = Path(__file__).parent
_CLIENT = "-m pixcrawler"
PROGRAMS: Mapping[str, str] = {
    "az": str(_HERE / "az.py"),
    "azd": str(_HERE / "azd.py"),
    "git": str(_HERE / "git.py"),
    "make": str(_HERE / "make.py"),
    "npm": str(_HERE / "npm.py"),
    "pip": str(_HERE / "pip.py"),
    "pixcrawler": _CLIENT,
    "python3": str(_HERE / "python3.py"),
}
"""The programs, and what Python runs in place of each. The client's command runs the client of this working copy."""


def install(folder: Path) -> None:
    """Writes a script for each program. They find the modules of the project, whatever the environment says."""
    for name, target in PROGRAMS.items():
        path = f"{ROOT}:{ROOT / 'client' / 'src'}"
        script = f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" {target} "$@"\n'
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
