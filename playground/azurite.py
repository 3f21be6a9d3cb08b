"""Starts and stops Azurite, the emulator of Azure Storage."""

import contextlib
import ctypes
import errno
import http.client
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

ROOT = Path(__file__).resolve().parent.parent
_SCRIPT = ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_ACCOUNT = "devstoreaccount1"
# Azurite's well-known key, which is public and the same on every machine.
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_REQUEST = re.compile(rb'"([A-Z]+) (\S+) HTTP/1\.1" ')
_QUEUE_POLL = re.compile(r"/[^/]+/[^/]+/messages")
_START_SECONDS = 30.0
# The buffers of bodies lie outside of V8's heap. By default V8 may mark its whole heap for every 64 MB of them, which
# doubles the time per byte.
_NODE_OPTIONS = ("--no-incremental-marking", "--min-semi-space-size=64", "--max-semi-space-size=64")
_PR_SET_PDEATHSIG = 1
_FIRST_PORT = 11_000
_PORT_GROUPS = 7_000


def is_poll(method: str, path: str) -> bool:
    """Returns whether a request asks a queue for messages, which an idle app does, too."""
    return method == "GET" and _QUEUE_POLL.match(path) is not None


@dataclass(frozen=True, slots=True)
class Ports:
    """The TCP ports of Azurite's three services."""

    blob: int
    queue: int
    table: int

    @property
    def taken(self) -> tuple[int, ...]:
        """The ports on which something listens already."""
        return tuple(port for port in (self.blob, self.queue, self.table) if is_taken(port))


class Azurite:
    """An Azurite with its data in one folder. It can be stopped, and started again with the same data and ports."""

    def __init__(self, location: Path, ports: Ports | None = None, *, log_requests: bool = False) -> None:
        self.location = location
        self._log_requests = log_requests
        self._wanted = ports
        self.ports = ports or Ports(0, 0, 0)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def connection_string(self) -> str:
        """The connection string of its account."""
        base = f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};"
        endpoints = (
            f"{name}Endpoint=http://127.0.0.1:{port}/{_ACCOUNT};"
            for name, port in (
                ("Blob", self.ports.blob),
                ("Queue", self.ports.queue),
                ("Table", self.ports.table),
            )
        )
        return base + "".join(endpoints)

    @property
    def pid(self) -> int:
        """The process id.

        Raises:
            RuntimeError: Azurite is not running.
        """
        if self._process is None:
            raise RuntimeError("Azurite is not running")
        return self._process.pid

    def served(self) -> Sequence[tuple[str, str]]:
        """Returns the method and the path of each request that it has served. This needs `log_requests`."""
        lines = (self.location / "azurite.log").read_bytes().splitlines()
        found = (_REQUEST.search(line) for line in lines)
        return [(match[1].decode(), match[2].decode()) for match in found if match]

    def requests(self) -> int:
        """Returns how many requests it has served, without polls of queues. This needs `log_requests`."""
        return sum(not is_poll(method, path) for method, path in self.served())

    def start(self) -> None:
        """Starts Azurite and waits until all three services answer.

        Raises:
            RuntimeError: Azurite is not installed or does not start. The text says why.
        """
        if not _SCRIPT.exists():
            raise RuntimeError("Azurite is not installed: run 'make setup'.")
        self.location.mkdir(parents=True, exist_ok=True)
        # another process may take a free port before Azurite does
        for _ in range(5):
            self.ports = self._wanted or (self.ports if self.ports.blob else _free_ports())
            self._process = self._spawn()
            if self._wait_until_it_answers():
                return
            self.stop()
            if self._wanted is None:
                self.ports = Ports(0, 0, 0)
        log = self.location / "azurite.log"
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise RuntimeError(f"Azurite does not start on {self._wanted or 'free ports'}:\n{tail}")

    def stop(self) -> None:
        """Stops Azurite and waits until it has ended. Does nothing if Azurite is not running."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _spawn(self) -> subprocess.Popen[bytes]:
        node = shutil.which("node") or str(ROOT / ".venv" / "bin" / "node")
        command = [node, *_NODE_OPTIONS, str(_SCRIPT)]
        command += ["--skipApiVersionCheck", "--disableTelemetry", "--loose"]
        command += [] if self._log_requests else ["--silent"]
        command += ["--location", str(self.location)]
        for name, port in (
            ("blob", self.ports.blob),
            ("queue", self.ports.queue),
            ("table", self.ports.table),
        ):
            command += [f"--{name}Host", "127.0.0.1", f"--{name}Port", str(port)]
        with (self.location / "azurite.log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe between fork and exec
            )

    def _wait_until_it_answers(self) -> bool:
        end = time.monotonic() + _START_SECONDS
        waiting = [self.ports.blob, self.ports.queue, self.ports.table]
        while waiting and time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                return False
            waiting = [port for port in waiting if not _answers(port)]
            if waiting:
                time.sleep(0.05)
        return not waiting


def provision(connection_string: str, container: str, queues: Sequence[str]) -> None:
    """Creates the container and the queues, as the infrastructure of a deployment does. Idempotent."""
    with (
        BlobServiceClient.from_connection_string(connection_string) as blobs,
        contextlib.suppress(ResourceExistsError),
    ):
        blobs.create_container(container)
    for name in queues:
        with (
            QueueClient.from_connection_string(connection_string, name) as queue,
            contextlib.suppress(ResourceExistsError),
        ):
            queue.create_queue()


@contextlib.contextmanager
def azurite(location: Path | None = None, ports: Ports | None = None) -> Iterator[Azurite]:
    """Runs Azurite during the block. Its data is in `location`, or in a temporary folder if that is None."""
    with contextlib.ExitStack() as stack:
        if location is None:
            location = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="azurite-")))
        running = Azurite(location, ports)
        stack.callback(running.stop)
        running.start()
        yield running


def die_with_parent() -> None:
    """Makes Linux end this child process when the thread that forked it ends, even by SIGKILL.

    It is called between fork and exec.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port() -> int:
    """Returns a TCP port of the loopback interface that is free at the moment. Another process may still take it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Returns whether something listens on a TCP port of the loopback interface."""
    with socket.socket() as probe:
        # without this, closed connections in TIME_WAIT would count as a listener
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
        return False


def ports_beside(port: int) -> Ports:
    """Returns the ports for the Azurite of a host on `port`. They never change, so connection strings stay valid.

    Two hosts whose ports differ by less than 7,000 get different ports, unless the group of one contains its own port:
    then it gets the next group. All ports are below those that systems choose for outgoing connections.
    """
    first = _FIRST_PORT + 3 * (port % _PORT_GROUPS)
    if first <= port < first + 3:
        first += 3
    return Ports(first, first + 1, first + 2)


def _free_ports() -> Ports:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(3)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return Ports(*(int(probe.getsockname()[1]) for probe in probes))


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
