"""The host's side of the worker processes. A process that dies or hangs is replaced."""

import asyncio
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from devhost.console import Console
from devhost.functions import Function, Invocation, Outcome
from devhost.settings import StartError
from devhost.worker.frames import HEADER, Loaded, Logged, decode, encode

_log = logging.getLogger("devhost")

_EARLY_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 30.0
_COMMAND = (
    "import sys; sys.path.append(sys.argv[1]); from devhost.worker.process import main;"
    "main(int(sys.argv[2]), sys.argv[3], verbose=sys.argv[4] == '1')"
)


class WorkerPool:
    """Runs each invocation on the worker with the fewest invocations."""

    def __init__(
        self,
        root: Path,
        environment: Mapping[str, str],
        count: int,
        console: Console,
        *,
        python: str = sys.executable,
    ) -> None:
        self._workers = [_Worker(python, root, environment, console) for _ in range(count)]
        self._ready: list[_Worker] = []
        self._changed = asyncio.Condition()
        self._keepers: list[asyncio.Task[None]] = []
        self._first: asyncio.Future[Loaded] = asyncio.get_running_loop().create_future()

    @property
    def workers(self) -> "tuple[_Worker, ...]":
        """All workers, whether they run or not."""
        return tuple(self._workers)

    def launch(self) -> None:
        """Starts the processes and returns at once."""
        self._keepers = [asyncio.create_task(self._keep(worker)) for worker in self._workers]

    async def functions(self) -> tuple[Function, ...]:
        """Waits until one worker has loaded the app, and returns its functions in the order of their names.

        Raises:
            StartError: the app cannot be imported or indexed. The text says why.
        """
        loaded = await asyncio.shield(self._first)
        if loaded.error is not None:
            raise StartError(f"The app cannot be loaded: {loaded.error}")
        return loaded.functions

    async def invoke(self, invocation: Invocation, timeout_seconds: float) -> Outcome:
        """Runs a function once. After the time-out its worker is killed, and all invocations of that worker fail."""
        async with self._changed:
            await self._changed.wait_for(lambda: any(worker.alive for worker in self._ready))
            worker = min((each for each in self._ready if each.alive), key=lambda each: each.busy)
            answer = worker.begin(invocation)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await answer
        except TimeoutError:
            # first of all, so that the worker gets no further invocation
            await self._retire(worker)
            worker.kill()
            text = f"Timeout value of {timeout_seconds:g} seconds was exceeded by function: {invocation.function}"
            return Outcome(invocation.id, text)

    async def stop(self) -> None:
        """Kills all processes, as the real host does, without a chance to end in order."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    async def _keep(self, worker: "_Worker") -> None:
        """Starts a worker, and restarts it when it ends. The pause grows if it dies again soon after its start."""
        pause = 0.0
        while True:
            began = time.monotonic()
            loaded = await worker.start()
            if not self._first.done():
                self._first.set_result(loaded)
            if loaded.error is None:
                async with self._changed:
                    self._ready.append(worker)
                    self._changed.notify_all()
                await worker.ended()
                await self._retire(worker)
            else:
                await worker.stop()
            early = time.monotonic() - began < _EARLY_SECONDS
            reason = loaded.error or worker.status
            _log.error("Worker process %s ended (%s); another takes its place", worker.pid, reason)
            await asyncio.sleep(pause)
            pause = min(max(0.5, 2 * pause), _LONGEST_PAUSE_SECONDS) if early else 0.0

    async def _retire(self, worker: "_Worker") -> None:
        async with self._changed:
            if worker in self._ready:
                self._ready.remove(worker)


class _Worker:
    """A worker with one process at a time, and its running invocations."""

    def __init__(self, python: str, root: Path, environment: Mapping[str, str], console: Console) -> None:
        self._python = python
        self._root = root
        self._environment = environment
        self._console = console
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._loaded: asyncio.Future[Loaded] | None = None
        self._running: dict[str, tuple[Invocation, asyncio.Future[Outcome]]] = {}

    @property
    def busy(self) -> int:
        """The number of its running invocations."""
        return len(self._running)

    @property
    def alive(self) -> bool:
        """Whether it can accept an invocation. A dead worker gives no answer."""
        return self._reading is not None and not self._reading.done()

    @property
    def pid(self) -> int:
        """The process id, or 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def status(self) -> str:
        """How the last process ended, or "running"."""
        code = self._process.poll() if self._process else None
        if code is None:
            return "running"
        return f"exit code {code}" if code >= 0 else f"signal {-code}"

    async def start(self) -> Loaded:
        """Starts the process and waits until it has loaded the app."""
        ours, theirs = socket.socketpair()
        home = str(Path(__file__).parents[2])
        command = [self._python, "-c", _COMMAND, home, str(theirs.fileno()), str(self._root)]
        command.append("1" if self._console.verbose else "0")
        self._process = subprocess.Popen(  # noqa: ASYNC220 - returns in milliseconds
            command,
            cwd=self._root,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        self._loaded = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(reader))
        return await self._loaded

    def begin(self, invocation: Invocation) -> asyncio.Future[Outcome]:
        """Sends an invocation to the process. The returned future gets its outcome."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._running[invocation.id] = invocation, answer
        if self._writer is not None:
            self._writer.write(encode(invocation))
        return answer

    async def ended(self) -> None:
        """Waits until the process has ended."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    def kill(self) -> None:
        """Kills the process."""
        if self._process is not None:
            self._process.kill()

    async def stop(self) -> None:
        """Kills the process and waits until it has ended."""
        self.kill()
        await self.ended()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                size = HEADER.unpack(await reader.readexactly(HEADER.size))[0]
                self._take(decode(await reader.readexactly(size)))
        except (asyncio.IncompleteReadError, ConnectionError):
            # the process has ended
            pass
        except Exception:  # noqa: BLE001 - what was running must have an answer, whatever came
            _log.exception("Worker process %s sent an invalid frame", self.pid)
        if self._writer is not None:
            self._writer.close()
        self.kill()
        if self._process is not None:
            # it takes no time, because the process has ended or was killed
            self._process.wait()
        if self._loaded is not None and not self._loaded.done():
            self._loaded.set_result(Loaded(error=f"the worker process ended with {self.status}"))
        for invocation, answer in self._running.values():
            if not answer.done():
                text = f"The worker process {self.pid} ended ({self.status})"
                answer.set_result(Outcome(invocation.id, text))
        self._running.clear()

    def _take(self, frame: object) -> None:
        if isinstance(frame, Loaded) and self._loaded is not None:
            self._loaded.set_result(frame)
        elif isinstance(frame, Logged):
            running = self._running.get(frame.invocation_id or "")
            self._console.app_line(frame, running[0].function if running else None)
        elif isinstance(frame, Outcome) and frame.invocation_id in self._running:
            _, answer = self._running.pop(frame.invocation_id)
            if not answer.done():
                answer.set_result(frame)
