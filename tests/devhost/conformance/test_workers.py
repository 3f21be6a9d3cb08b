"""Worker processes, retries, time-outs, logs, reload and stop. Docstrings give the line of the contract."""

import itertools
import json
import os
import re
import signal
import threading
import time

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
        time.sleep(3)
        return "blocked"
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
    found = set()

    def all_took_part():
        found.update(body for _, body in together(host, "/api/pid?for=0.3", 6))
        return len(found) == 3

    eventually(all_took_part)
    assert str(host.process.pid) not in found


def test_a_wrong_number_of_workers_is_an_error_at_start(app, hosts):
    """P2: between one and ten worker processes."""
    host = hosts(app(PIDS), FUNCTIONS_WORKER_PROCESS_COUNT="11").start(ready=False)
    assert host.process.wait(20) == 1
    assert "FUNCTIONS_WORKER_PROCESS_COUNT must be between 1 and 10" in host.log


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
    host = hosts(app(code, host={**PLAIN, "functionTimeout": "00:00:01"})).start()
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
    host = hosts(app(PIDS)).start()
    answers = []
    blocking = threading.Thread(target=lambda: answers.append(host.get("/api/block")))
    blocking.start()
    time.sleep(0.3)
    assert host.get("/admin/host/status")[0] == 200
    assert answers == []
    blocking.join()
    assert answers == [(200, "blocked")]


def test_workers_end_with_a_host_that_was_killed(app, hosts):
    """P8: no worker outlives its host."""
    host = hosts(app(PIDS)).start()
    pid = host.get("/api/pid")[1]
    host.kill()
    eventually(lambda: not alive(pid))


RETRIES = """
    def outcome(context, trigger):
        retry = context.retry_context
        note(trigger=trigger, retry=retry.retry_count, most=retry.max_retry_count, id=context.invocation_id,
             error=retry.rpc_exception.message if retry.rpc_exception else None)
        if retry.retry_count < retry.max_retry_count:
            raise ValueError(f"attempt {retry.retry_count}")

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
    @app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:01")
    def fixed(timer: func.TimerRequest, context: func.Context) -> None:
        outcome(context, "fixed")

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
    @app.retry(strategy="exponential_backoff", max_retry_count="2", minimum_interval="00:00:01",
               maximum_interval="00:00:10")
    def growing(timer: func.TimerRequest, context: func.Context) -> None:
        outcome(context, "growing")
"""


def test_retry_policies_run_a_function_again(app, hosts):
    """R1: retry policies (fixed_delay, exponential_backoff) re-run in process with a new invocation id."""
    host = hosts(app(RETRIES)).start()
    for name, pauses in (("fixed", [1, 1]), ("growing", [1, 2])):
        assert host.post_json(f"/admin/functions/{name}") == 202
        eventually(lambda name=name: len([r for r in host.rows("trigger") if r["trigger"] == name]) == 3)
        rows = [row for row in host.rows("trigger") if row["trigger"] == name]
        assert [(row["retry"], row["most"]) for row in rows] == [(0, 2), (1, 2), (2, 2)]
        assert [row["error"] for row in rows] == [None, "ValueError: attempt 0", "ValueError: attempt 1"]
        assert len({row["id"] for row in rows}) == 3
        assert len({row["pid"] for row in rows}) == 1
        found = [later["at"] - earlier["at"] for earlier, later in itertools.pairwise(rows)]
        assert all(pause >= least for pause, least in zip(found, pauses, strict=True))


LOGS = """
    @app.route(route="log")
    async def log(req: func.HttpRequest, context: func.Context) -> str:
        logging.info("hello from the loop")
        logging.warning("careful")
        logging.debug("not shown")
        return context.invocation_id

    @app.route(route="log-thread")
    def log_thread(req: func.HttpRequest, context: func.Context) -> str:
        logging.getLogger("mine").info("hello from a thread")
        print("printed")
        return context.invocation_id
"""


def test_logs_carry_the_invocation(app, hosts):
    """L1: what functions log is shown with their invocation ids, between Executing and Executed."""
    host = hosts(app(LOGS)).start()
    for path, text in (("log", "hello from the loop"), ("log-thread", "hello from a thread")):
        invocation = host.get(f"/api/{path}")[1]
        log = host.logged(f"(Succeeded, Id={invocation}")
        assert re.search(rf"^\[[\d:.TZ-]+\] \[{invocation[:8]}\] {text}$", log, re.MULTILINE)
        assert f"Id={invocation}" in log.partition(text)[0]
    assert "not shown" not in host.log
    assert "\033[" not in host.log


def test_logs_are_coloured_where_wanted(app, hosts):
    """L2: lines are coloured on a terminal, or with FORCE_COLOR."""
    host = hosts(app(LOGS), FORCE_COLOR="1").start()
    host.get("/api/log")
    assert "\033[33mcareful\033[0m" in host.logged("careful")


def test_verbose_shows_the_libraries_details(app, hosts):
    """L3: --verbose shows levels, categories and debug lines."""
    host = hosts(app(LOGS), "--verbose").start()
    host.get("/api/log")
    assert "DEBUG root: not shown" in host.logged("Executed 'Functions.log'")


def test_log_levels_are_those_of_host_json(app, hosts):
    """L4: logging.logLevel of host.json decides by the longest prefix of the category."""
    levels = {"default": "Information", "Function.log.User": "Warning", "Function.log_thread": "Error"}
    host = hosts(app(LOGS, host={"logging": {"logLevel": levels}})).start()
    host.get("/api/log")
    host.get("/api/log-thread")
    log = host.logged("Executed 'Functions.log'")
    assert "careful" in log
    assert "hello" not in log
    assert "Functions.log_thread" not in log


def test_disabled_functions_do_not_run(app, hosts):
    """S1: AzureWebJobs.<function>.Disabled=true disables."""
    host = hosts(app(LOGS), **{"AzureWebJobs.log.Disabled": "true", "AzureWebJobs_log_thread_Disabled": "1"})
    host.start()
    assert host.get("/api/log")[0] == 404
    assert "log: disabled" in host.banner
    listed = json.loads(host.get("/admin/functions")[1])
    assert {item["name"]: item["isDisabled"] for item in listed} == {"log": True, "log_thread": True}


def test_a_change_of_the_code_reloads_the_app(app, hosts):
    """L5: --watch reloads on a change of code or settings, keeps its port, and waits out a broken app."""
    code = """
        @app.route(route="say")
        def say(req: func.HttpRequest) -> str:
            return "{}" + os.environ.get("EXTRA", "")
    """
    root = app(code.format("one"))
    host = hosts(root, "--watch").start()
    assert host.get("/api/say") == (200, "one")
    app(code.format("another"))  # of another length: Python tells sources of one second apart by it
    eventually(lambda: host.get("/api/say") == (200, "another"))
    app("this is not Python")
    host.logged("The app cannot be loaded")
    app(code.format("three"), local={"Values": {"EXTRA": "!"}})
    host.await_banner()
    eventually(lambda: host.get("/api/say") == (200, "three!"))


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
            note(text=msg.get_body().decode())
            time.sleep(1.5)
            note(done=msg.get_body().decode())

        @app.route(route="slow")
        def slow(req: func.HttpRequest) -> str:
            time.sleep(1.5)
            return "finished"
    """
    host = hosts(app(code, host=PLAIN)).start()
    host.send("a")
    answers = []
    calling = threading.Thread(target=lambda: answers.append(host.get("/api/slow")))
    calling.start()
    host.seen(1)
    host.process.send_signal(signal.SIGINT)
    eventually(lambda: refuses(host.port), lambda: "it still listens")
    assert not answers
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
