"""A proxy on loopback that loses answers: it hands a request on, reads the answer, and hangs up or says 503."""

import asyncio
import contextlib

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


class LosingProxy:
    """Forwards to a port; `lose` has the next answer lost, with `answer` in its place, or none."""

    def __init__(self, target_port):
        self._target = target_port
        self._server = None
        self._losing = None
        self._tasks = set()
        self.port = 0
        self.requests = 0

    async def start(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def lose(self, answer=b""):
        self._losing, self.requests = answer, 0

    @property
    def lost(self):
        return self._losing is None

    async def _connected(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(self._pump(reader, forth, counted=True), self._pump(back, writer))
        finally:
            for each in (writer, forth):
                each.transport.abort()

    async def _pump(self, source, sink, *, counted=False):
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                if counted:
                    self.requests += data.startswith((b"GET ", b"POST ", b"PUT ", b"DELETE "))
                elif self._losing is not None:
                    data, self._losing = self._losing, None
                    if not data:
                        break
                sink.write(data)
                await sink.drain()
            sink.transport.abort()
