"""Runs a demo from the command line: a folder for its files, its errors and its exit status."""

import asyncio
import sys
import time
from collections.abc import Coroutine
from pathlib import Path

import aiohttp

from playground.client import ApiError


def new_folder(parent: Path) -> Path:
    """Creates and returns a folder that is named after the time."""
    folder = parent / f"{time.strftime('%Y%m%d-%H%M%S')}-{time.monotonic_ns() % 10_000:04}"
    folder.mkdir(parents=True)
    return folder


def exit_status(demo: Coroutine[object, object, None], *failures: type[Exception]) -> int:
    """Runs a demo, and prints why it fails. `failures` are its own errors.

    Returns:
        The exit status: 0, 1 if the demo fails, or 130 after Ctrl-C.
    """
    expected: tuple[type[Exception], ...] = (
        *failures,
        ApiError,
        RuntimeError,
        aiohttp.ClientError,
        TimeoutError,
    )
    try:
        asyncio.run(demo)
    except expected as error:
        print(f"\nThe demo failed: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0
