"""Which identity the app uses for its storage account."""

import pytest
from aiohttp import web
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

from shared.settings import Settings
from shared.wiring import App

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
    asked = []

    async def token(request):
        asked.append(request.query.get("client_id"))
        return web.json_response({"access_token": "t", "expires_on": "4102444800", "resource": "r"})

    server = web.Application()
    server.router.add_get("/token", token)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{runner.addresses[0][1]}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret")
    monkeypatch.setenv("AZURE_CLIENT_ID", "of-the-process")
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    for name, value in {"accountName": "a", **section}.items():
        monkeypatch.setenv(f"AzureWebJobsStorage__{name}", value)
    app = App(Settings())
    credential = app.account.credential
    assert type(credential) is kind
    assert app.account.queue_uri == "https://a.queue.core.windows.net"
    await credential.get_token(SCOPE)
    assert asked[-1] == client_id
    await credential.close()
    await runner.cleanup()
