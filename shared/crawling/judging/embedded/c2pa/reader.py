"""Asks the process that reads C2PA manifests, starts it when it is needed, and ends it when it hangs."""

import atexit
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_CHILD = "shared.crawling.judging.embedded.c2pa.child"
_ROOT = str(Path(__file__).parents[5])
_SECONDS = 10.0
# what a process needs to find Python and its libraries; it gets no keys and no addresses
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


class ReaderCrashed(Exception):
    """The process ended, or did not answer in time. The next request starts another one."""


class C2paReader:
    """Reads the manifests of one file at a time. Threads may share it.

    The process is started with the first request, which takes about 0.2 seconds and 35 MB. It ends with this process.
    """

    def __init__(self, module: str = _CHILD, seconds: float = _SECONDS) -> None:
        self._module = module
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, data: bytes, mime_type: str) -> dict[str, Any] | None:
        """Returns what the library says of the file's manifests, or None if it cannot read them.

        Raises:
            ReaderCrashed: the process crashed or was too slow.
        """
        with self._lock:
            process = self._started()
            timer = threading.Timer(self._seconds, process.kill)
            timer.daemon = True
            timer.start()
            try:
                answer = _ask(process, mime_type.encode(), data)
            except OSError:
                answer = None
            finally:
                timer.cancel()
            if answer is None:
                self._end()
                raise ReaderCrashed
        with suppress(ValueError, RecursionError):
            report = json.loads(answer) if answer else None
            return report if isinstance(report, dict) else None
        return None

    def close(self) -> None:
        """Ends the process, if one runs."""
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            environment = _system_environment()
            environment["PYTHONPATH"] = os.pathsep.join([_ROOT, *(path for path in sys.path if path)])
            self._process = subprocess.Popen(  # noqa: S603 - this app's own module
                [sys.executable, "-P", "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                # Ctrl-C is for the app, which ends this process
                start_new_session=True,
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()


def _system_environment() -> dict[str, str]:
    everything = os.environ  # noqa: TID251 - these are no settings of the app: they say where the system's files are
    return {name: everything[name] for name in _PASSED_ON if name in everything}


def _ask(process: subprocess.Popen[bytes], mime_type: bytes, data: bytes) -> bytes | None:
    """Sends one request. Returns the answer, or None if the process ended before it."""
    if process.stdin is None or process.stdout is None:
        return None
    for part in (mime_type, data):
        process.stdin.write(len(part).to_bytes(4))
        process.stdin.write(part)
    process.stdin.flush()
    head = process.stdout.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head)
    answer = process.stdout.read(size)
    return answer if len(answer) == size else None


SHARED: Final = C2paReader()
"""The reader of this process."""

atexit.register(SHARED.close)
