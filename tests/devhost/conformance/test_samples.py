"""Function apps in the shapes of the public documentation run as they are."""

import contextlib
import json
import shutil
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceExistsError

from tests.devhost.waiting import eventually

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def sample(hosts, tmp_path):
    def start(name):
        shutil.copytree(SAMPLES / name, tmp_path / name)
        return hosts(tmp_path / name).start()

    return start


def test_http_functions_and_blueprints(sample):
    """A1: HTTP functions, and those of blueprints by register_functions."""
    host = sample("blueprints")
    assert host.get("/api/HttpTrigger?name=Ann") == (200, "Hello, Ann.")
    assert host.call("POST", "/api/HttpTrigger", b'{"name": "Bob"}')[1] == "Hello, Bob."
    assert host.get("/api/greet/Carl") == (200, "Good day, Carl")
    assert host.call("POST", "/api/greet/Carl")[0] == 404


def test_queues_in_and_out(sample):
    """A2: queue triggers, queue outputs, and a blob output named by the message."""
    host = sample("queues")
    assert host.get("/api/order?item=lamp") == (200, "ordered")
    container = host.blobs().get_container_client("receipts")
    names = {"lamp 1 of 2.txt", "lamp 2 of 2.txt"}
    eventually(lambda: container.exists() and names <= set(container.list_blob_names()))
    assert container.download_blob("lamp 1 of 2.txt").readall().startswith(b"sent lamp 1 of 2 as ")


def test_blobs_in_and_out(sample):
    """A3: blob input and output bindings with {route} expressions; a blob that is not there is None."""
    host = sample("blobs")
    originals = host.blobs().get_container_client("originals")
    with contextlib.suppress(ResourceExistsError):
        originals.create_container()
    originals.upload_blob("a.bin", bytes(range(256)), overwrite=True)
    assert host.get("/api/copy/a.bin") == (200, "ok")
    copied = host.blobs().get_blob_client("copies", "a.bin").download_blob().readall()
    assert copied == bytes(range(256))
    assert host.get("/api/copy/none.bin")[0] == 404


def test_a_timer(sample):
    """A4: timer functions."""
    host = sample("timer")
    assert "mytimer: timerTrigger 0 */5 * * * *" in host.banner
    host.logged("Python timer trigger function ran at")


def test_an_asgi_app(sample):
    """A5: an ASGI app by AsgiFunctionApp, here FastAPI's."""
    host = sample("fastapi")
    assert json.loads(host.get("/items/7?q=x")[1]) == {"number": 7, "q": "x"}
    assert host.get("/items/12")[0] == 404
    assert host.get("/items/no")[0] == 422
    item = {"name": "lamp", "price": 2.5}
    headers = {"Content-Type": "application/json"}
    status, body, _ = host.call("POST", "/items", json.dumps(item).encode(), headers)
    assert (status, json.loads(body)) == (201, item)


def test_a_wsgi_app(sample):
    """A6: a WSGI app by WsgiFunctionApp, here Flask's."""
    host = sample("flask")
    assert host.get("/hello/Ann?title=Dr") == (200, "Hello Ann, Dr")
    assert host.call("POST", "/echo", b"bytes")[:2] == (202, "bytes")
    assert host.get("/none")[0] == 404
