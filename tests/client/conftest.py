"""A small app and its storage on loopback, which fail as the test says, and clients that do not wait."""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from pixcrawler import Client
from pixcrawler.commands.app import app as commands

JOB: dict[str, Any] = {
    "id": "a1", "name": "pets", "state": "completed", "revision": 1, "notice": None,
    "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:01:00Z",
    "progress": {"chunks": {"total": 1, "done": 1}, "found": 3, "kept": 2, "rejected": 1},
    "labels": {"cat": {"found": 3, "kept": 2, "rejected": {"too_small": 1}}},
    "rejections": {"too_small": 1}, "problems": [], "problem_count": 0, "error": None, "links": {},
}  # fmt: skip
KEY = "pxc_key"
HOSTILE = "[red]\x1b]0;owned\x07\x1b[2J\u202eevil\x9b31m\r\n[/red]\x7f"
UNSAFE = set("\x1b\x07\x9b\r\u202e\x7f")


@dataclass
class Answer:
    """One answer. `cut` breaks the connection after so many bytes of the body; `drop` gives no answer at all."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    drop: bool = False


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class App:
    """Answers by `answers`, in the order of the list for a path. The last answer of a list stays."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, list[Answer | Callable[[Asked], Answer]]] = {}
        self.url = ""
        self._lock = threading.Lock()

    def on(self, path: str, *answers: Answer | Callable[[Asked], Answer]) -> None:
        self.answers[path] = list(answers)

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            waiting = self.answers.get(asked.path.partition("?")[0])
            if not waiting:
                return problem(404, "not_found", "There is no such thing.")
            found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return found(asked) if callable(found) else found


def problem(status: int, code: str, detail: str, **further: Any) -> Answer:
    return Answer({"status": status, "code": code, "detail": detail, **further}, status)


class StoredFile:
    """Answers range requests on a file. `faults` are taken one by one: bytes after which an answer breaks off."""

    def __init__(self, content: bytes, etag: str = '"1"') -> None:
        self.content = content
        self.etag = etag
        self.faults: list[int] = []

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("if-match", self.etag) != self.etag:
            return Answer(b"", 412)
        [(first_byte, last_byte)] = re.findall(r"^bytes=(\d+)-(\d+)$", asked.headers["range"])
        first, last = int(first_byte), int(last_byte)
        piece = self.content[first : last + 1]
        headers = {
            "Content-Range": f"bytes {first}-{first + len(piece) - 1}/{len(self.content)}",
            "ETag": self.etag,
        }
        return Answer(piece, 206, headers, cut=self.faults.pop(0) if self.faults else None)


def links(app: App, content: bytes, **changes: Any) -> Answer:
    """The links of a dataset with one file, which is at `/blob`."""
    file = {
        "url": f"{app.url}/blob", "filename": "pets.zip", "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(), "part_bytes": None, "parts_sha256": [], **changes,
    }  # fmt: skip
    return Answer({"expires_at": "2026-01-01T01:00:00Z", "files": [file], "records": None, "notice": None})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        app = cast("_Server", self.server).app
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = app.answer(Asked(self.command, self.path, headers, body))
        self.close_connection = answer.drop or answer.cut is not None
        if answer.drop:
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: answer.cut])

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - named by the library

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, app: App) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.app = app

    def handle_error(self, *_: Any) -> None:
        """A client that goes away is no error of the test."""


@pytest.fixture
def app() -> Iterator[App]:
    made = App()
    server = _Server(made)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def waits() -> list[float]:
    """The seconds that the client has waited."""
    return []


@pytest.fixture
def client(app: App, waits: list[float]) -> Iterator[Client]:
    with Client(app.url, KEY, sleep=waits.append) as made:
        yield made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config" / "login.json"


@pytest.fixture
def run(app: App, config: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a command, with the key of the tests in the environment."""
    monkeypatch.setenv("PIXCRAWLER_CONFIG", str(config))
    monkeypatch.setenv("PIXCRAWLER_URL", app.url)
    monkeypatch.setenv("PIXCRAWLER_API_KEY", KEY)
    monkeypatch.setattr("time.sleep", lambda _: None)

    def run(*arguments: str, code: int = 0, stdin: str | None = None) -> Any:
        result = CliRunner().invoke(commands, arguments, input=stdin)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return run
