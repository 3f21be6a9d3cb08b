"""Worker processes, time-outs and the host's end. Docstrings give the line of the contract."""

import os
import signal
import threading

from tests.devhost.waiting import eventually, refuses

PIDS = """
    @app.route(route="pid")
    def pid(req: func.HttpRequest) -> str:
        time.sleep(float(req.params.get("for", 0)))
        return str(os.getpid())

    @app.route(route="die")
    def die(req: func.HttpRequest) -> str:
        os._exit(3)

    @app.route(route="threads")
    def threads(req: func.HttpRequest) -> str:
        time.sleep(0.3)
        import threading
        return threading.current_thread().name

    @app.route(route="block")
    async def block(req: func.HttpRequest) -> str:
        note(blocks=1)
        hold()
        return "blocked"
"""
HOLD = """
    def hold():
        while not Path("released").exists():
            time.sleep(0.02)
"""
PLAIN = {"extensions": {"queues": {"messageEncoding": "none", "maxPollingInterval": "00:00:01"}}}


def together(host, path, count):
    """The answers to so many calls at once."""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(host.get(path))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def alive(pid):
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True


def test_as_many_workers_as_the_setting_says(app, hosts):
    """P1: FUNCTIONS_WORKER_PROCESS_COUNT processes share the work."""
    host = hosts(app(PIDS), FUNCTIONS_WORKER_PROCESS_COUNT="3").start()
    found: set[object] = set()

    def all_took_part():
        found.update(body for _, body in together(host, "/api/pid?for=0.3", 6))
        return len(found) == 3

    eventually(all_took_part)
    assert str(host.process.pid) not in found


def test_a_wrong_number_of_workers_is_an_error_at_start(app, hosts):
    """P2: between one and ten worker processes."""
    host = hosts(app(PIDS), FUNCTIONS_WORKER_PROCESS_COUNT="11").start(ready=False)
    assert host.process.wait(20) == 1
    assert "FUNCTIONS_WORKER_PROCESS_COUNT is '11'; it must be 1 to 10" in host.log


def test_a_worker_that_dies_is_replaced(app, hosts):
    """P3: a worker that dies is replaced; what it ran has failed."""
    host = hosts(app(PIDS)).start()
    before = host.get("/api/pid")[1]
    assert host.get("/api/die") == (500, "")
    status, after = host.get("/api/pid")
    assert status == 200
    assert after != before
    host.logged("exit code 3")
    os.kill(int(after), signal.SIGKILL)
    eventually(lambda: host.get("/api/pid")[1] not in {before, after, ""})
    host.logged("signal 9")


def test_messages_of_a_dead_worker_come_back(app, hosts):
    """P4: the messages of a worker that died come back, and count as tried."""
    code = """
        @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
        def work(msg: func.QueueMessage) -> None:
            note(text=msg.get_body().decode(), count=msg.dequeue_count)
            if msg.dequeue_count == 1:
                os.kill(os.getpid(), 9)
            note(done=msg.get_body().decode())
    """
    host = hosts(app(code, host=PLAIN)).start()
    host.send("a")
    host.seen(1, "done")
    assert [row["count"] for row in host.rows("text")] == [1, 2]
    assert len({row["pid"] for row in host.rows("text")}) == 2


def test_a_worker_whose_function_exceeds_the_time_out_is_replaced(app, hosts):
    """P5: functionTimeout ends an invocation, and the worker process with it; the message comes back."""
    code = """
        @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
        def work(msg: func.QueueMessage) -> None:
            note(text=msg.get_body().decode(), count=msg.dequeue_count)
            if msg.dequeue_count == 1:
                time.sleep(60)
            note(done=msg.get_body().decode())
    """
    host = hosts(app(code, host={**PLAIN, "functionTimeout": "00:00:03"})).start()
    host.send("a")
    host.seen(1, "done")
    first, second = host.rows("text")
    assert (first["count"], second["count"]) == (1, 2)
    eventually(lambda: not alive(first["pid"]))


def test_synchronous_functions_run_on_a_pool_of_threads(app, hosts):
    """P6: sync functions run on PYTHON_THREADPOOL_THREAD_COUNT threads."""
    root = app(PIDS)
    two = hosts(root, PYTHON_THREADPOOL_THREAD_COUNT="2").start()
    assert len({body for _, body in together(two, "/api/threads", 6)}) == 2
    four = hosts(root, PYTHON_THREADPOOL_THREAD_COUNT="4").start()
    assert len({body for _, body in together(four, "/api/threads", 8)}) == 4


def test_a_function_that_blocks_its_loop_does_not_stall_the_host(app, hosts):
    """P7: a blocking function cannot stall the listeners."""
    host = hosts(app(HOLD + PIDS)).start()
    answers = []
    blocking = threading.Thread(target=lambda: answers.append(host.get("/api/block")))
    blocking.start()
    host.seen(1, "blocks")
    assert host.get("/admin/host/status")[0] == 200
    assert answers == []
    (host.root / "released").touch()
    blocking.join()
    assert answers == [(200, "blocked")]


def test_workers_end_with_a_host_that_was_killed(app, hosts):
    """P8: no worker outlives its host."""
    host = hosts(app(PIDS)).start()
    pid = host.get("/api/pid")[1]
    host.kill()
    eventually(lambda: not alive(pid))


def test_a_worker_is_killed_at_the_end_and_runs_nothing_more(app, hosts):
    """P9: the host kills its workers at its end: atexit does not run, nor after SIGTERM, which ends one with -15."""
    code = (
        PIDS
        + """
    import atexit
    atexit.register(lambda: note(atexit=1))
    """
    )
    host = hosts(app(code)).start()
    pid = int(host.get("/api/pid")[1])
    os.kill(pid, signal.SIGTERM)
    host.logged("signal 15")
    eventually(lambda: host.get("/api/pid")[0] == 200)
    host.process.terminate()
    assert host.process.wait(20) == 0
    assert host.rows("atexit") == []


def test_workers_run_on_uvloop(app, hosts):
    """P10: a worker's event loop is uvloop's."""
    code = """
        @app.route(route="loop")
        async def loop(req: func.HttpRequest) -> str:
            return type(asyncio.get_running_loop()).__module__
    """
    assert hosts(app(code)).start().get("/api/loop") == (200, "uvloop")


def test_what_runs_may_finish_when_the_host_stops(app, hosts):
    """S2: SIGTERM or Ctrl-C stops listening, lets running invocations finish for a grace period, then exits."""
    code = """
    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    def work(msg: func.QueueMessage) -> None:
        note(began=msg.get_body().decode())
        hold()
        note(done=msg.get_body().decode())

    @app.route(route="slow")
    def slow(req: func.HttpRequest) -> str:
        note(began="slow")
        hold()
        return "finished"
    """
    host = hosts(app(HOLD + code, host=PLAIN)).start()
    host.send("a")
    answers = []
    calling = threading.Thread(target=lambda: answers.append(host.get("/api/slow")))
    calling.start()
    host.seen(2, "began")
    host.process.send_signal(signal.SIGINT)
    eventually(lambda: refuses(host.port), lambda: "it still listens")
    assert not answers
    (host.root / "released").touch()
    assert host.process.wait(20) == 0
    calling.join()
    assert answers == [(200, "finished")]
    assert [row["done"] for row in host.rows("done")] == ["a"]
    assert host.count() == 0


def test_what_does_not_finish_is_given_back_at_the_stop(app, hosts):
    """S3: after the grace period a message in flight becomes visible again at once."""
    code = """
        @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
        async def work(msg: func.QueueMessage) -> None:
            note(text=msg.get_body().decode())
            await asyncio.sleep(60)
    """
    host = hosts(app(code, host=PLAIN), "--message-lease", "600")
    host.start()
    host.send("a")
    host.seen(1)
    host.process.terminate()
    assert host.process.wait(30) == 0
    with host.messages() as client:
        assert client.receive_message().dequeue_count == 2


def test_an_app_that_cannot_be_loaded_is_an_error_at_start(app, hosts):
    """S4: an app that cannot be imported or indexed ends the host with its reason."""
    for code, reason in (
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("1/0", "division by zero"),
        (
            """
        @app.route(route="x")
        def x(req: func.HttpRequest, extra: str) -> str:
            return ""
        """,
            "extra",
        ),
        ("other = func.FunctionApp()", "More than one"),
        ("os._exit(7)", "exit code 7"),
    ):
        host = hosts(app(code)).start(ready=False)
        assert host.process.wait(20) == 1
        assert reason in host.log


def test_packages_beside_the_app_are_found_first(app, hosts):
    """P11: packages in .python_packages/lib/site-packages of the app are found first."""
    root = app("""
    @app.route(route="parcel")
    def parcel(req: func.HttpRequest) -> str:
        import parcel
        return parcel.WHERE
    """)
    packages = root / ".python_packages" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "parcel.py").write_text("WHERE = 'among the packages'")
    (root / "parcel.py").write_text("WHERE = 'in the app'")
    assert hosts(root).start().get("/api/parcel") == (200, "among the packages")
