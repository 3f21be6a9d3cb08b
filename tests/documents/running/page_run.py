"""Runs the blocks of a page in their order, as a reader does who begins at the top."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.documents.reading.blocks import Block, WrongBlock
from tests.documents.reading.commands import Command, commands_in
from tests.documents.reading.kinds import EXACT_OUTPUT, Kind, kind_of
from tests.documents.reading.shapes import compare, compare_exactly
from tests.documents.running.clone import make_clone
from tests.documents.running.jobs import WrongExample, wait_for_jobs
from tests.documents.running.names import Names
from tests.documents.running.sessions import Session, SessionEnded, open_bash, open_python
from tests.documents.running.world import World

_PROGRAMS = (Kind.COMMANDS, Kind.PYTHON, Kind.JAVASCRIPT)
RUN = (*_PROGRAMS, Kind.OUTPUT, Kind.FILE)
"""The kinds of blocks that make a page one that has to run."""

# the status of a text with several commands is that of the last one, so the first that fails ends it
_UNTIL_ONE_FAILS = "trap 'trap - ERR; return' ERR\n{}\ntrap - ERR"

# links of a dataset are there when its job has ended
_NEEDS_AN_ENDED_JOB = re.compile(r"/datasets/|\bpixcrawler (?:download|images)\b|load_dataset\(")
_JOB_ID = re.compile(r'\bjob_id"?: "([\w-]+)"')


class PageRun:
    """The sessions of one page. They share a folder, in which a reader has cloned the project."""

    def __init__(self, world: World, folder: Path, *, has_torch: bool) -> None:
        self._world = world
        self._folder = folder / "clone"
        self._names = Names(world)
        self._bash: Session | None = None
        self._python: Session | None = None
        self._printed = ""
        self._unused: set[str] = set()
        self._scratch = folder / "scratch"
        self._scratch.mkdir(parents=True)
        self._environment = make_clone(world, self._folder, folder, has_torch=has_torch)

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
        if kind_of(block) in _PROGRAMS:
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
        text = _UNTIL_ONE_FAILS.format(text)
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


def sent_ids(block: Block) -> list[str]:
    """Returns the ids of the jobs that a block submits by messages."""
    return _JOB_ID.findall(block.text) if kind_of(block) in RUN else []


@contextmanager
def page_run(world: World, folder: Path, *, has_torch: bool = False) -> Iterator[PageRun]:
    """Opens the sessions of a page, and ends them after the block. `has_torch` shows them the stand-in of PyTorch.

    Raises:
        WrongBlock: a block that is a file was not used.
    """
    run = PageRun(world, folder, has_torch=has_torch)
    try:
        yield run
        run.check_files()
    finally:
        run.stop()
