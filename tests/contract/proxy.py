"""A proxy on loopback that forwards bytes in both directions. Tests derive proxies with faults from it."""

import asyncio
import contextlib

from tests.expect import present


class Proxy:
    """Forwards to a port. A derived class may change or drop pieces, and may close the connection."""

    def __init__(self, target_port):
        self._target = target_port
        self._tasks: set[asyncio.Task[object]] = set()
        self.port = 0

    async def start(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def request(self, data):
        """Returns the bytes to send in place of a piece of a request."""
        return data

    def answer(self, data):
        """Returns the bytes to send in place of a piece of an answer, or None to close the connection."""
        return data

    async def _connected(self, reader, writer):
        self._tasks.add(present(asyncio.current_task()))
        back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(
                self._pump(reader, forth, self.request), self._pump(back, writer, self.answer)
            )
        finally:
            for each in (writer, forth):
                each.transport.abort()

    async def _pump(self, source, sink, change):
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                changed = change(data)
                if changed is None:
                    break
                sink.write(changed)
                await sink.drain()
            sink.transport.abort()
