"""Makes the implementations of every protocol: in memory, and on Azurite with a container, table or queue per test."""

import uuid
from collections.abc import AsyncIterator, Mapping

import pytest

from playground.azurite import Azurite
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.blobs import AzureBlobs
from shared.storage.azure.entities import AzureEntities
from shared.storage.azure.queues import AzureQueues
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from tests.contract.stalling_proxy import StallingProxy

IMPLEMENTATIONS = ["memory", "azurite"]
SERVICES = ("blob", "queue", "table")


@pytest.fixture
def unique() -> str:
    return f"t{uuid.uuid4().hex[:16]}"


@pytest.fixture(params=IMPLEMENTATIONS)
async def blobs(request: pytest.FixtureRequest, unique: str) -> AsyncIterator[MemoryBlobs | AzureBlobs]:
    if request.param == "memory":
        yield MemoryBlobs()
        return
    store = AzureBlobs(StorageAccount(request.getfixturevalue("connection_string")), unique)
    yield store
    await store.close()


@pytest.fixture(params=IMPLEMENTATIONS)
async def entities(request: pytest.FixtureRequest) -> AsyncIterator[MemoryEntities | AzureEntities]:
    if request.param == "memory":
        yield MemoryEntities()
        return
    store = AzureEntities(StorageAccount(request.getfixturevalue("connection_string")))
    yield store
    await store.close()


@pytest.fixture(params=IMPLEMENTATIONS)
async def queues(request: pytest.FixtureRequest) -> AsyncIterator[MemoryQueues | AzureQueues]:
    if request.param == "memory":
        yield MemoryQueues()
        return
    sender = AzureQueues(StorageAccount(request.getfixturevalue("connection_string")))
    yield sender
    await sender.close()


@pytest.fixture
async def proxies(azurite: Azurite) -> AsyncIterator[Mapping[str, StallingProxy]]:
    """A proxy before each service of Azurite, by the name of the service."""
    made = {name: StallingProxy(getattr(azurite.ports, name)) for name in SERVICES}
    for proxy in made.values():
        await proxy.start()
    yield made
    for proxy in made.values():
        await proxy.stop()


@pytest.fixture
def proxied_connection(azurite: Azurite, proxies: Mapping[str, StallingProxy]) -> str:
    """A connection string whose services are behind the `proxies`."""
    text = azurite.connection_string
    for name, proxy in proxies.items():
        text = text.replace(f":{getattr(azurite.ports, name)}/", f":{proxy.port}/")
    return text
