"""A proxy on loopback that hands requests on and, while it stalls, no answers back: the connection stays open."""

import asyncio
import contextlib


class StallingProxy:
    """Forwards to a port; what is answered while it is `stalling` never arrives."""

    def __init__(self, target_port):
        self._target = target_port
        self._server = None
        self._tasks = set()
        self.stalling = False
        self.stalled = asyncio.Event()
        self.port = 0

    async def start(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(self._pump(reader, forth), self._pump(back, writer, answers=True))
        finally:
            for each in (writer, forth):
                each.transport.abort()

    async def _pump(self, source, sink, *, answers=False):
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                if answers and self.stalling:
                    self.stalled.set()
                    continue
                sink.write(data)
                await sink.drain()
            sink.transport.abort()
