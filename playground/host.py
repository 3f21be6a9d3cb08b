"""Runs the Functions host with the app in a child process."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playground.azurite import ROOT, die_with_parent, free_port

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a host finds the app, the interpreter of its workers, and the folder that has devhost."""

    app: Path = ROOT
    python: str = sys.executable
    devhost: Path = ROOT


class Host:
    """A host that can be killed and started again. Several hosts with the same storage are instances of one app.

    The host id depends on machine and folder, so they share it and the locks of the timers, as instances on Azure do.
    """

    def __init__(
        self,
        log: Path,
        *,
        port: int = 0,
        message_lease_seconds: int,
        place: Place | None = None,
    ) -> None:
        self.log = log
        self.port = port or free_port()
        self._place = place or Place()
        self._lease = message_lease_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id.

        Raises:
            RuntimeError: the host was not started.
        """
        if self._process is None:
            raise RuntimeError("the host was not started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its process is running."""
        return self._process is not None and self._process.poll() is None

    def start(self, environment: Mapping[str, str]) -> None:
        """Starts the host and waits until it is ready.

        Raises:
            RuntimeError: the host does not start. The text contains the end of its log.
        """
        command = [sys.executable, "-m", "devhost", "--root", str(self._place.app), "--port", str(self.port)]
        command += ["--message-lease", str(self._lease), "--python", self._place.python]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._place.devhost,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe between fork and exec
            )
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self.is_running:
            if is_ready(self.url):
                return
            time.sleep(0.1)
        raise RuntimeError(f"The Functions host does not start:\n{self.tail()}")

    def kill(self) -> None:
        """Kills the host by SIGKILL, as if its machine failed, and waits until it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Lets the host finish its work, and waits until it has ended. Does nothing if it is not running."""
        if self._process is None or not self.is_running:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def tail(self) -> str:
        """Returns the end of its log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else "(no log)"


def is_ready(url: str) -> bool:
    """Returns whether the host at a URL of the loopback interface can take jobs."""
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=5) as response:  # noqa: S310 - always http
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
