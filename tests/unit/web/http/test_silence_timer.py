"""The limit of the time without a byte, on connections that are used again and again."""

import asyncio
import gc
import weakref
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvloop

from shared.web.http.head_reader import HeadReader
from shared.web.http.session import SessionConfig, Sessions

_IDLE_SECONDS = 0.5
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"


@asynccontextmanager
async def _served(answers):
    """Serves one connection after another; each path has the pieces of its answer, with a pause after each."""
    connections = []

    async def serve(reader, writer):
        connections.append(writer)
        try:
            while line := await reader.readline():
                while await reader.readline() not in {b"\r\n", b""}:
                    pass
                for piece, pause in answers[line.split()[1].decode()]:
                    writer.write(piece)
                    await asyncio.sleep(pause)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sessions = Sessions(SessionConfig("test", allow_private_networks=True, idle_seconds=_IDLE_SECONDS))
    try:
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield sessions.get(), base, connections
    finally:
        await sessions.close()
        server.close()


_QUICK = [(_HEAD + b"abcdef", 0)]


async def test_an_answer_may_take_longer_than_the_limit_if_bytes_keep_coming():
    pieces = [(_HEAD, 0.1), *((bytes([byte]), 0.1) for byte in b"abcdef")]
    async with _served({"/": pieces, "/quick": _QUICK}) as (session, base, connections):
        for path in ("/quick", "/", "/quick"):
            async with session.get(f"{base}{path}") as response:
                assert await response.read() == b"abcdef"
        assert len(connections) == 1


@pytest.mark.parametrize(
    "pieces", [[(b"", 30)], [(_HEAD[:20], 30)], [(_HEAD, 30)], [(_HEAD, 0.2), (b"abc", 0.2), (b"d", 30)]]
)
async def test_an_answer_that_stops_ends_at_the_limit_also_on_a_connection_that_was_used_before(pieces):
    async with _served({"/": pieces, "/quick": _QUICK}) as (session, base, connections):
        async with session.get(f"{base}/quick") as response:
            await response.read()
        await asyncio.sleep(_IDLE_SECONDS / 2)
        async with asyncio.timeout(10):
            with pytest.raises(aiohttp.SocketTimeoutError):
                async with session.get(base) as response:
                    await response.read()
        assert len(connections) == 1


async def test_a_connection_without_a_request_stays_open_beyond_the_limit():
    async with _served({"/quick": _QUICK}) as (session, base, connections):
        for _ in range(2):
            async with session.get(f"{base}/quick") as response:
                assert await response.read() == b"abcdef"
            await asyncio.sleep(2 * _IDLE_SECONDS)
        assert len(connections) == 1


async def test_a_shorter_limit_counts_on_a_connection_with_a_longer_one():
    async with _served({"/": [(_HEAD, 30)], "/quick": _QUICK}) as (session, base, connections):
        async with session.get(f"{base}/quick", timeout=aiohttp.ClientTimeout(sock_read=600)) as response:
            await response.read()
        async with asyncio.timeout(10):
            with pytest.raises(aiohttp.SocketTimeoutError):
                async with session.get(base) as response:
                    await response.read()
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
