"""Which identity the app uses for its storage account."""

import pytest
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

from shared.settings import Settings
from shared.wiring import App
from tests.expect import present
from tests.identity_server import identity_server

SCOPE = "https://storage.azure.com/.default"


@pytest.mark.parametrize(
    ("section", "kind", "client_id"),
    [
        ({}, DefaultAzureCredential, "of-the-process"),
        ({"clientId": "mine"}, DefaultAzureCredential, "mine"),
        ({"credential": "managedidentity"}, ManagedIdentityCredential, None),
        ({"credential": "ManagedIdentity", "clientId": "mine"}, ManagedIdentityCredential, "mine"),
        ({"credential": " ", "clientId": ""}, DefaultAzureCredential, "of-the-process"),
    ],
)
async def test_the_identity_is_the_one_that_the_connection_section_names(
    monkeypatch, section, kind, client_id
):
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    for name, value in {"accountName": "a", **section}.items():
        monkeypatch.setenv(f"AzureWebJobsStorage__{name}", value)
    async with identity_server(monkeypatch) as asked:
        app = App(Settings())
        async with present(app.account.credential) as credential:
            assert type(credential) is kind
            assert app.account.queue_uri == "https://a.queue.core.windows.net"
            await credential.get_token(SCOPE)
            assert asked[-1] == client_id
