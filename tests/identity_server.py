"""A managed identity's token endpoint on loopback."""

import contextlib

from aiohttp import web


@contextlib.asynccontextmanager
async def identity_server(monkeypatch, token="t"):
    """Sets the endpoint in the environment; yields the client ids for which tokens were requested.

    Every request gets the same `token`.
    """
    asked = []

    async def answer(request):
        asked.append(request.query.get("client_id"))
        return web.json_response({"access_token": token, "expires_on": "4102444800", "resource": "r"})

    app = web.Application()
    app.router.add_get("/token", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{runner.addresses[0][1]}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        monkeypatch.setenv("AZURE_CLIENT_ID", "of-the-process")
        yield asked
    finally:
        await runner.cleanup()
