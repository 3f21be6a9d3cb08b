"""Starts child processes and waits for the line of output that says they are ready."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from playground.azurite import ROOT, die_with_parent


@contextlib.contextmanager
def python(
    arguments: Sequence[str], ready: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[int, str]]:
    """Runs Python in the root folder during the block. Yields the process id and the output line that contains `ready`.

    Raises:
        RuntimeError: the process ended without such a line. The text contains the end of its log.
    """
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe between fork and exec
        )
    try:
        assert process.stdout is not None  # noqa: S101 - tells mypy that stdout is a pipe
        for line in process.stdout:
            if ready in line:
                yield process.pid, line.strip()
                return
        raise RuntimeError(f"{arguments} did not start:\n{log.read_text(errors='replace')[-2000:]}")
    finally:
        process.terminate()
        process.communicate()
