"""Runs the blocks of a page one after the other: all commands in one bash, all Python blocks in one interpreter."""

import os
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.azurite import die_with_parent

_SECONDS = 120.0
# `source` runs a command in this bash, so that variables and the working folder stay
_BASH_LOOP = 'while read -r path; do source "$path" >"$path.out" 2>"$path.err" <"$ANSWERS"; echo $?; done'
_PYTHON_LOOP = Path(__file__).parent / "python_loop.py"


class SessionEnded(Exception):
    """A session has ended or hung while it ran a block. The text is what the block printed."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command or a block of Python came to."""

    status: int
    output: str
    errors: str


class Session:
    """A process that runs files one after the other and keeps its variables."""

    def __init__(
        self, command: Sequence[str], folder: Path, scratch: Path, environment: Mapping[str, str]
    ) -> None:
        self._scratch = scratch
        self._count = 0
        self._process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe between fork and exec
        )

    def run(self, text: str, name: str, seconds: float = _SECONDS) -> Ended:
        """Runs a text. `name` is part of the name of the file that it is stored in.

        Raises:
            SessionEnded: the text has ended the session, or ran for longer than `seconds`.
        """
        self._count += 1
        path = self._scratch / f"{self._count:03}-{name}"
        path.write_text(text, encoding="utf-8")
        assert self._process.stdin is not None
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        status = self._answer(seconds)
        printed, errors = (_read(path.with_name(f"{path.name}.{end}")) for end in ("out", "err"))
        if not status.strip():
            raise SessionEnded(f"The session ended, or ran for more than {seconds:g} s:\n{printed}\n{errors}")
        return Ended(int(status), printed, errors)

    def _answer(self, seconds: float) -> str:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            return self._process.stdout.readline() if selector.select(seconds) else ""

    def stop(self) -> None:
        """Ends the process and all that it has started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


def open_bash(folder: Path, scratch: Path, environment: Mapping[str, str]) -> Session:
    """Opens a bash. `ANSWERS` in its environment is the file that its commands have as their standard input."""
    bash = shutil.which("bash") or "bash"
    command = [bash, "--norc", "--noprofile", "-c", f"set -o pipefail; {_BASH_LOOP}"]
    return Session(command, folder, scratch, environment)


def open_python(
    folder: Path, scratch: Path, environment: Mapping[str, str], names: Mapping[str, object]
) -> Session:
    """Opens an interpreter whose namespace has `names`."""
    command = [sys.executable, str(_PYTHON_LOOP), repr(dict(names))]
    return Session(command, folder, scratch, environment)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
