"""The whole product on one machine: Azurite and the Functions host, each on a port of its own."""

import contextlib
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from playground.azurite import ROOT, Azurite, die_with_parent, free_port, provision
from shared.jobs.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.settings import Settings

_START_SECONDS = 60.0
_MESSAGE_LEASE_SECONDS = 30


class Stack:
    """Azurite and a host over one folder for state. The host can be killed and started again."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        message_lease_seconds: int = _MESSAGE_LEASE_SECONDS,
        log_requests: bool = False,
    ) -> None:
        self.folder = folder
        self.azurite = Azurite(folder / "azurite", log_requests=log_requests)
        self.port = port or free_port()
        self.api_key = secrets.token_urlsafe(24)
        self._settings = dict(settings or {})
        self._lease = message_lease_seconds
        self.queue_endpoint: str | None = None
        """Where the host finds the queues, if not at Azurite itself."""
        self._host: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The host's log."""
        return self.folder / "host.log"

    def start(self) -> None:
        """Start both.

        Raises:
            RuntimeError: one does not start; the text holds the end of its log.
        """
        self.start_storage()
        self.start_host()

    def start_storage(self) -> None:
        """Start Azurite, with the container and the queues that the app and its producers use.

        Raises:
            RuntimeError: it does not start; the text holds the end of its log.
        """
        self.azurite.start()
        container = Settings.model_fields["datasets_container"].default
        provision(self.azurite.connection_string, container, (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE))

    def start_host(self) -> None:
        """Start the host, and wait until it is ready.

        Raises:
            RuntimeError: it does not start; the text holds the end of its log.
        """
        command = [sys.executable, "-m", "devhost", "--root", str(ROOT), "--port", str(self.port)]
        command += ["--message-lease", str(self._lease)]
        with self.log.open("ab") as log:
            self._host = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe between fork and exec
            )
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self.host_is_running:
            if _is_ready(f"{self.url}/health/ready"):
                return
            time.sleep(0.1)
        raise RuntimeError(f"The Functions host does not start:\n{self.tail()}")

    @property
    def host_pid(self) -> int:
        """The host's process id.

        Raises:
            RuntimeError: it was not started.
        """
        if self._host is None:
            raise RuntimeError("the host was not started")
        return self._host.pid

    @property
    def host_is_running(self) -> bool:
        """Whether the host's process lives."""
        return self._host is not None and self._host.poll() is None

    def kill_host(self) -> None:
        """End the host as a power cut would."""
        if self._host is not None:
            self._host.kill()
            self._host.wait()

    def stop(self) -> None:
        """Stop both, and wait until they are gone."""
        if self._host is not None and self._host.poll() is None:
            self._host.terminate()
            try:
                self._host.wait(15)
            except subprocess.TimeoutExpired:
                self.kill_host()
        self.azurite.stop()

    def tail(self) -> str:
        """The end of the host's log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else "(no log)"

    def environment(self) -> dict[str, str]:
        """The host's environment: this process's, and the app's settings."""
        return {
            **os.environ,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "AzureWebJobsStorage": self._connection(),
            "ADMIN_API_KEY": self.api_key,
            "LIFECYCLE_SCHEDULE": "0 0 2 * * *",
            "WATCHDOG_SCHEDULE": "0 */10 * * * *",
            **self._settings,
        }

    def _connection(self) -> str:
        straight = f"http://127.0.0.1:{self.azurite.ports.queue}/"
        return self.azurite.connection_string.replace(
            straight, f"{self.queue_endpoint or straight.rstrip('/')}/"
        )


@contextlib.contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """The stack, running within the block."""
    stack.folder.mkdir(parents=True, exist_ok=True)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - loopback, by our own hand
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
