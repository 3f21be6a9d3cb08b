"""Azurite, the stand-in for Azure Storage, started on ports of its own and stopped by process id."""

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
# Azurite's well-known key: public, the same on every machine
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_LOOK = re.compile(rb'"GET /[^/]+/[^/]+/messages')
_START_SECONDS = 30.0
# Bodies' buffers lie outside of V8's heap, and by default may bring it to mark the whole heap again for every 64 MB of
# them, which doubles what a byte costs
_NODE_OPTIONS = ("--no-incremental-marking", "--min-semi-space-size=64", "--max-semi-space-size=64")
_PR_SET_PDEATHSIG = 1
_FIRST_PORT = 11_000
_NEIGHBOURS = 7_000


@dataclass(frozen=True, slots=True)
class Ports:
    """Where Azurite's three services listen."""

    blob: int
    queue: int
    table: int

    @property
    def taken(self) -> tuple[int, ...]:
        """Those of them on which something listens already."""
        return tuple(port for port in (self.blob, self.queue, self.table) if is_taken(port))


class Azurite:
    """One Azurite over one folder; it can be stopped and started again where it was."""

    def __init__(self, location: Path, ports: Ports | None = None, *, log_requests: bool = False) -> None:
        self.location = location
        self._log_requests = log_requests
        self._wanted = ports
        self.ports = ports or Ports(0, 0, 0)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def connection_string(self) -> str:
        """The connection string of this instance."""
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
        """The process id."""
        if self._process is None:
            raise RuntimeError("Azurite is not running")
        return self._process.pid

    def requests(self) -> int:
        """How many requests it has served, where it logs them; looks into queues are left out."""
        lines = (self.location / "azurite.log").read_bytes().splitlines()
        return sum(b' HTTP/1.1" ' in line and not _LOOK.search(line) for line in lines)

    def start(self) -> None:
        """Start, and wait until all three services answer.

        Raises:
            RuntimeError: it is not installed, or does not start; the text says why.
        """
        if not _SCRIPT.exists():
            raise RuntimeError("Azurite is not installed: run 'make setup'.")
        self.location.mkdir(parents=True, exist_ok=True)
        for _ in range(5):  # a free port may be taken between the look and the start
            self.ports = self._wanted or (self.ports if self.ports.blob else _free_ports())
            self._process = self._spawn()
            if self._wait():
                return
            self.stop()
            if self._wanted is None:
                self.ports = Ports(0, 0, 0)
        log = self.location / "azurite.log"
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise RuntimeError(f"Azurite does not start on {self._wanted or 'free ports'}:\n{tail}")

    def stop(self) -> None:
        """Stop it, and wait until it is gone; nothing happens where it does not run."""
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

    def _wait(self) -> bool:
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
    """Make what a deployment's infrastructure makes before the app and its producers come; idempotent."""
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
    """A running Azurite over the folder (a temporary one if none is named), stopped at the end."""
    with contextlib.ExitStack() as stack:
        if location is None:
            location = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="azurite-")))
        running = Azurite(location, ports)
        stack.callback(running.stop)
        running.start()
        yield running


def die_with_parent() -> None:
    """Between fork and exec: have Linux end the child when the thread that forked it dies, even by SIGKILL."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port() -> int:
    """A TCP port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Whether something listens on a TCP port of the loopback interface, so that nothing else can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that linger take no port
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
        return False


def ports_beside(port: int) -> Ports:
    """Ports for the Azurite of a host on `port`, the same each time, so that what names them outlives a restart.

    They are three of their own for each of some thousand neighbouring ports, below those that systems hand out.
    """
    first = _FIRST_PORT + 3 * (port % _NEIGHBOURS)
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
