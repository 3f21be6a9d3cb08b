"""Runs the blocks of a page in their order, as a reader does who begins at the top."""

import gzip
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playground.azurite import ROOT
from tests.documents.reading.blocks import Block, WrongBlock
from tests.documents.reading.commands import Command, commands_in
from tests.documents.reading.kinds import EXACT_OUTPUT, Kind, kind_of
from tests.documents.reading.shapes import compare, compare_exactly
from tests.documents.running.names import Names
from tests.documents.running.sessions import Session, SessionEnded, open_bash, open_python
from tests.documents.running.world import World
from tests.documents.stand_ins.install import install

RUN = (Kind.COMMANDS, Kind.PYTHON, Kind.JAVASCRIPT, Kind.OUTPUT)
"""The kinds of blocks that make a page one that has to run."""

# links of a dataset are there when its job has ended
_NEEDS_AN_ENDED_JOB = re.compile(r"/datasets/|\bpixcrawler (?:download|images)\b|load_dataset\(")
_JOB_SECONDS = 120.0
_LOOK_SECONDS = 0.3


class WrongExample(AssertionError):
    """A block of a page does not do what the page says."""


class PageRun:
    """The sessions of one page. They share a folder, in which a reader has cloned the project."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._folder = folder / "clone"
        self._names = Names(world)
        self._bash: Session | None = None
        self._python: Session | None = None
        self._printed = ""
        self._unused: set[str] = set()
        self._scratch = folder / "scratch"
        self._scratch.mkdir(parents=True)
        self._environment = _prepare(world, self._folder, folder)

    def run(self, block: Block) -> None:
        """Runs a block, or compares it with what the last one printed.

        Raises:
            WrongExample: it fails.
            WrongOutput: it prints something else than the page shows.
        """
        match kind_of(block):
            case Kind.COMMANDS:
                for command in commands_in(block):
                    self._run_command(block, command)
            case Kind.PYTHON:
                self._run_python(block)
            case Kind.JAVASCRIPT:
                self._run_javascript(block)
            case Kind.OUTPUT:
                shown = self._names.in_output(block.text)
                compare(shown, self._printed)
                if block.marker["shows"] == EXACT_OUTPUT:
                    compare_exactly(shown, self._printed)
        self._unused -= {name for name in self._unused if name in block.text}
        if "file" in block.marker:
            self._unused.add(block.marker["file"])
            (self._folder / block.marker["file"]).write_text(
                self._names.in_code(block.text), encoding="utf-8"
            )

    def check_files(self) -> None:
        """Checks that blocks which are files were used by others.

        Raises:
            WrongBlock: nothing uses one of them, so nothing tests it.
        """
        if self._unused:
            raise WrongBlock(f"no later block of the page uses {sorted(self._unused)}")

    def stop(self) -> None:
        """Ends all processes of the page."""
        for session in filter(None, (self._bash, self._python)):
            session.stop()

    def _run_command(self, block: Block, command: Command) -> None:
        text = self._names.in_command(command.text)
        self._wait_if_needed(text)
        self._bash = self._bash or open_bash(self._folder, self._scratch, self._environment)
        self._run(self._bash, text, "command.sh", f"{block.page}:{command.line}")
        if command.output:
            self._names.learn(compare(self._names.in_output(command.output), self._printed))

    def _run_python(self, block: Block) -> None:
        text = self._names.in_code(block.text)
        self._wait_if_needed(text)
        if self._python is None:
            values = self._names.of_python()
            self._python = open_python(self._folder, self._scratch, self._environment, values)
        self._run(self._python, "\n" * (block.line - 1) + text, f"{Path(block.page).name}.py", block.place)

    def _run_javascript(self, block: Block) -> None:
        (self._folder / "names.mjs").write_text(self._names.of_javascript(), encoding="utf-8")
        (self._folder / "block.mjs").write_text(self._names.in_code(block.text), encoding="utf-8")
        self._bash = self._bash or open_bash(self._folder, self._scratch, self._environment)
        self._run(self._bash, "node --import ./names.mjs block.mjs", "node.sh", block.place)

    def _run(self, session: Session, text: str, name: str, place: str) -> None:
        try:
            ended = session.run(f"{text}\n", name)
        except SessionEnded as error:
            raise WrongExample(f"{place}: {error}") from error
        self._printed = ended.output
        if ended.status != 0:
            shown = f"{text.strip()}\n{ended.output}\n{ended.errors}"
            raise WrongExample(f"{place} ended with {ended.status}:\n{shown}")

    def _wait_if_needed(self, text: str) -> None:
        """Waits until the jobs that the page has submitted have ended, where a reader has to wait for them, too."""
        if _NEEDS_AN_ENDED_JOB.search(text):
            wait_for_jobs(self._world)


def wait_for_jobs(world: World) -> None:
    """Waits until all jobs have ended.

    Raises:
        WrongExample: a job runs for too long, or has failed. A message that is refused is a failed job, too.
    """
    end = time.monotonic() + _JOB_SECONDS
    for key in (world.key, world.stack.api_key):
        while not _all_have_ended(world, key):
            if time.monotonic() > end:
                raise WrongExample(f"jobs run for more than {_JOB_SECONDS:g} seconds")
            time.sleep(_LOOK_SECONDS)


def _all_have_ended(world: World, key: str) -> bool:
    jobs = world.call("GET", "/api/v1/jobs?limit=100", key=key)["items"]
    failed = [f"{job['id']} ({job['name']}): {job['error']}" for job in jobs if job["state"] == "failed"]
    if failed:
        raise WrongExample(f"jobs have failed: {failed}")
    return all(job["state"] in {"completed", "cancelled"} for job in jobs)


@contextmanager
def page_run(world: World, folder: Path) -> Iterator[PageRun]:
    """Opens the sessions of a page, and ends them after the block.

    Raises:
        WrongBlock: a block that is a file was not used.
    """
    run = PageRun(world, folder)
    try:
        yield run
        run.check_files()
    finally:
        run.stop()


def _prepare(world: World, clone: Path, folder: Path) -> Mapping[str, str]:
    """Makes the folder of the clone and the stand-ins, and returns the environment of the sessions."""
    clone.mkdir()
    for path in ROOT.iterdir():
        if not path.name.startswith("."):
            (clone / path.name).symlink_to(path)
    (folder / "bin").mkdir()
    install(folder / "bin")
    (clone / "list.csv").write_text(f"image,photographer\n{world.example_org}/1.jpg,Jane\n", encoding="utf-8")
    (clone / "list.csv.gz").write_bytes(gzip.compress((clone / "list.csv").read_bytes()))
    (folder / "login.json").write_text(
        json.dumps({"url": world.stack.url, "api_key": world.key}), encoding="utf-8"
    )
    (folder / "login.json").chmod(0o600)
    (folder / "answers").write_text(f"{world.key}\n")
    (folder / ".curlrc").write_text("fail-with-body\n")
    return {
        "PATH": os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.defpath]),
        "HOME": str(folder),
        "CURL_HOME": str(folder),
        "LANG": "C.UTF-8",
        "NO_PROXY": "*",
        "ANSWERS": str(folder / "answers"),
        "TRIED": str(world.folder),
        "PYTHONPATH": f"{ROOT / 'client' / 'src'}:{ROOT / 'tests' / 'documents' / 'stand_ins' / 'packages'}",
        # the library `datasets` would take the stand-in of PyTorch for the whole of it
        "USE_TORCH": "0",
        "PIXCRAWLER_CONFIG": str(folder / "login.json"),
        **Names(world).of_environment(),
    }
