"""A client that sends to an ingestion server on loopback."""

import pytest

from shared.telemetry.azure_monitor.client import AzureMonitorConfig, AzureMonitorTelemetry
from shared.telemetry.azure_monitor.sender import SenderConfig
from shared.telemetry.connection_string import Destination
from tests.unit.telemetry.ingestion import KEY, ingestion_server


@pytest.fixture
async def ingestion():
    async with ingestion_server() as server:
        yield server


@pytest.fixture
def client():
    def make(url, rate=1.0, make_credential=None, **sender):
        quick = {"interval_seconds": 0.05, "timeout_seconds": 60, "back_off_seconds": 0.02} | sender
        config = AzureMonitorConfig("test", "role", "here", rate, SenderConfig(**quick))
        return AzureMonitorTelemetry(Destination(KEY, url), config, make_credential=make_credential)

    return make
