"""The worker's side: runs the app with Microsoft's worker library on the event loop of the main thread.

As on Azure, the loop is uvloop's, and the host kills the process in the end. Another thread receives the frames. So a
function that blocks the loop stalls the functions of this process, as on Azure, but the process still ends with the
host.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
import uvloop

from devhost.functions import Function, Invocation, Outcome, RetryPolicy
from devhost.worker import protos
from devhost.worker.frames import HEADER, Frame, Loaded, Logged, decode, encode

_SYSTEM_LOGGER = "azure_functions_runtime"
# the real worker searches the dependencies of a deployed app first, before the app and its own
_PACKAGES = ".python_packages/lib/site-packages"


def main(descriptor: int, root: str, *, verbose: bool) -> None:
    """Loads the app in `root` and runs its functions until the process is killed or the host has ended."""
    # Ctrl-C stops the host, which then stops its workers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=descriptor)
    connection.set_inheritable(False)
    sys.path.insert(0, root)
    packages = Path(root, _PACKAGES)
    if packages.is_dir():
        sys.path.insert(0, str(packages))
    asyncio.run(_Worker(connection, root).run(verbose), loop_factory=uvloop.new_event_loop)


class _Worker:
    def __init__(self, connection: socket.socket, root: str) -> None:
        self._connection = connection
        self._reader = connection.makefile("rb", buffering=1 << 20)
        self._writing = threading.Lock()
        self._root = root
        self._ids: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, verbose: bool) -> None:  # noqa: FBT001 - one switch of the command line
        _log_to(self, verbose=verbose)
        runtime.start_threadpool_executor()
        os.register_at_fork(after_in_child=self._disconnect)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._receive, args=(loop,), name="frames", daemon=True).start()
        self.send(await self._load())
        # the host kills this process
        await asyncio.Event().wait()

    def send(self, frame: Frame) -> None:
        """Sends a frame to the host. Any thread may call it."""
        data = encode(frame)
        # an OSError means that the host has ended, and this process will end, too
        with self._writing, contextlib.suppress(OSError):
            self._connection.sendall(data)

    def _disconnect(self) -> None:
        """Closes the connection in a child that the app forked: it would hide the end of this process from the host."""
        self._writing = threading.Lock()
        os.close(self._connection.detach())

    def _receive(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while header := self._reader.read(HEADER.size):
                frame = decode(self._reader.read(HEADER.unpack(header)[0]))
                loop.call_soon_threadsafe(self._begin, frame)
        finally:
            # a killed host may reset the connection, so this is not only for the end of the stream
            os._exit(1)

    def _begin(self, invocation: Invocation) -> None:
        task = asyncio.ensure_future(self._invoke(invocation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _load(self) -> Loaded:
        init = SimpleNamespace(capabilities={}, function_app_directory=self._root, host_version="devhost")
        error = _error_of(await runtime.worker_init_request(_request(worker_init_request=init)))
        if error:
            return Loaded(error=error)
        listed = await runtime.functions_metadata_request(_request(functions_metadata_request=None))
        functions = []
        for metadata in listed.function_metadata_results or []:
            load = SimpleNamespace(function_id=metadata.function_id)
            error = _error_of(await runtime.function_load_request(_request(function_load_request=load)))
            if error:
                return Loaded(error=error)
            self._ids[metadata.name] = metadata.function_id
            bindings = tuple(json.loads(raw) for raw in metadata.raw_bindings)
            functions.append(Function(metadata.name, bindings, _retry_policy(metadata.retry_options)))
        return Loaded(tuple(sorted(functions, key=lambda function: function.name.upper())))

    async def _invoke(self, invocation: Invocation) -> None:
        runtime.invocation_id_cv.set(invocation.id)
        try:
            self.send(await self._outcome(invocation))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the host waits for an answer
            self.send(Outcome(invocation.id, f"{type(error).__name__}: {error}", traceback.format_exc()))

    async def _outcome(self, invocation: Invocation) -> Outcome:
        previous = invocation.previous_error
        failure = protos.RpcException(message=previous, stack_trace="", source="") if previous else None
        request = SimpleNamespace(
            invocation_id=invocation.id,
            function_id=self._ids[invocation.function],
            input_data=[protos.ParameterBinding(name=k, data=v) for k, v in invocation.inputs.items()],
            trigger_metadata=dict(invocation.metadata),
            trace_context=SimpleNamespace(
                trace_parent=invocation.trace_parent, trace_state=invocation.trace_state, attributes={}
            ),
            retry_context=SimpleNamespace(
                retry_count=invocation.retries, max_retry_count=invocation.max_retries, exception=failure
            ),
        )
        response = await runtime.invocation_request(_request(invocation_request=request))
        if response.result.status != protos.StatusResult.Success:
            error = response.result.exception
            return Outcome(invocation.id, str(error.message), str(error.stack_trace or ""))
        outputs = {binding.name: binding.data for binding in response.output_data or []}
        return Outcome(invocation.id, returned=response.return_value, outputs=outputs)


class _ToHost(logging.Handler):
    """Sends what the app logs to the host."""

    def __init__(self, worker: _Worker) -> None:
        super().__init__()
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        try:
            # as on Azure, where an app may set the handler's formatter
            text = self.format(record)
            self._worker.send(Logged(record.levelno, record.name, text, runtime.invocation_id_cv.get()))
        except Exception:  # noqa: BLE001 - by logging's contract, handlers raise nothing
            self.handleError(record)


def _log_to(worker: _Worker, *, verbose: bool) -> None:
    root = logging.getLogger()
    root.addHandler(_ToHost(worker))
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    if not verbose:
        logging.getLogger(_SYSTEM_LOGGER).setLevel(logging.WARNING)


def _request(**request: Any) -> SimpleNamespace:
    properties = {"protos": protos, "host": "127.0.0.1"}
    return SimpleNamespace(name="devhost", request=SimpleNamespace(**request), properties=properties)


def _error_of(response: Any) -> str | None:
    if response.result.status == protos.StatusResult.Success:
        return None
    error = response.result.exception
    return f"{error.message}\n{error.stack_trace or ''}"


def _retry_policy(options: Any) -> RetryPolicy | None:
    if options is None:
        return None
    retries = int(options.max_retry_count)
    if options.delay_interval is not None:
        delay = options.delay_interval.total_seconds()
        return RetryPolicy(retries, delay, delay)
    nothing = timedelta()
    least = (options.minimum_interval or nothing).total_seconds()
    return RetryPolicy(
        retries, least, (options.maximum_interval or nothing).total_seconds(), exponential=True
    )
