"""Finds a clone of PixCrawler on this computer, and runs its local stack: the app and its storage."""

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from pixcrawler.config import key_of_local_stack
from pixcrawler.errors import Unreachable, WrongUse

_MARKS: Final = ("Makefile", "function_app.py", "playground/start.py")
_POLL_SECONDS: Final = 0.25
_STOP_SECONDS: Final = 30
_STDERR: Final = 2


@dataclass(frozen=True)
class LocalStack:
    """A local stack. `process` is `make start`, which leads a process group of its own."""

    url: str
    clone: Path
    process: "subprocess.Popen[bytes]"


def find_clone(start: Path) -> Path:
    """Returns the clone that a folder is in.

    Raises:
        WrongUse: the folder is in no clone.
    """
    folder = start.expanduser().resolve()
    for candidate in (folder, *folder.parents):
        if all((candidate / mark).is_file() for mark in _MARKS):
            return candidate
    raise WrongUse(
        f"{folder} is in no clone of PixCrawler. Run this within a clone, or name it with --clone FOLDER."
    )


def start_stack(clone: Path, port: int, *, setup: bool, samples: bool, to_stderr: bool) -> LocalStack:
    """Runs `make start` in a clone, without `setup` with the packages that are installed.

    With `samples`, it searches sample photos, so that no network is needed.

    Raises:
        WrongUse: `make` is not installed, or the port is in use.
    """
    make = shutil.which("make")
    if make is None:
        raise WrongUse("The local stack is started with `make`, which is not installed. Install it first.")
    with socket.socket() as probe:
        # otherwise the answers of another app could be taken for those of this stack
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise WrongUse(
                f"Port {port} is in use, maybe by another local stack. Choose another with --port."
            )
    skipped = () if setup else ("-o", "setup")
    searched = ("SAMPLES=1",) if samples else ()
    # Ctrl-C reaches this process alone, which then stops the stack
    process = subprocess.Popen(  # noqa: S603 - a program of the user's own clone
        [make, "--no-print-directory", *skipped, "start", f"PORT={port}", *searched],
        cwd=clone,
        stdin=subprocess.DEVNULL,
        stdout=_STDERR if to_stderr else None,
        start_new_session=True,
    )
    return LocalStack(f"http://localhost:{port}", clone, process)


def wait_until_ready(stack: LocalStack) -> str:
    """Waits until the app answers. Returns the API key of its administrator.

    Raises:
        Unreachable: the stack has ended.
    """
    with httpx.Client(timeout=5, trust_env=False) as http:
        while stack.process.poll() is None:
            try:
                if http.get(f"{stack.url}/health/ready").status_code == httpx.codes.OK:
                    return key_of_local_stack(stack.clone)
            except httpx.HTTPError:
                pass
            time.sleep(_POLL_SECONDS)
    raise Unreachable("The local stack has ended. What it has printed says why.")


def stop_stack(stack: LocalStack) -> None:
    """Stops a stack, and waits until it has ended. Its data stay."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if stack.process.poll() is not None:
            return
        os.killpg(stack.process.pid, number)
        try:
            stack.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
