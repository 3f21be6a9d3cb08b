"""The development host runs an app that it has never heard of."""

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from playground.azurite import ROOT, die_with_parent

APP = Path(__file__).parent / "apps" / "notes"


class Running:
    def __init__(self, connection, tmp_path):
        self.connection = connection
        self.queue = f"q{uuid.uuid4().hex[:12]}"
        self.seen_file = tmp_path / "seen.jsonl"
        self.seen_file.touch()
        self.start()

    def start(self):
        env = {
            **os.environ,  # noqa: TID251 - a child inherits it
            "AzureWebJobsStorage": self.connection,
            "TARGET_QUEUE": self.queue,
            "SEEN_FILE": str(self.seen_file),
            "AzureFunctionsJobHost__extensions__queues__batchSize": "2",
            "PYTHONPATH": str(ROOT),
        }
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "devhost", "--root", str(APP), "--port", "0", "--message-lease", "2"],
            env=env,
            cwd=APP,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call
        )
        self.banner = ""
        for line in self.process.stdout:
            self.banner += line
            if line.startswith("Listening on"):
                self.port = int(line.rpartition(":")[2])
                return
        raise AssertionError(f"the host did not start: {self.banner}")

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        found = response.status, response.read().decode(), response.headers
        connection.close()
        return found

    def client(self, name=None, **options):
        return QueueClient.from_connection_string(self.connection, name or self.queue, **options)

    def seen(self, count, key="text"):
        for _ in range(200):
            rows = [json.loads(line) for line in self.seen_file.read_text().splitlines()]
            rows = [row for row in rows if key in row]
            if len(rows) >= count:
                return rows
            time.sleep(0.05)
        raise AssertionError(f"{rows} in place of {count}")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture
def host(connection_string, tmp_path):
    running = Running(connection_string, tmp_path)
    yield running
    running.stop()


def test_http_functions_are_routed_as_the_host_does(host):
    assert "echo: [GET,POST]" in host.banner
    status, body, headers = host.call("POST", "/api/echo/Ann/7?a=1&a=2&b=", b"hello", {"X-Test": "t"})
    assert (status, headers["X-Answer"]) == (201, "yes")
    assert json.loads(body) == {
        "method": "POST",
        "params": {"name": "Ann", "number": "7"},
        "query": {"a": "1,2"},
        "body": "hello",
        "header": "t",
    }
    assert host.call("GET", "/api/echo/Ann")[0] == 201
    assert host.call("GET", "/api/echo/Ann7")[0] == 404  # the constraint
    assert host.call("GET", "/api/echo/Ann/x")[0] == 404
    assert host.call("DELETE", "/api/echo/Ann")[0] == 404  # the method
    assert host.call("GET", "/api/files/a/b%20c.txt")[:2] == (200, "a/b c.txt")
    assert host.call("GET", "/api/fail")[:2] == (500, "")
    assert host.call("GET", "/nothing")[0] == 404
    assert "running" in host.call("GET", "/")[1]
    assert host.call("GET", "/admin/host/status")[0] == 200
    names = {item["name"] for item in json.loads(host.call("GET", "/admin/functions")[1])}
    assert names == {"echo", "files", "fail", "fan_out", "work", "poisoned", "yearly"}


def test_a_list_on_an_output_binding_is_many_messages(host):
    assert host.call("POST", "/api/fan-out", json.dumps(["a", '{"k": 1}', "c"]).encode())[0] == 200
    assert sorted(row["text"] for row in host.seen(3)) == ["a", "c", '{"k": 1}']
    with host.client() as client:
        for _ in range(40):
            if client.get_queue_properties().approximate_message_count == 0:
                break
            time.sleep(0.05)
        assert client.get_queue_properties().approximate_message_count == 0


def test_what_always_fails_goes_to_the_poison_queue_after_its_tries(host):
    with host.client(message_encode_policy=TextBase64EncodePolicy()) as client:
        client.create_queue()
        client.send_message("bad")
    assert host.seen(1, "poison") == [{"poison": "bad"}]
    assert [row["count"] for row in host.seen(3)] == [1, 2, 3]


def test_what_cannot_be_decoded_goes_to_the_poison_queue_at_once(host):
    with host.client() as client:
        client.create_queue()
        client.send_message("!! not base64 !!")
        client.send_message(base64.b64encode(b"fine").decode())
    assert [row["text"] for row in host.seen(1)] == ["fine"]


def test_a_message_stays_with_its_function_while_that_runs(host):
    with host.client(message_encode_policy=TextBase64EncodePolicy()) as client:
        client.create_queue()
        client.send_message("slow")  # runs 5 seconds, with a lease of 2
        host.seen(1)
        time.sleep(5.5)
        assert client.get_queue_properties().approximate_message_count == 0
    assert [row["count"] for row in host.seen(1)] == [1]


def test_a_message_of_a_killed_host_comes_back(host):
    with host.client(message_encode_policy=TextBase64EncodePolicy()) as client:
        client.create_queue()
        client.send_message("slow")
    host.seen(1)
    host.process.send_signal(signal.SIGKILL)
    host.process.wait()
    host.process.stdout.close()
    host.start()
    assert [row["count"] for row in host.seen(2)] == [1, 2]


def test_timers_and_queue_functions_can_be_run_by_hand(host):
    assert host.call("POST", "/admin/functions/yearly", b"{}")[0] == 202
    assert host.seen(1, "timer") == [{"timer": False}]
    assert host.call("POST", "/admin/functions/work", b'{"input": "by hand"}')[0] == 202
    assert host.seen(1)[0]["text"] == "by hand"
    assert host.call("POST", "/admin/functions/none", b"{}")[0] == 404
