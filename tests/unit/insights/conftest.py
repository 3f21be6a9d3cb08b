"""A log service on loopback, an identity for it, and the app's client of it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from azure.identity.aio import DefaultAzureCredential

from shared.insights.azure_logs import AzureLogs, logs_client
from shared.insights.log_source import log_source
from tests.identity_server import identity_server
from tests.unit.insights.logs_server import LogsServer, logs_server

WORKSPACE = "11111111-2222-3333-4444-555555555555"
RESOURCE = "/subscriptions/sub/resourceGroups/group/providers/microsoft.insights/components/pix"


type Connect = Callable[..., AzureLogs]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LogsServer]:
    async with logs_server(tmp_path) as running:
        yield running


@pytest.fixture
async def identity(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str | None]]:
    async with identity_server(monkeypatch) as asked:
        yield asked


@pytest.fixture
async def credential(identity: list[str | None]) -> AsyncIterator[DefaultAzureCredential]:
    """The chain of credentials, which finds the managed identity."""
    assert identity == []
    async with DefaultAzureCredential() as made:
        yield made


@pytest.fixture
async def connect(server: LogsServer, credential: DefaultAzureCredential) -> AsyncIterator[Connect]:
    """Makes insights for a resource, or by default for a workspace."""
    made: list[AzureLogs] = []

    def connected(resource: str | None = None, endpoint: str = server.url) -> AzureLogs:
        source = log_source(WORKSPACE, resource, endpoint)
        client = logs_client(credential, source.endpoint, connection_verify=str(server.certificate))
        made.append(AzureLogs(client, source))
        return made[-1]

    yield connected
    for logs in made:
        await logs.close()
