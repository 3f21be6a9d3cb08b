"""The app calls Azure AI Vision at the address that the operator has set, with its own identity."""

import numpy as np
import pytest
from pydantic import ValidationError

from shared.settings import Settings
from shared.telemetry.recording import RecordingTelemetry
from shared.wiring import App
from tests.identity_server import identity_server
from tests.unit.loopback import serving
from tests.unit.scoring.azure_vision.conftest import VisionServer

ACCOUNT = {"AzureWebJobsStorage__accountName": "pix", "AzureWebJobsStorage__credential": "managedidentity"}


@pytest.fixture
def on_azure(monkeypatch):
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("on_azure")
async def test_relevance_is_measured_with_a_token_of_the_identity_and_each_call_is_reported(monkeypatch):
    server = VisionServer(tokens={"t"})
    async with identity_server(monkeypatch), serving(server.answer) as endpoint:
        app = App(Settings(relevance_model="azure-vision", azure_vision_endpoint=f"{endpoint}/"))
        telemetry = RecordingTelemetry()
        app.__dict__["telemetry"] = telemetry
        assert app.relevance is not None
        assert app.relevance.scorer_name == "azure-ai-vision-2023-04-15"
        vector = await app.relevance.embed(np.zeros((40, 40, 3), np.uint8))
        assert -1 <= await app.relevance.measure(vector, "cat") <= 1
        await app.credential.close()
        await app.operators_sessions.close()
    assert [call.path.rpartition(":")[2] for call in server.asked] == ["vectorizeImage", "vectorizeText"]
    assert {call.headers["User-Agent"] for call in server.asked} == {app.settings.user_agent}
    assert [signal.properties["target"] for signal in telemetry.signals] == ["127.0.0.1"] * 2


def test_the_model_needs_an_address_and_a_token_is_not_sent_without_encryption():
    with pytest.raises(ValidationError, match="AZURE_VISION_ENDPOINT"):
        Settings(relevance_model="azure-vision")
    with pytest.raises(ValidationError, match="https"):
        Settings(azure_vision_endpoint="http://vision.cognitiveservices.azure.com")
    for local in ("http://127.0.0.1:9", "http://localhost:9", "https://v.cognitiveservices.azure.com/"):
        assert Settings(azure_vision_endpoint=local).azure_vision_endpoint == local
