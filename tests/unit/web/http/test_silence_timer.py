"""The limit of the time without a byte, on connections that are used again and again."""

import asyncio
import functools
import gc
import weakref
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
import pytest
import uvloop

from shared.web.http.head_reader import HeadReader
from shared.web.http.session import SessionConfig, Sessions
from tests.expect import present

_IDLE_SECONDS = 0.5
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"


@dataclass
class _Timer:
    at: float
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self):
        self.cancelled = True


class _TurnedLoop:
    """The running event loop, with a time that only the test changes."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._seconds = 0.0
        self._timers = []

    def __getattr__(self, name):
        return getattr(self._loop, name)

    def time(self):
        return self._seconds

    def call_at(self, at, callback):
        self._timers.append(_Timer(at, callback))
        return self._timers[-1]

    def turn(self, seconds):
        until = self._seconds + seconds
        while due := [timer for timer in self._timers if timer.at <= until]:
            first = min(due, key=lambda timer: timer.at)
            self._timers.remove(first)
            self._seconds = max(self._seconds, first.at)
            if not first.cancelled:
                first.callback()
        self._seconds = until


@asynccontextmanager
async def _served(**pieces):
    """Serves one connection after another.

    It sends a whole answer for `/quick`, and these bytes without an end for other paths.
    """
    connections, loop = [], _TurnedLoop()

    async def serve(reader, writer):
        connections.append(writer)
        try:
            while line := await reader.readline():
                while await reader.readline() not in {b"\r\n", b""}:
                    pass
                path = line.split()[1].decode()
                writer.write(_HEAD + b"abcdef" if path == "/quick" else pieces[path[1:]])
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sessions = Sessions(SessionConfig("test", allow_private_networks=True, idle_seconds=_IDLE_SECONDS))
    reader_in_turned_time: Any = functools.partial(HeadReader, loop=cast("asyncio.AbstractEventLoop", loop))
    present(sessions.get().connector)._factory = reader_in_turned_time
    try:
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with asyncio.timeout(30):
            yield sessions.get(), base, connections, loop
    finally:
        await sessions.close()
        server.close()


async def _read(session, url, **options):
    async with session.get(url, **options) as response:
        return await response.read()


async def _seconds_until_it_ends(loop, asking):
    """Lets time pass until the request ends by the limit. Returns how much has passed."""
    begun, task = loop.time(), asyncio.create_task(asking)
    while not task.done():
        await asyncio.sleep(0.01)
        loop.turn(0.1)
    with pytest.raises(aiohttp.SocketTimeoutError):
        await task
    return loop.time() - begun


async def test_an_answer_may_take_longer_than_the_limit_if_bytes_keep_coming():
    async with _served(slow=_HEAD) as (session, base, connections, loop):
        assert await _read(session, f"{base}/quick") == b"abcdef"
        async with session.get(f"{base}/slow") as response:
            for byte in b"abcdef":
                loop.turn(0.8 * _IDLE_SECONDS)
                connections[0].write(bytes([byte]))
                assert await response.content.readexactly(1) == bytes([byte])
        assert await _read(session, f"{base}/quick") == b"abcdef"
        assert len(connections) == 1


@pytest.mark.parametrize("pieces", [b"", _HEAD[:20], _HEAD, _HEAD + b"abcd"])
async def test_an_answer_that_stops_ends_at_the_limit_also_on_a_connection_that_was_used_before(pieces):
    async with _served(stops=pieces) as (session, base, connections, loop):
        await _read(session, f"{base}/quick")
        loop.turn(_IDLE_SECONDS / 2)
        seconds = await _seconds_until_it_ends(loop, _read(session, f"{base}/stops"))
        assert seconds > 0.9 * _IDLE_SECONDS
        assert len(connections) == 1


async def test_a_connection_without_a_request_stays_open_beyond_the_limit():
    async with _served() as (session, base, connections, loop):
        for _ in range(2):
            assert await _read(session, f"{base}/quick") == b"abcdef"
            loop.turn(2 * _IDLE_SECONDS)
        assert len(connections) == 1


async def test_a_shorter_limit_counts_on_a_connection_with_a_longer_one():
    async with _served(stops=_HEAD) as (session, base, connections, loop):
        await _read(session, f"{base}/quick", timeout=aiohttp.ClientTimeout(sock_read=600))
        assert await _seconds_until_it_ends(loop, _read(session, f"{base}/stops")) < 60
        assert len(connections) == 1


def test_the_timer_can_be_moved_in_its_last_moment_on_the_event_loop_of_the_worker():
    async def move():
        reader = HeadReader(asyncio.get_running_loop())
        # such a short time counts as no time, and the loop returns another kind of handle
        reader.read_timeout = 0.0001
        reader.start_timeout()
        reader.start_timeout()
        async with asyncio.timeout(10):
            with pytest.raises(aiohttp.SocketTimeoutError):
                await reader.read()

    asyncio.run(move(), loop_factory=uvloop.new_event_loop)


async def test_a_connection_that_is_closed_is_not_kept_by_its_timer():
    reader = HeadReader(asyncio.get_running_loop())
    reader.read_timeout = 600
    reader.start_timeout()
    reader.connection_lost(None)
    left = weakref.ref(reader)
    del reader
    gc.collect()
    assert left() is None
