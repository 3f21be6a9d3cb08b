"""`python -m bench.server FOLDER [COUNT]`: serves JPEGs of a folder from memory, with as little work as possible.

All tools are measured against this server, which runs in its own process. It supports only GET and HEAD, and keeps
connections open. It listens at 127.0.0.1 and, as a list of URLs has images of many hosts, at the addresses of `HOSTS`.
"""

import asyncio
import http.client
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HOSTS = [f"127.0.0.{number}" for number in range(2, 34)]
"""Addresses of the loopback interface, on Linux. The server has one port at all of them."""

_BACKLOG = 1024
_FIRST_DOWNLOAD = b"/first-download"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def urls_on_hosts(base: str, images: Sequence[Path]) -> Sequence[str]:
    """Returns the images' URLs at the server that listens on `base`, each at the next of the hosts."""
    port = base.rsplit(":", 1)[1]
    return [f"http://{HOSTS[n % len(HOSTS)]}:{port}/{image.name}" for n, image in enumerate(images)]


def first_download(base: str) -> float:
    """Returns the monotonic time at which an image was first asked for since the last call of this function."""
    connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", _FIRST_DOWNLOAD.decode())
        return float(connection.getresponse().read())
    finally:
        connection.close()


class _FirstDownload:
    """Notes the monotonic time of the first download."""

    def __init__(self) -> None:
        self._at = 0.0

    def note(self) -> None:
        self._at = self._at or time.monotonic()

    def take(self) -> bytes:
        """Returns an answer with the time, and forgets it."""
        text = f"{self._at}"
        self._at = 0.0
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


class _Server(asyncio.Protocol):
    def __init__(self, answers: dict[bytes, bytes], first: _FirstDownload) -> None:
        self._answers = answers
        self._first = first
        self._pending = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_server always makes a Transport
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while b"\r\n\r\n" in self._pending and self._transport is not None:
            head, self._pending = self._pending.split(b"\r\n\r\n", 1)
            method, _, rest = head.partition(b" ")
            self._transport.write(self._answer(rest.split(b" ", 1)[0], whole=method == b"GET"))

    def _answer(self, path: bytes, *, whole: bool) -> bytes:
        if path == _FIRST_DOWNLOAD:
            return self._first.take()
        answer = self._answers.get(path, _NOT_FOUND)
        if not whole:
            return answer.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
        if answer is not _NOT_FOUND:
            self._first.note()
        return answer


def _answers(folder: Path, count: int | None) -> dict[bytes, bytes]:
    """Returns the answers for all files, or for the first `count`, by path."""
    answers = {}
    for path in sorted(folder.glob("*.jpg"))[:count]:
        body = path.read_bytes()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
        answers[f"/{path.name}".encode()] = head.encode() + body
    return answers


def _listen() -> Sequence[socket.socket]:
    """Returns sockets with the same port at all addresses."""
    sockets = [socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)]
    port = sockets[0].getsockname()[1]
    return sockets + [socket.create_server((host, port), backlog=_BACKLOG) for host in HOSTS]


async def _serve(answers: dict[bytes, bytes]) -> None:
    sockets, first, loop = _listen(), _FirstDownload(), asyncio.get_running_loop()
    for listening in sockets:
        await loop.create_server(lambda: _Server(answers, first), sock=listening, backlog=_BACKLOG)
    print(f"Listening on http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(_answers(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else None)))
