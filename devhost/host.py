"""The host: a worker, its listeners, and an orderly end."""

import asyncio
import contextlib
import hashlib
import logging
import socket
from pathlib import Path

from aiohttp import web

from devhost.http import HttpHost
from devhost.outputs import QueueOutputs
from devhost.queues import QueueListener
from devhost.settings import StartError, is_disabled, load_settings
from devhost.timers import TimerListener
from devhost.worker import Function, Worker

_log = logging.getLogger("devhost")

_GRACE_SECONDS = 8.0


class Host:
    """One app, served until stopped."""

    def __init__(self, root: Path, address: str, port: int, lease_seconds: int) -> None:
        self._root = root.resolve()
        self._address = address
        self._port = port
        self._lease_seconds = lease_seconds
        self._queues: list[QueueListener] = []
        self._timers: dict[str, TimerListener] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Start everything, say so, and run until `stop` is set.

        Raises:
            StartError: the app cannot be started; the text says why.
        """
        settings = load_settings(self._root)
        worker = Worker(self._root)
        functions = [function for function in await worker.start() if not is_disabled(function.name)]
        outputs = QueueOutputs(settings, self._wake)
        for function in functions:
            kind = str(function.trigger["type"]).lower()
            if kind == "queuetrigger":
                self._queues.append(
                    QueueListener(function, worker, outputs, settings, self._lease_seconds, self._wake)
                )
            elif kind == "timertrigger":
                self._timers[function.name] = TimerListener(function, worker, self._host_id())
            elif kind != "httptrigger":
                raise StartError(f"{function.name}: triggers of type {kind} are not supported.")
        http = HttpHost(functions, worker, outputs, self._timers, settings)
        runner = web.AppRunner(http.application(), access_log=None, shutdown_timeout=_GRACE_SECONDS)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._address, self._port)
            await site.start()
        except OSError as error:
            raise StartError(f"Port {self._port} cannot be listened on: {error.strerror}.") from None
        listeners = [asyncio.create_task(queue.run()) for queue in self._queues]
        listeners += [asyncio.create_task(timer.run()) for timer in self._timers.values()]
        self._announce(functions, http, runner)
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([stopped, *listeners], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopped}:
            _log.error("a listener ended", exc_info=task.exception())
        _log.info("Stopping")
        await asyncio.gather(*(queue.stop(_GRACE_SECONDS) for queue in self._queues))
        for task in listeners:
            task.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
        await runner.cleanup()
        for timer in self._timers.values():
            with contextlib.suppress(OSError):
                await timer.close()
        worker.stop()

    def _wake(self, queue: str) -> None:
        for listener in self._queues:
            if listener.queue == queue:
                listener.wake()

    def _host_id(self) -> str:
        """The same for one machine and folder, as Core Tools has it."""
        where = f"{socket.gethostname()}-{self._root}"
        return f"{socket.gethostname().lower()[:20]}-{hashlib.sha256(where.encode()).hexdigest()[:10]}"

    def _announce(self, functions: list[Function], http: HttpHost, runner: web.AppRunner) -> None:
        port = runner.addresses[0][1]
        base = f"http://{self._address}:{port}"
        print("\nFunctions:\n")
        for template, methods, function in http.routes:
            print(f"\t{function.name}: [{','.join(methods)}] {base}/{template}")
        for function in functions:
            trigger = function.trigger
            if str(trigger["type"]).lower() != "httptrigger":
                where = trigger.get("queueName") or trigger.get("schedule") or ""
                print(f"\t{function.name}: {trigger['type']} {where}")
        print(f"\nListening on {base}", flush=True)
