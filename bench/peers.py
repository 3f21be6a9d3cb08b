"""The tools that we are measured against, in a virtual environment of a Python that they support."""

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
_PACKAGES = ("img2dataset==1.47.0", "icrawler==0.6.10")
_PYTHONS = ("3.11", "3.10", "3.12")
_SHARD = 256  # so that both of its processes have work; its default of 10,000 would leave one idle
_THREADS = 64

_ICRAWLER = """
import sys, logging
from icrawler.builtin import UrlListCrawler
urls, out, threads = sys.argv[1:]
storage = {"root_dir": out}
crawler = UrlListCrawler(downloader_threads=int(threads), storage=storage, log_level=logging.ERROR)
crawler.crawl(urls, max_num=0)  # all of them; by default it stops after about 1,000
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What a whole command took, and how many images it had in the end."""

    images: int
    seconds: float
    cpu_seconds: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Images a second."""
        return self.images / self.seconds


class Peers:
    """Runs the peers' commands. `None` instead of peers means that no fitting Python was found."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def img2dataset(self, urls: Path, out: Path, cores: int, *, resize: bool) -> Run:
        """The command with as many processes as cores, writing tar files, with or without its resize to 256."""
        mode = ["--resize_mode", "keep_ratio", "--image_size", "256"] if resize else ["--resize_mode", "no"]
        command = [
            str(self._python.with_name("img2dataset")),
            *("--url_list", str(urls), "--output_folder", str(out), "--output_format", "webdataset"),
            *("--processes_count", str(cores), "--thread_count", str(_THREADS)),
            *("--number_sample_per_shard", str(_SHARD), *mode),
        ]
        seconds, watch = _run(command)
        images = sum(_members(path) for path in out.glob("*.tar"))
        return Run(images, seconds, watch.cpu_seconds, watch.peak_mb)

    def icrawler(self, urls: Path, out: Path) -> Run:
        """Its crawler of URL lists, with 64 downloading threads."""
        seconds, watch = _run([str(self._python), "-c", _ICRAWLER, str(urls), str(out), str(_THREADS)])
        return Run(sum(1 for _ in out.iterdir()), seconds, watch.cpu_seconds, watch.peak_mb)


def find_peers() -> Peers | None:
    """The peers, installed now where they are not yet; None without a Python that they support."""
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
    asked = [candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return told.returncode == 0 and told.stdout.strip() == version


def _run(command: Sequence[str]) -> tuple[float, Watch]:
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"},  # it would ask the network at each start
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


def _members(path: Path) -> int:
    import tarfile

    with tarfile.open(path) as archive:
        return sum(member.name.endswith(".jpg") for member in archive)
