"""Runs the tools that the app is compared with, in a virtual environment of a Python version that they support."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.usage import Watch
from playground.azurite import ROOT, die_with_parent

_FOLDER = ROOT / ".local" / "peers"
_PACKAGES = ("img2dataset==1.47.0",)
_PYTHONS = ("3.11", "3.10", "3.12")
# With its default of 10,000 one of two processes would have no work.
_SHARD = 256
_THREADS = 64


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a tool took, and how many images it wrote."""

    images: int
    seconds: float
    cpu_seconds: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.images / self.seconds


class Peers:
    """Runs the command of img2dataset."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def img2dataset(self, urls: Path, out: Path, cores: int, *, resize: bool) -> Run:
        """Runs img2dataset with one process for each core. `resize` makes the shorter side 256 pixels."""
        mode = ["--resize_mode", "keep_ratio", "--image_size", "256"] if resize else ["--resize_mode", "no"]
        command = [
            str(self._python.with_name("img2dataset")),
            *("--url_list", str(urls), "--output_folder", str(out), "--output_format", "webdataset"),
            *("--processes_count", str(cores), "--thread_count", str(_THREADS)),
            *("--number_sample_per_shard", str(_SHARD), *mode),
        ]
        seconds, watch = _run(command)
        images = sum(_count_images(path) for path in out.glob("*.tar"))
        return Run(images, seconds, watch.cpu_seconds, watch.peak_mb)


def find_peers() -> Peers | None:
    """Returns the tools and installs them if necessary. Returns None if no Python that they support is found."""
    python = _FOLDER / "bin" / "python"
    if (_FOLDER / ".installed").exists():
        return Peers(python)
    base = _find_python()
    if base is None:
        return None
    print(f"Installing the peers: {', '.join(_PACKAGES)}", flush=True)
    subprocess.run([base, "-m", "venv", "--clear", str(_FOLDER)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_PACKAGES]
    subprocess.run(install, check=True)
    (_FOLDER / ".installed").touch()
    return Peers(python)


def _find_python() -> str | None:
    for version in _PYTHONS:
        found = [shutil.which(f"python{version}")]
        found += [str(path) for path in Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
        for candidate in found:
            if candidate and _works(candidate, version):
                return candidate
    return None


def _works(candidate: str, version: str) -> bool:
    command = [candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    return finished.returncode == 0 and finished.stdout.strip() == version


def _run(command: Sequence[str]) -> tuple[float, Watch]:
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        # a library of img2dataset would look for a new version at each start
        env={**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe between fork and exec
    )
    with Watch(process.pid) as watch:
        _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{errors.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - began, watch


def _count_images(path: Path) -> int:
    import tarfile

    with tarfile.open(path) as archive:
        return sum(member.name.endswith(".jpg") for member in archive)
