"""`make start` runs the product until Ctrl-C, and the first job that it prints is one."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from playground.azurite import ROOT, die_with_parent, free_port, ports_beside
from playground.start import _port_problem
from tests.expect import present


@pytest.fixture
def port():
    port = free_port()
    while _port_problem(port, ports_beside(port)):
        port = free_port()
    yield port
    shutil.rmtree(ROOT / ".local" / "start" / str(port), ignore_errors=True)


def _printed_curl(lines):
    """Returns the command that is printed below "A first job"."""
    for line in lines:
        if line.startswith("curl "):
            return line + next(lines)
    raise AssertionError("no command was printed")


def test_the_job_that_make_start_prints_can_be_submitted_and_ctrl_c_ends_all(port):
    command = [sys.executable, "-m", "playground.start", "--port", str(port)]
    started = subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=ROOT,
        env={**os.environ, "OPENVERSE_BASE_URL": "http://127.0.0.1:9"},  # noqa: TID251 - that of the tests
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe between fork and exec
    )
    try:
        curl = _printed_curl(iter(present(started.stdout)))
        reader = ["/usr/bin/env", "bash", "-c", f"{curl.strip()} --noproxy '*'"]
        answer = subprocess.run(reader, capture_output=True, check=True)  # noqa: S603 - as a reader does
        job = json.loads(answer.stdout)
    finally:
        os.killpg(started.pid, signal.SIGINT)
        started.communicate(timeout=60)
    assert job["state"] == "queued", job
    assert started.returncode == 0
    assert _port_problem(port, ports_beside(port)) is None
