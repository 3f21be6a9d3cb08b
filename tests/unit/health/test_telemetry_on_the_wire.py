"""The health of telemetry follows what the ingestion service answers."""

import pytest

from shared.health.parts import ask_telemetry
from shared.telemetry.azure_monitor.client import AzureMonitorConfig, AzureMonitorTelemetry
from shared.telemetry.azure_monitor.sender import SenderConfig
from shared.telemetry.connection_string import Destination
from tests.unit.telemetry.ingestion import KEY, ingestion_server, until


@pytest.fixture
async def ingestion():
    async with ingestion_server() as server:
        yield server


@pytest.fixture
def telemetry(ingestion):
    sender = SenderConfig(interval_seconds=0.05, timeout_seconds=60, back_off_seconds=0.02)
    config = AzureMonitorConfig("test", "role", "here", 1.0, sender)
    return AzureMonitorTelemetry(Destination(KEY, ingestion.url), config)


async def test_telemetry_is_degraded_from_a_refusal_until_something_arrives_again(ingestion, telemetry):
    ingestion.answers = [402]
    telemetry.event("one", {}, always=True)
    await telemetry.flush(60)
    found = ask_telemetry(telemetry, [])
    assert found.problem == "Telemetry does not arrive: HTTP 402"
    assert (found.facts["dropped"], found.facts["last_success"]) == (1, None)
    telemetry.event("two", {}, always=True)
    await until(lambda: telemetry.state().last_success)
    found = ask_telemetry(telemetry, [])
    assert (found.problem, found.facts["backlog"], found.facts["dropped"]) == (None, 0, 1)
    assert found.facts["last_success"] is not None
