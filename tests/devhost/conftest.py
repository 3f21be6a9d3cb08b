"""Writes function apps into folders, and runs hosts with them."""

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from playground.azurite import ROOT, die_with_parent, free_port
from tests.devhost.holding_proxy import HoldingProxy
from tests.devhost.waiting import eventually, exists
from tests.expect import present

HEAD = """
import asyncio, json, logging, os, time
from pathlib import Path
from typing import List
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

def note(**what):
    with Path(os.environ["SEEN_FILE"]).open("a") as out:
        out.write(json.dumps({"pid": os.getpid(), "at": time.time(), **what}) + "\\n")
"""


class RunningHost:
    """A host process for one app. `seen` are the rows that the app has written."""

    def __init__(self, root, connection, environment, arguments):
        self.root = root
        self.connection = connection
        self.queue = f"q{uuid.uuid4().hex[:12]}"
        self.seen_file = root / "seen.jsonl"
        self.seen_file.touch()
        self.log_file = root / "host.log"
        self.environment = environment
        self.arguments = arguments
        self.port_arguments = ["--port", "0"]

    def start(self, *, ready=True):
        env = {
            **os.environ,  # noqa: TID251 - a child inherits it
            "AzureWebJobsStorage": self.connection,
            "QUEUE": self.queue,
            "SEEN_FILE": str(self.seen_file),
            "PYTHONPATH": str(ROOT),
            **self.environment,
        }
        command = [sys.executable, "-m", "devhost", "--root", str(self.root), *self.port_arguments]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [*command, "--message-lease", "60", *self.arguments],
                env={name: value for name, value in env.items() if value is not None},
                cwd=self.root,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call
            )
        self.banner = ""
        if ready:
            self.await_banner()
        return self

    def await_banner(self):
        for line in present(self.process.stdout):
            self.banner += line
            if line.startswith("Listening on"):
                self.port = int(line.rpartition(":")[2])
                return
        raise AssertionError(f"the host did not start: {self.banner}{self.log}")

    @property
    def log(self):
        return self.log_file.read_text()

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        found = response.status, response.read().decode(), response.headers
        connection.close()
        return found

    def post_json(self, path, body=b"{}", **headers):
        given = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.call("POST", path, body, given)[0]

    def get(self, path, headers=None):
        return self.call("GET", path, None, headers)[:2]

    @contextlib.contextmanager
    def behind_proxy(self, marker):
        """Starts the host with a proxy before its queues, which holds answers back that have the marker."""
        direct = self.connection
        port = int(present(re.search(r"QueueEndpoint=http://127.0.0.1:(\d+)", direct))[1])
        with contextlib.closing(HoldingProxy(port, marker)) as proxy:
            self.connection = direct.replace(f":{port}/", f":{proxy.port}/")
            self.start()
            self.connection = direct
            yield proxy

    def messages(self, name=None, **options):
        return QueueClient.from_connection_string(self.connection, name or self.queue, **options)

    def send(self, *texts, name=None):
        with self.messages(name) as client:
            if not exists(client):
                client.create_queue()
            for text in texts:
                client.send_message(text)

    def count(self, name=None):
        with self.messages(name) as client:
            return client.get_queue_properties().approximate_message_count

    def blobs(self):
        return BlobServiceClient.from_connection_string(self.connection)

    def rows(self, key):
        rows = [json.loads(line) for line in self.seen_file.read_text().splitlines()]
        return [row for row in rows if key in row]

    def seen(self, count, key="text"):
        """Waits for so many rows with the key."""
        eventually(lambda: len(self.rows(key)) >= count, lambda: f"{self.rows(key)}, not {count}; {self.log}")
        return self.rows(key)

    def logged(self, text):
        eventually(lambda: text in self.log, lambda: f"no {text!r} in {self.log}")
        return self.log

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        present(self.process.stdout).close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        present(self.process.stdout).close()


@pytest.fixture
def app(tmp_path):
    """Writes an app into a folder: `app(code, host={...}, local={...}, name="a")`."""
    return _writer(tmp_path)


@pytest.fixture(scope="module")
def shared_app(tmp_path_factory):
    """Like `app`, for a host that all tests of a file share."""
    return _writer(tmp_path_factory.mktemp("shared"))


def _writer(folder):
    def write(code, *, host=None, local=None, name="app", head=HEAD):
        root = folder / name
        root.mkdir(exist_ok=True)
        (root / "function_app.py").write_text(head + textwrap.dedent(code))
        settings = {"version": "2.0", **(host or {})}
        (root / "host.json").write_text(json.dumps(settings))
        if local is not None:
            (root / "local.settings.json").write_text(json.dumps(local))
        return root

    return write


@pytest.fixture
def hosts(connection_string):
    """Starts hosts, which are stopped at the end: `hosts(root, "--watch", NAME="value")`."""
    with _starter(connection_string) as make:
        yield make


@pytest.fixture(scope="module")
def shared_hosts(connection_string):
    """Like `hosts`, for hosts that all tests of a file share. It takes more than a second to start one."""
    with _starter(connection_string) as make:
        yield make


@contextlib.contextmanager
def _starter(connection_string):
    made = []

    def make(root, *arguments, **environment):
        host = RunningHost(Path(root), connection_string, environment, arguments)
        made.append(host)
        return host

    try:
        yield make
    finally:
        for host in made:
            if hasattr(host, "process"):
                host.stop()


@pytest.fixture
def unused_port():
    return free_port()
