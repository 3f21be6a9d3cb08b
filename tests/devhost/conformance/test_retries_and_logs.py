"""Retries, logs, reload and disabled functions. Docstrings give the line of the contract."""

import itertools
import json
import re
from contextlib import suppress

from tests.devhost.waiting import eventually

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


def test_a_change_of_the_code_reloads_the_app(app, hosts):
    """L5: --watch reloads on a change of code, pages or settings, keeps its port, and waits out a broken app."""
    code = """
        PAGE = (Path(__file__).parent / "page.html").read_text()

        @app.route(route="say")
        def say(req: func.HttpRequest) -> str:
            return "{}" + os.environ.get("EXTRA", "") + PAGE
    """
    root = app(code.format("one"))
    page = root / "page.html"
    page.write_text("")
    host = hosts(root, "--watch").start()

    def says(text):
        # a request that is under way as the app reloads has no answer
        with suppress(ConnectionError):
            return host.get("/api/say") == (200, text)
        return False

    assert host.get("/api/say") == (200, "one")
    app(code.format("another"))  # of another length: Python tells sources of one second apart by it
    eventually(lambda: says("another"))
    app("this is not Python")
    host.logged("The app cannot be loaded")
    app(code.format("three"), local={"Values": {"EXTRA": "!"}})
    host.await_banner()
    eventually(lambda: says("three!"))
    page.write_text("?")
    eventually(lambda: says("three!?"))


def test_disabled_functions_do_not_run(app, hosts):
    """S1: AzureWebJobs.<function>.Disabled=true disables."""
    host = hosts(app(LOGS), **{"AzureWebJobs.log.Disabled": "true", "AzureWebJobs_log_thread_Disabled": "1"})
    host.start()
    assert host.get("/api/log")[0] == 404
    assert "log: disabled" in host.banner
    listed = json.loads(host.get("/admin/functions")[1])
    assert {item["name"]: item["isDisabled"] for item in listed} == {"log": True, "log_thread": True}
