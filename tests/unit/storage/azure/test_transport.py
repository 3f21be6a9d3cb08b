"""The connections of the calls to the storage account."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.rest import HttpRequest

from shared.storage.azure.transport import StorageTransport


class Service:
    """Answers every call, and notes the connection of each."""

    def __init__(self):
        app = web.Application()
        app.router.add_post("/", self._answer)
        self.server = TestServer(app)
        self.connections = []

    async def _answer(self, request):
        self.connections.append(request.transport)
        return web.Response()


@pytest.fixture
async def service():
    service = Service()
    async with service.server:
        yield service


async def _call(transport, service):
    await transport.send(HttpRequest("POST", str(service.server.make_url("/"))))


async def test_calls_share_a_connection(service):
    async with StorageTransport() as transport:
        await _call(transport, service)
        await _call(transport, service)

    first, second = service.connections
    assert first is second


async def test_an_idle_connection_is_not_used_again(service):
    async with StorageTransport(idle_seconds=0.01) as transport:
        await _call(transport, service)
        await asyncio.sleep(0.05)
        await _call(transport, service)

    first, second = service.connections
    assert first is not second


async def test_a_closed_transport_makes_no_call(service):
    transport = StorageTransport()
    await _call(transport, service)
    await transport.close()

    with pytest.raises(ValueError, match="closed"):
        await _call(transport, service)
    assert len(service.connections) == 1
