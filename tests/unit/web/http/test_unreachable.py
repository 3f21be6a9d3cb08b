"""The error for an unreachable or silent service names its host and nothing that may be secret."""

import asyncio
import socket

import pytest

from shared.errors import Unavailable
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.client import WebRequest
from shared.web.http.session import SessionConfig, Sessions


@pytest.fixture
async def web():
    sessions = Sessions(SessionConfig("test", allow_private_networks=True))
    yield AiohttpWebClient(sessions)
    await sessions.close()


async def test_the_error_for_an_unreachable_service_names_its_host(web):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    request = WebRequest(f"http://127.0.0.1:{port}/hidden?token=hidden", secret_params={"key": "hidden"})
    with pytest.raises(Unavailable) as error:
        await web.send(request)
    assert error.value.detail.startswith("127.0.0.1 could not be reached (")
    assert "hidden" not in error.value.detail


async def test_the_error_for_a_silent_service_names_its_host(web):
    connected = asyncio.Event()

    async def silent(reader, writer):
        connected.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        for seconds in (0.2, 2.0, 20.0):
            with pytest.raises(Unavailable) as error:
                await web.send(WebRequest(f"http://127.0.0.1:{port}/hidden", timeout_seconds=seconds))
            # a busy machine may need more time to connect
            if connected.is_set():
                break
    assert connected.is_set()
    assert error.value.detail == "127.0.0.1 did not answer in time."
