"""What blocks of plain text show, and how each is checked. Text is for what is no code and no data."""

import configparser
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from devhost.__main__ import _parser
from infra.catalogue import entries
from playground.azurite import ROOT
from shared.jobs.job import messages
from tests.documents.reading.blocks import Block, WrongBlock

_ARROWS = re.compile(r"[─│┌┐└┘├┤]|->")
_OPTION = re.compile(r"--[a-z-]+")
_QUEUE = re.compile(r"\b[a-z]+(?:-[a-z]+)+\b")
_ENTRY = re.compile(r"^( *)(\S+/|\S+\.py)(?: +(\S.*))?$")
_MADE = re.compile(r"--output-file=(\S+)")
_SIGNAL = re.compile(r"(?:event|metric|dependency|exception) (\w+)")


def check_text(block: Block) -> None:
    """Checks a block against what its marker says that it shows.

    Raises:
        WrongBlock: nothing of that name is known, or the block is wrong.
    """
    name = block.marker["shows"]
    if name not in CHECKS:
        raise WrongBlock(f"{block.place} shows {name!r}, which is none of {sorted(CHECKS)}")
    wrong = CHECKS[name](block)
    if wrong:
        raise WrongBlock(f"{block.place} is not a valid {name}: {wrong}")


def _diagram(block: Block) -> object:
    """A drawing has arrows, and the queues in it exist."""
    queues = {value for name, value in vars(messages).items() if name.endswith("_QUEUE")}
    known = queues | {"dataset-archives"}
    return "it has no lines" if not _ARROWS.search(block.text) else set(_QUEUE.findall(block.text)) - known


def _folders(block: Block) -> object:
    """Files and folders exist. The folder of the page is the root, and deeper lines are indented by two spaces."""
    root = ROOT if block.page.startswith("docs/") else (ROOT / block.page).parent
    above: list[PurePosixPath] = []
    lost = []
    for line in block.text.splitlines():
        entry = _ENTRY.match(line)
        if entry is None or len(entry[1]) % 2 or len(entry[1]) // 2 > len(above):
            continue
        del above[len(entry[1]) // 2 :]
        path = above[-1] / entry[2] if above else PurePosixPath(entry[2])
        if entry[2].endswith("/"):
            above.append(path)
        if not (root / path).exists():
            lost.append(str(path))
    return lost


def _layers(block: Block) -> object:
    """The layers are those that import-linter keeps."""
    rules = configparser.ConfigParser()
    rules.read(ROOT / ".importlinter", encoding="utf-8")
    kept = rules["importlinter:contract:layers"]["layers"].split("\n")
    shown = block.text.replace("shared.", "").split("\n")
    return None if _words(shown) == _words(line.replace("shared.", "") for line in kept) else kept


def _words(lines: object) -> list[list[str]]:
    return [line.split() for line in lines if line.strip()]  # type: ignore[attr-defined]


def _options(block: Block) -> object:
    """The options are those of devhost."""
    known = set(filter(_OPTION.fullmatch, _parser()._option_string_actions)) - {"--help"}
    return known ^ set(_OPTION.findall(block.text))


def _operation(block: Block) -> object:
    """The signals exist."""
    known = {entry.name for entry in entries()}
    return set(_SIGNAL.findall(block.text)) - known or (
        None if _SIGNAL.search(block.text) else "it has no signals"
    )


def _origin(block: Block) -> object:
    """The files that the commands have made are there. Their sources are not, so the commands are not run."""
    files = _MADE.findall(block.text)
    return (
        [name for name in files if not (ROOT / block.page).with_name(name).is_file()]
        if files
        else "it names no file"
    )


CHECKS: Mapping[str, Callable[[Block], object]] = {
    "diagram": _diagram,
    "folders": _folders,
    "how files were made": _origin,
    "layers": _layers,
    "operation": _operation,
    "options of devhost": _options,
}
"""What a block of text may show. Each check returns what is wrong, and nothing if the block is right."""
