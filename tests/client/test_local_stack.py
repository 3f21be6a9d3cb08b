"""`pixcrawler local up` in a small clone, whose app only answers the calls that the command makes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pixcrawler import WrongUse
from pixcrawler.local_stack import find_clone, start_stack
from playground.azurite import free_port

_SOURCE = next(path for path in sys.path if path.endswith("client/src"))
_MAKEFILE = f"""
.PHONY: setup start
setup:
\t@echo setup $(SAMPLES) > made
start: setup
\t@exec {sys.executable} playground/start.py $(PORT)
"""
_START = """
import http.server, os, pathlib, sys

class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        key = os.environ.get("ADMIN_API_KEY", "local-key")
        known = self.path == "/health/ready" or self.headers["X-API-Key"] == key
        body = b'{"items": [], "next": null}'
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

pathlib.Path(".local").mkdir(exist_ok=True)
pathlib.Path(".local/api-key").write_text("local-key\\n")
print("started", flush=True)
try:
    http.server.HTTPServer(("localhost", int(sys.argv[1])), App).serve_forever()
except KeyboardInterrupt:
    pathlib.Path("stopped").touch()
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    (folder / "playground").mkdir(parents=True)
    (folder / "Makefile").write_text(_MAKEFILE)
    (folder / "function_app.py").write_text("")
    (folder / "playground" / "start.py").write_text(_START)
    return folder


class Up:
    """One `pixcrawler local up`."""

    def __init__(self, clone: Path, config: Path, *arguments: str, **environment: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-m", "pixcrawler", "local", "up", "--port", str(self.port), *arguments],
            cwd=clone / "playground", text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={
                "PATH": os.environ["PATH"],  # noqa: TID251 - where make is
                "PYTHONPATH": _SOURCE, "PIXCRAWLER_CONFIG": str(config), **environment,
            },
        )  # fmt: skip

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, number: signal.Signals | None = None) -> tuple[int, str, str]:
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_stack_of_the_clone_runs_until_it_is_stopped(clone, config, number):
    up = Up(clone, config, "--login", "--json", "--samples")
    answer = json.loads(up.line())
    assert answer == {
        "url": f"http://localhost:{up.port}",
        "api_key": "local-key",
        "clone": str(clone),
        "login": str(config),
    }
    assert json.loads(config.read_text()) == {"url": answer["url"], "api_key": "local-key"}
    code, out, err = up.end(number)
    assert (code, out) == (0, "")
    assert "started" in err
    # the stack was asked to end, and has ended
    assert (clone / "stopped").exists()
    assert (clone / "made").read_text() == "setup 1\n"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", up.port)) != 0


def test_address_and_key_are_printed_and_nothing_is_stored_or_installed_unasked(clone, config):
    up = Up(clone, config, "--no-setup", ADMIN_API_KEY="my-own-key")
    assert up.line() == "started\n"
    lines = [up.line() for _ in range(3)]
    assert f"http://localhost:{up.port}" in lines[0]
    assert "my-own-key" in lines[1]
    assert lines[2] == f"Sign in with: pixcrawler login http://localhost:{up.port}\n"
    assert up.end(signal.SIGINT)[0] == 0
    assert not config.exists()
    assert not (clone / "made").exists()


def test_a_stack_that_does_not_start_is_reported(clone, config):
    (clone / "Makefile").write_text("start:\n\t@echo no storage >&2; exit 3\n")
    code, _, err = Up(clone, config).end()
    assert code == 4
    assert "no storage" in err
    assert "has ended" in err


def test_a_stack_that_ends_by_itself_has_an_exit_code(clone, config):
    up = Up(clone, config, "--json")
    key = json.loads(up.line())["api_key"]
    [child] = (Path(f"/proc/{up.process.pid}/task/{up.process.pid}/children").read_text()).split()
    os.killpg(int(child), signal.SIGKILL)
    assert key == "local-key"
    assert up.end()[0] == 1


def test_a_folder_outside_of_a_clone_is_refused(clone, tmp_path, run):
    assert find_clone(clone / "playground") == clone
    assert "--clone FOLDER" in run("local", "up", "--clone", str(tmp_path), code=2).output
    (clone / "function_app.py").unlink()
    run("local", "up", "--clone", str(clone), code=2)


def test_a_port_in_use_and_a_missing_make_are_reported(clone, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(WrongUse, match="--port"):
        start_stack(clone, taken.getsockname()[1], setup=True, samples=False, to_stderr=False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(WrongUse, match="make"):
        start_stack(clone, 1, setup=True, samples=False, to_stderr=False)
