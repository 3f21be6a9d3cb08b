"""A small Hub on loopback: the calls of `huggingface_hub` that make a dataset repository and upload files.

Source of the shapes: `huggingface_hub`, hf_api.py, _commit_api.py and lfs.py.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

TOKEN = "hf_secret"


class Hub(ThreadingHTTPServer):
    """The state of the Hub: one repository, its files, and what was sent with each call."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.token = TOKEN
        self.repository: dict[str, Any] = {}
        self.large: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.card = ""
        self.requests: list[tuple[str, str]] = []
        # an answer to every call, in place of the true ones
        self.answer: tuple[()] | tuple[Any] = ()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        hub = cast("Hub", self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        hub.requests.append((self.path, str(self.headers)))
        signed = self.headers.get("Authorization") == f"Bearer {hub.token}"
        status, answer = (
            _answer(hub, self.path, body) if signed or "/large/" in self.path else (401, {"error": "no"})
        )
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the names that the library calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the library
        """Prints nothing."""


def _answer(hub: Hub, path: str, body: bytes) -> tuple[int, Any]:
    if hub.answer:
        return 200, hub.answer[0]
    path = path.partition("?")[0]
    if path == "/api/repos/create":
        hub.repository = json.loads(body)
        name = f"{hub.repository['organization']}/{hub.repository['name']}"
        return 200, {"url": f"{hub.url}/datasets/{name}", "id": "1", "name": name}
    if path == "/api/validate-yaml":
        hub.card = json.loads(body)["content"]
        return 200, {"errors": [], "warnings": []}
    if path.endswith("/preupload/main"):
        files = json.loads(body)["files"]
        return 200, {"files": [_mode(file["path"]) for file in files]}
    if path.endswith("/info/lfs/objects/batch"):
        return 200, {
            "transfer": "basic",
            "objects": [_large(hub, each) for each in json.loads(body)["objects"]],
        }
    if path.startswith("/large/"):
        assert hashlib.sha256(body).hexdigest() == path.rpartition("/")[2]
        hub.large[path.rpartition("/")[2]] = body
        return 200, {}
    if path.endswith("/tree/main"):
        return 200, [
            {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}  # noqa: S324 - names a file as Git does
            for name, data in sorted(hub.files.items())
        ]
    if path.endswith("/commit/main"):
        for line in body.splitlines():
            _commit(hub, json.loads(line))
        return 200, {
            "commitUrl": f"{hub.url}{path.partition('/commit/')[0].removeprefix('/api')}/commit/1",
            "commitOid": "1",
            "success": True,
            "hookOutput": "",
        }
    return 404, {"error": "no such call"}


def _mode(path: str) -> dict[str, Any]:
    large = path.endswith((".jpg", ".png", ".parquet", ".tar"))
    return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": None}


def _large(hub: Hub, file: dict[str, Any]) -> dict[str, Any]:
    known = file["oid"] in hub.large
    actions = {} if known else {"upload": {"href": f"{hub.url}/large/{file['oid']}", "header": {}}}
    return {**file, "authenticated": True, **({"actions": actions} if actions else {})}


def _commit(hub: Hub, line: dict[str, Any]) -> None:
    value = line["value"]
    if line["key"] == "file":
        hub.files[value["path"]] = base64.b64decode(value["content"])
    elif line["key"] == "lfsFile":
        hub.files[value["path"]] = hub.large[value["oid"]]
    elif line["key"] == "deletedFile":
        del hub.files[value["path"]]


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Runs a Hub."""
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()
