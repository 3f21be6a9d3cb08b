"""One host and one browser for all scenarios of the dashboard.

A scenario is a module beside its test, such as `journey.mjs`: its default function uses the page, and returns facts.
The host is shared, so each test makes its own user with `make_key`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from playground.gallery import Gallery, default_photos
from playground.stack import Stack, running
from tests.e2e.dashboard.driver import Browser, Seen

_SETTINGS = {
    "CRAWL_ALLOW_PRIVATE_NETWORKS": "true",
    "CHUNK_SIZE": "4",
    "ADDRESS_REQUESTS_PER_MINUTE": "1000",
    # as Azure sets it where App Service authentication is on
    "WEBSITE_AUTH_ENABLED": "true",
    "APP_SERVICE_SIGN_IN": "true",
    "SIGN_IN_CREATES_USERS": "true",
}

_FREE_PHOTOS = 8

type MakeKey = Callable[..., Awaitable[str]]
type Use = Callable[..., Awaitable[Seen]]


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("dashboard")
    with running(Stack(folder, settings=_SETTINGS, message_lease_seconds=30)) as started:
        yield started


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    started = Browser()
    yield started
    started.close()


@pytest.fixture
async def gallery_with_gate() -> AsyncIterator[str]:
    """A gallery that sends photo 8 and later ones only after a call of `/open`, so that no job ends before it."""
    is_open = asyncio.Event()

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/open":
            is_open.set()
            return web.Response()
        if int(request.match_info.get("number", 0)) >= _FREE_PHOTOS:
            await is_open.wait()
        return await handler(request)

    app = Gallery(default_photos()).application()
    app.middlewares.append(gate)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    is_open.set()
    await runner.cleanup()


@pytest.fixture
def make_key(stack: Stack, session: aiohttp.ClientSession) -> MakeKey:
    """Makes a user of a tier, and returns a key of that user."""

    async def make(
        name: str = "Ann", *, tier: str = "pro", scopes: tuple[str, ...] = ("read", "submit")
    ) -> str:
        headers = {"X-API-Key": stack.api_key}
        users = f"{stack.url}/api/v1/users"
        async with session.post(users, json={"name": name, "tier": tier}, headers=headers) as answer:
            user = await answer.json()
        body = {"name": "browser", "scopes": scopes}
        async with session.post(f"{users}/{user['id']}/keys", json=body, headers=headers) as answer:
            key: str = (await answer.json())["key"]
        return key

    return make


@pytest.fixture
def use(request: pytest.FixtureRequest, stack: Stack, browser: Browser) -> Use:
    """Runs the scenario of this name beside the test, with what is given to it. It also gets the `url` of the app."""

    async def run(name: str, given: dict[str, Any], options: dict[str, Any] | None = None) -> Seen:
        scenario = Path(request.path).with_name(f"{name}.mjs")
        return await asyncio.to_thread(browser.run, scenario, {"url": stack.url, **given}, options or {})

    return run
