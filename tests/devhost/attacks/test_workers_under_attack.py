"""Worker processes under attack: every invocation has an answer, no process stays behind."""

import asyncio
import http.client
import os
import signal
import threading

import pytest

from devhost.console import Console
from devhost.functions import Invocation, Outcome
from devhost.worker.frames import HEADER, decode, encode
from devhost.worker.pool import WorkerPool
from devhost.worker.protos import RpcHttp, TypedData
from tests.devhost.waiting import eventually, exists

PIDS = """
    @app.route(route="pid")
    async def pid(req: func.HttpRequest) -> str:
        await asyncio.sleep(0.003)
        return str(os.getpid())

    @app.route(route="fork")
    def fork(req: func.HttpRequest) -> str:
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
        note(child=child)
        time.sleep(60)
        return ""
"""


PLAIN = {
    "extensions": {"queues": {"messageEncoding": "none", "maxPollingInterval": "00:00:01", "batchSize": 32}}
}


def worker(host):
    """The process that runs the app; there is one."""
    return int(host.get("/api/pid")[1])


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_nothing_is_handed_to_a_worker_that_has_ended(app):
    root = app(PIDS)
    environment = {**os.environ, "SEEN_FILE": str(root / "seen.jsonl")}  # noqa: TID251 - a child inherits it
    pool = WorkerPool(root, environment, 1, Console(verbose=False))
    pool.launch()
    await pool.functions()
    (worker,) = pool.workers
    worker.kill()
    while worker.alive:  # noqa: ASYNC110 - the pool itself learns of it a few turns later
        await asyncio.sleep(0)
    request = TypedData(http=RpcHttp(method="GET", url="", headers={}, query={}, params={}, body=TypedData()))
    outcome = await asyncio.wait_for(pool.invoke(Invocation("pid", {"req": request}), 60), 30)
    assert outcome.error is None
    await pool.stop()


def test_a_child_of_the_app_does_not_hide_its_workers_death(app, hosts):
    host = hosts(app(PIDS)).start()
    answers = []
    calling = threading.Thread(target=lambda: answers.append(host.get("/api/fork")[0]))
    calling.start()
    (row,) = host.seen(1, "child")
    os.kill(worker(host), signal.SIGKILL)
    calling.join(60)
    os.kill(row["child"], signal.SIGKILL)
    assert answers == [500]


def test_a_worker_that_is_still_importing_ends_with_its_host(app, hosts):
    root = app("note(importing=os.getpid())\ntime.sleep(600)")
    for end in (signal.SIGKILL, signal.SIGINT):
        host = hosts(root).start(ready=False)
        pid = host.seen(1, "importing")[-1]["importing"]
        host.process.send_signal(end)
        host.process.wait(20)
        eventually(lambda pid=pid: not alive(pid))
        host.seen_file.write_text("")


def test_a_worker_that_talks_as_its_host_is_killed_ends_with_it(app, hosts):
    code = """
        @app.route(route="talk")
        def talk(req: func.HttpRequest) -> str:
            while True:
                logging.info("still here")
                note(talked=os.getpid())
                time.sleep(0.01)
    """
    host = hosts(app(code)).start()
    calling = http.client.HTTPConnection("127.0.0.1", host.port)
    calling.request("GET", "/api/talk")
    host.seen(1, "talked")
    host.process.send_signal(signal.SIGSTOP)  # what the worker says from now on stays unread
    talked = host.seen(len(host.rows("talked")) + 10, "talked")
    host.kill()
    calling.close()
    eventually(lambda: not alive(talked[0]["talked"]))


def test_a_function_that_hangs_holds_the_stop_up_for_one_grace_period(app, hosts):
    host = hosts(app(PIDS)).start()
    calling = http.client.HTTPConnection("127.0.0.1", host.port)
    calling.request("GET", "/api/fork")
    (row,) = host.seen(1, "child")
    host.process.terminate()
    assert host.process.wait(18) == 0  # 8 seconds for the request, 5 for the worker
    os.kill(row["child"], signal.SIGKILL)
    calling.close()


OUTPUTS = """
    from enum import StrEnum

    class Colour(StrEnum):
        RED = "red"

    note(importing=os.getpid())
    VALUES = {"enum": Colour.RED, "surrogate": "\\ud800", "deep": "[" * 20_000}

    @app.route(route="put/{name}")
    @app.queue_output(arg_name="out", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    def put(req: func.HttpRequest, out: func.Out[str]) -> str:
        class Local(str):
            pass

        out.set(VALUES.get(req.route_params["name"], Local("local")))
        return "put"

    @app.route(route="cancel")
    async def cancel(req: func.HttpRequest) -> str:
        raise asyncio.CancelledError
"""


@pytest.fixture
def odd(app, hosts):
    return hosts(app(OUTPUTS.replace("\n    ", "\n"), host=PLAIN)).start()


def test_values_of_the_apps_own_types_are_written_without_importing_the_app(odd):
    for name in ("enum", "local"):
        assert odd.get(f"/api/put/{name}") == (200, "put")
    with odd.messages() as client:
        eventually(lambda: exists(client))
        assert sorted(message.content for message in client.receive_messages()) == ["local", "red"]
    assert odd.process.pid not in [row["importing"] for row in odd.rows("importing")]


def test_what_cannot_be_encoded_or_parsed_fails_or_passes_but_never_hangs(odd):
    assert odd.get("/api/put/surrogate") == (500, "")
    assert "A binding failed: UnicodeEncodeError" in odd.log
    assert odd.get("/api/put/deep") == (200, "put")
    assert odd.get("/api/cancel") == (500, "")


def test_frames_hold_plain_values_only():
    class Text(str):
        __slots__ = ()

    found = decode(encode(Outcome("1", Text("why")))[HEADER.size :])
    assert type(found.error) is str
    with pytest.raises(Exception, match="is not a type of frames"):
        decode(encode(Outcome("1", returned=os.getcwd))[HEADER.size :])
