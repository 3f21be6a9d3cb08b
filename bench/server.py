"""`python -m bench.server FOLDER`: serves the JPEGs of a folder from memory, with as little work as possible.

All tools are measured against this server, which runs in its own process. It supports only GET and HEAD, and keeps
connections open.
"""

import asyncio
import sys
from pathlib import Path

_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class _Server(asyncio.Protocol):
    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
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
            answer = self._answers.get(rest.split(b" ", 1)[0], _NOT_FOUND)
            self._transport.write(answer if method == b"GET" else answer.split(b"\r\n\r\n")[0] + b"\r\n\r\n")


def _answers(folder: Path) -> dict[bytes, bytes]:
    answers = {}
    for path in sorted(folder.glob("*.jpg")):
        body = path.read_bytes()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
        answers[f"/{path.name}".encode()] = head.encode() + body
    return answers


async def _serve(answers: dict[bytes, bytes]) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Server(answers), "127.0.0.1", 0, backlog=1024
    )
    print(f"Listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(_answers(Path(sys.argv[1]))))
