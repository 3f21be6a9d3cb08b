"""Measures devhost: its start, the time that it adds to a call, and its rate of queue messages."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from azure.storage.queue.aio import QueueClient

from bench.processes import python
from bench.table import Figure, Table, verdict
from playground.azurite import ROOT, Azurite

_CALLS = 1000
_WARM_UP_CALLS = 200
_MESSAGES = 2000
_SENDERS = 16
_QUEUE = "bench"

_APP = """
import time
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
times = []

@app.route(route="hello/{name}")
async def hello(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"Hello {req.route_params['name']}")

@app.route(route="times")
async def seen(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"{len(times)} {times[0]} {times[-1]}" if times else "0 0 0")

@app.queue_trigger(arg_name="message", queue_name="bench", connection="AzureWebJobsStorage")
async def take(message: func.QueueMessage) -> None:
    times.append(time.time())
"""

_BARE = """
import socket
from aiohttp import web

async def hello(request):
    return web.Response(text=f"Hello {request.match_info['name']}")

app = web.Application()
app.router.add_get("/api/hello/{name}", hello)

listener = socket.create_server(("127.0.0.1", 0))
print(f"Listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
web.run_app(app, sock=listener, print=None, access_log=None)
"""


@dataclass(frozen=True, slots=True)
class _Measured:
    """Values of devhost, one for each round, and the values that they are compared with."""

    ours: Sequence[float]
    compared: Sequence[float]


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the table. `target` is the limit for the median, and `compared` names what stands next to it."""

    name: str
    compared: str
    digits: int
    unit: str
    target: float
    at_least: bool = False

    def show(self, measured: _Measured) -> Sequence[str]:
        """Returns the cells of the row."""
        ours = Figure.of(measured.ours)
        word = "at least" if self.at_least else "under"
        return (
            self.name,
            ours.show(self.digits, self.unit),
            f"{self.compared} {Figure.of(measured.compared).show(self.digits, self.unit)}",
            f"{word} {self.target:g} {self.unit}",
            verdict(ours.median, self.target, at_least=self.at_least),
        )


_START = _Row("start, without the app's import", "the app's import", 2, "s", 2)
_HTTP = _Row("added to an HTTP call, median", "bare aiohttp", 2, "ms", 2)
_MESSAGES_TAKEN = _Row("queue messages", "a bare receive-and-delete loop", 0, "/s", 200, at_least=True)


def run(rounds: int) -> Sequence[Table]:
    """Measures on Azurite in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        app = root / "app"
        app.mkdir()
        (app / "function_app.py").write_text(_APP)
        (app / "host.json").write_text(
            '{"version": "2.0", "extensions": {"queues": {"messageEncoding": "none"}}}'
        )
        azurite = Azurite(root / "azurite")
        azurite.start()
        try:
            environment = {"AzureWebJobsStorage": azurite.connection_string, "PYTHONPATH": str(ROOT)}
            rows = [
                _START.show(_start(app, root, environment, rounds)),
                _HTTP.show(asyncio.run(_http(app, root, environment, rounds))),
                _MESSAGES_TAKEN.show(asyncio.run(_queue(app, root, environment, rounds))),
            ]
        finally:
            azurite.stop()
    heads = ("devhost", "measured", "compared with", "target", "")
    return [Table("The development host", heads, rows)]


def _host(app: Path) -> list[str]:
    return ["-m", "devhost", "--root", str(app), "--port", "0"]


def _start(app: Path, root: Path, environment: Mapping[str, str], rounds: int) -> _Measured:
    """Measures the seconds from the command until devhost listens, without the import of the app."""
    whole: list[float] = []
    imports: list[float] = []
    timed = (
        "import time; began = time.perf_counter(); import function_app; print(time.perf_counter() - began)"
    )
    for _ in range(rounds):
        began = time.perf_counter()
        with python(_host(app), "Listening on", root / "host.log", environment):
            whole.append(time.perf_counter() - began)
        finished = subprocess.run(
            [sys.executable, "-c", timed], cwd=app, capture_output=True, text=True, check=True
        )
        imports.append(float(finished.stdout))
    return _Measured([one - other for one, other in zip(whole, imports, strict=True)], imports)


async def _http(app: Path, root: Path, environment: Mapping[str, str], rounds: int) -> _Measured:
    """Measures the milliseconds that devhost adds to a call of a plain aiohttp server, on open connections."""
    ours: list[float] = []
    bare: list[float] = []
    with (
        python(_host(app), "Listening on", root / "host.log", environment) as (_, line),
        python(["-c", _BARE], "Listening on", root / "bare.log") as (_, bare_line),
    ):
        async with aiohttp.ClientSession() as session:
            urls = [f"{text.split()[-1]}/api/hello/bench" for text in (line, bare_line)]
            for url in urls:
                await _latency(session, url, _WARM_UP_CALLS)
            for _ in range(rounds):
                ours.append(await _latency(session, urls[0], _CALLS))
                bare.append(await _latency(session, urls[1], _CALLS))
    return _Measured([one - other for one, other in zip(ours, bare, strict=True)], bare)


async def _latency(session: aiohttp.ClientSession, url: str, calls: int) -> float:
    """Returns the median time of this many calls, one after another, in milliseconds."""
    taken: list[float] = []
    for _ in range(calls):
        began = time.perf_counter()
        async with session.get(url) as response:
            response.raise_for_status()
            await response.read()
        taken.append(1000 * (time.perf_counter() - began))
    return Figure.of(taken).median


async def _queue(app: Path, root: Path, environment: Mapping[str, str], rounds: int) -> _Measured:
    """Measures the messages per second that devhost takes from a full queue, and those of a plain loop."""
    ours: list[float] = []
    bare: list[float] = []
    connection = environment["AzureWebJobsStorage"]
    async with QueueClient.from_connection_string(connection, _QUEUE) as queue:
        await queue.create_queue()
        for _ in range(rounds):
            await _fill(queue)
            with python(_host(app), "Listening on", root / "host.log", environment) as (_, line):
                ours.append(await _rate_of_app(f"{line.split()[-1]}/api/times"))
            await _fill(queue)
            bare.append(await _drain(queue))
    return _Measured(ours, bare)


async def _fill(queue: QueueClient) -> None:
    async def send(share: int) -> None:
        for number in range(share, _MESSAGES, _SENDERS):
            await queue.send_message(f"message {number}")

    await asyncio.gather(*(send(share) for share in range(_SENDERS)))


async def _rate_of_app(url: str) -> float:
    """Waits until the app has got all messages, and returns their rate per second from the first to the last."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(300):
        while True:
            async with session.get(url) as response:
                count, first, last = (await response.text()).split()
            if int(count) >= _MESSAGES:
                return (int(count) - 1) / (float(last) - float(first))
            await asyncio.sleep(0.2)


async def _drain(queue: QueueClient) -> float:
    """Receives and deletes all messages without a host, 32 at a time, and returns the messages per second."""
    began, count = time.perf_counter(), 0
    while messages := [
        message async for message in queue.receive_messages(messages_per_page=32, max_messages=32)
    ]:
        await asyncio.gather(*(queue.delete_message(message) for message in messages))
        count += len(messages)
    return count / (time.perf_counter() - began)
