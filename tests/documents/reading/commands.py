"""Reads `console` blocks: commands after the prompt `$ `, and the outputs that are shown below them."""

import subprocess
from dataclasses import dataclass

from tests.documents.reading.blocks import Block, WrongBlock

_PROMPT, _CONTINUED = "$ ", "> "


@dataclass(frozen=True, slots=True)
class Command:
    """A command and the output that the page shows below it, which is empty if it shows none."""

    line: int
    text: str
    output: str = ""


def commands_in(block: Block) -> list[Command]:
    """Returns the commands of a block. A block of another language than `console` is one command without output.

    Raises:
        WrongBlock: the block begins without a prompt, or a command is not valid in bash.
    """
    if block.language != "console":
        _check(block, block.text)
        return [Command(block.line, block.text)]
    if not block.text.startswith(_PROMPT):
        raise WrongBlock(f"{block.place} begins without the prompt '{_PROMPT}'")
    starts = [at for at, line in enumerate(block.text.splitlines()) if line.startswith(_PROMPT)]
    lines = block.text.splitlines()
    ends = [*starts[1:], len(lines)]
    return [_command(block, start, lines[start:end]) for start, end in zip(starts, ends, strict=True)]


def _command(block: Block, start: int, lines: list[str]) -> Command:
    text = lines[0].removeprefix(_PROMPT)
    rest = lines[1:]
    while rest and _problem(text):
        text += "\n" + rest.pop(0).removeprefix(_CONTINUED)
    _check(block, text)
    return Command(block.line + start, text, "\n".join(rest).rstrip())


def _check(block: Block, text: str) -> None:
    if problem := _problem(text):
        raise WrongBlock(f"{block.place} is not valid in bash: {problem}")


def _problem(text: str) -> str:
    """Returns what bash says about a command that is wrong or not complete."""
    if text.endswith("\\"):
        return "it ends with a backslash"
    parsed = subprocess.run(["bash", "-n"], input=text + "\n", capture_output=True, text=True, check=False)  # noqa: S607 - bash of the machine
    return parsed.stderr.strip()
