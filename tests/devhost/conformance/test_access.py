"""Identities of connections, and storage that refuses. Docstrings give the line of the contract."""

import asyncio
import contextlib

import pytest
from aiohttp import web
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

from devhost.connections import Connections
from devhost.settings import StartError
from tests.identity_server import identity_server

SCOPE = "https://storage.azure.com/.default"
QUEUE = """
    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="OTHER")
    def work(msg: func.QueueMessage) -> None:
        note(text=msg.get_body().decode())
"""


@pytest.mark.parametrize(
    ("section", "kind", "client_id"),
    [
        ({}, DefaultAzureCredential, "of-the-process"),
        ({"clientId": "mine"}, DefaultAzureCredential, "mine"),
        ({"credential": "managedidentity"}, ManagedIdentityCredential, None),
        ({"credential": "ManagedIdentity", "clientId": "mine"}, ManagedIdentityCredential, "mine"),
        ({"credential": "", "clientId": ""}, DefaultAzureCredential, "of-the-process"),
    ],
)
async def test_a_connection_names_its_identity(monkeypatch, section, kind, client_id):
    """S13: <name>__credential and <name>__clientId name the identity of a connection; else the default one."""
    settings = {"MINE__accountName": "a", **{f"MINE__{name}": value for name, value in section.items()}}
    async with identity_server(monkeypatch) as asked, contextlib.AsyncExitStack() as stack:
        connections = Connections(settings)
        stack.push_async_callback(connections.close)
        credential = connections.queue("MINE", "q").credential
        assert type(credential) is kind
        await credential.get_token(SCOPE)
        assert asked[-1] == client_id


def test_an_unknown_kind_of_identity_is_an_error_at_start():
    with pytest.raises(StartError, match="MINE__credential is 'magic'; it must be managedidentity"):
        Connections({"MINE__accountName": "a", "MINE__credential": "magic"}).queue("MINE", "q")


async def refusing(status, code):
    """A queue service that answers everything with this error, and an event: that it was asked often."""
    asked = []
    asked_often = asyncio.Event()

    async def refuse(request):
        asked.append(request.path)
        if len(asked) > 3:
            asked_often.set()
        text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>m</Message></Error>'
        return web.Response(
            status=status, text=text, content_type="application/xml", headers={"x-ms-error-code": code}
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/a"
    return (
        runner,
        asked_often,
        f"AccountName=a;AccountKey=a2V5;QueueEndpoint={endpoint};BlobEndpoint={endpoint};",
    )


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (
            403,
            "AuthorizationPermissionMismatch",
            "the identity needs the role Storage Queue Data Contributor",
        ),
        (403, "AuthenticationFailed", "or the key is wrong"),
        (401, "InvalidAuthenticationInfo", "or the key is wrong"),
        (400, "OutOfRangeInput", "cannot be read (HttpResponseError"),
        (409, "Anything", "cannot be read ("),
    ],
)
async def test_a_queue_that_may_not_be_read_ends_the_host(app, hosts, status, code, told):
    """Q25: a poll that is refused otherwise than by 404 or 5xx ends the host, with the reason."""
    runner, _, connection = await refusing(status, code)
    host = hosts(app(QUEUE), OTHER=connection).start()
    assert await asyncio.to_thread(host.process.wait, 30) == 1
    assert f"devhost: The queue {host.queue}" in host.log
    assert told in host.log
    assert "Traceback" not in host.log
    await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "QueueNotFound"), (409, "QueueBeingDeleted"), (409, "QueueDisabled"), (500, "InternalError")],
)
async def test_a_queue_that_is_not_there_or_busy_is_waited_for(app, hosts, status, code):
    runner, asked_often, connection = await refusing(status, code)
    settings = {"extensions": {"queues": {"maxPollingInterval": "00:00:00.200"}}}
    host = hosts(app(QUEUE, host=settings), OTHER=connection).start()
    await asyncio.wait_for(asked_often.wait(), 30)
    assert host.process.poll() is None
    host.stop()
    await runner.cleanup()
