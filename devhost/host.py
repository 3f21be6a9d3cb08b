"""The host of one app: its workers, its listeners and its HTTP server, from start to stop."""

import asyncio
import logging
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from devhost.bindings import Bindings
from devhost.connections import Connections
from devhost.console import Console
from devhost.functions import Function
from devhost.invoker import Invoker
from devhost.request_items import RequestItems
from devhost.settings import FunctionError, HostSettings, StartError
from devhost.triggers.queues import QueueListener
from devhost.triggers.timers import TimerListener
from devhost.web.admin import Admin
from devhost.web.keys import Keys
from devhost.web.server import HttpServer
from devhost.worker.pool import WorkerPool

_log = logging.getLogger("devhost")

_GRACE_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class HostOptions:
    """The options of the command line.

    `lease_seconds` is how long a received message is invisible. `admin_hosts` are the host names for calls of /admin.
    `python` runs the workers.
    """

    root: Path
    lease_seconds: int = 600
    enable_auth: bool = False
    verbose: bool = False
    admin_hosts: tuple[str, ...] = ()
    python: str = sys.executable


class Host:
    """Loads an app once and serves it on a listening socket until it is stopped."""

    def __init__(self, options: HostOptions, settings: HostSettings, listening: socket.socket) -> None:
        self._options = options
        self._settings = settings
        self._listening = listening
        self._connections = Connections(settings.environment)
        self._console = Console(verbose=options.verbose, levels=settings.log_levels)
        self._pool = WorkerPool(
            options.root, settings.environment, settings.workers, self._console, python=options.python
        )
        bindings = Bindings(settings, self._connections, self._wake)
        self._bindings = bindings
        self._requests = RequestItems(settings.environment)
        self._invoker = Invoker(self._pool, bindings, settings, self._console, self._requests)
        self._http = HttpServer(settings, options.admin_hosts)
        self._queues: dict[str, QueueListener] = {}
        self._timers: dict[str, TimerListener] = {}
        self._errors: dict[str, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Starts the app, prints its functions, and runs until `stop` is set.

        Raises:
            StartError: the app cannot be started, or a listener ended. The text says why.
        """
        if stop.is_set():
            return
        listening = self._listening.dup()
        self._pool.launch()
        runner = web.AppRunner(
            self._http.application(),
            access_log=None,
            # aiohttp waits for this time twice
            shutdown_timeout=_GRACE_SECONDS / 2,
            # a function decodes the Content-Encoding of a body itself
            auto_decompress=False,
        )
        await runner.setup()
        await web.SockSite(runner, listening).start()
        stopped = asyncio.create_task(stop.wait())
        listeners: list[asyncio.Task[None]] = []
        try:
            opening = asyncio.create_task(self._open())
            await asyncio.wait([stopped, opening], return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                opening.cancel()
                return
            opening.result()
            listeners = [asyncio.create_task(queue.run()) for queue in self._queues.values()]
            listeners += [asyncio.create_task(timer.run()) for timer in self._timers.values()]
            done, _ = await asyncio.wait([stopped, *listeners], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                error = task.exception()
                if isinstance(error, StartError):
                    raise error
                _log.error("A listener ended", exc_info=error)
                raise StartError("A listener ended. The log says why.")
        finally:
            stopped.cancel()
            await self._close(runner, listeners)

    async def _open(self) -> None:
        loaded = await self._pool.functions()
        disabled = [function for function in loaded if self._settings.is_disabled(function.name)]
        functions = [function for function in loaded if function not in disabled]
        for function in tuple(functions):
            try:
                self._listen_for(function)
            except FunctionError as error:
                # the other functions run
                _log.error("The '%s' function is in error: %s", function.name, error)
                self._errors[function.name] = str(error)
                functions.remove(function)
        keys = await self._load_keys(functions) if self._options.enable_auth else None
        admin = Admin(loaded, disabled, self._queues, self._timers)
        self._http.open(functions, self._invoker, admin, keys)
        self._announce(functions, disabled, keys)

    def _listen_for(self, function: Function) -> None:
        self._bindings.check(function)
        settings, connections = self._settings, self._connections
        if function.kind == "queuetrigger":
            lease_seconds = self._options.lease_seconds
            self._queues[function.name] = QueueListener(
                function, self._invoker, connections, settings, lease_seconds, self._wake
            )
        elif function.kind == "timertrigger":
            self._timers[function.name] = TimerListener(function, self._invoker, connections, settings)
        elif function.kind != "httptrigger":
            raise StartError(f"{function.name}: triggers of type {function.kind} are not supported.")

    async def _load_keys(self, functions: Sequence[Function]) -> Keys:
        keys = Keys(self._connections.blobs("AzureWebJobsStorage"), self._settings.host_id)
        await keys.load(function for function in functions if function.kind == "httptrigger")
        return keys

    async def _close(self, runner: web.AppRunner, listeners: list[asyncio.Task[None]]) -> None:
        """Accepts no more work, waits a while for running invocations, then ends the workers."""
        _log.info("Stopping: running invocations have %.0f seconds to finish", _GRACE_SECONDS)
        self._http.shut()
        await asyncio.gather(
            runner.cleanup(),
            *(queue.stop(_GRACE_SECONDS) for queue in self._queues.values()),
            *(timer.settle(_GRACE_SECONDS) for timer in self._timers.values()),
        )
        for task in listeners:
            task.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
        await self._pool.stop()
        await self._requests.close()
        await self._connections.close()

    def _wake(self, queue: str) -> None:
        for listener in self._queues.values():
            if listener.queue == queue:
                listener.wake()

    def _announce(
        self, functions: Sequence[Function], disabled: Sequence[Function], keys: Keys | None
    ) -> None:
        address, port = self._listening.getsockname()[:2]
        base = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
        print("\nFunctions:\n")
        if not functions and not disabled:
            print(f"\tnone: is function_app.py in {self._options.root}, and does it declare any?")
        for route, methods, function in self._http.routes:
            print(f"\t{function.name}: [{','.join(methods)}] {base}/{route.template}")
        for function in functions:
            trigger = function.trigger
            if function.kind != "httptrigger":
                where = trigger.get("queueName") or trigger.get("schedule") or ""
                print(f"\t{function.name}: {trigger['type']} {where}".rstrip())
        for function in disabled:
            print(f"\t{function.name}: disabled")
        for name, reason in self._errors.items():
            print(f"\t{name}: in error: {reason}")
        if keys is not None:
            print(f"\nKeys: master {keys.master}, default {keys.default}")
        print(f"\nListening on {base}", flush=True)
