"""Real pictures, and a server that misbehaves on request."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from playground.gallery import crop, default_photos
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.fetching.fetch_config import FetchConfig, Timing
from shared.crawling.image_checks import ImageChecks
from shared.crawling.worker import ChunkWorker, WorkerConfig
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.session import SessionConfig, Sessions
from shared.web.wishes.host_wishes import HostWishes
from tests.unit.crawling.fetching.asking import BUDGET, PATIENT
from tests.unit.in_memory import runtime_of

GZIP_BOMB = gzip.compress(bytes(60_000_000))
DEFLATE_BOMB = zlib.compress(bytes(60_000_000))


@pytest.fixture(scope="session")
def photo() -> bytes:
    return crop(default_photos() / "chelsea.png", 1, 90)


class Hostile:
    """Serves one misbehaviour for each path, and counts the calls."""

    def __init__(self, photo: bytes) -> None:
        self.photo = photo
        self.calls: dict[str, int] = {}
        self.robots = "User-agent: *\nDisallow: /private/\n"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.calls[path] = self.calls.get(path, 0) + 1
        name = path.strip("/").replace("-", "_").replace("/", "_").replace(".", "_")
        handler = getattr(self, name, None)
        return await handler(request) if handler else web.Response(status=404)

    async def robots_txt(self, _):
        return web.Response(text=self.robots)

    async def ok(self, _):
        return web.Response(body=self.photo, content_type="text/html")

    async def private_ok(self, _):
        return web.Response(body=self.photo)

    async def empty(self, _):
        return web.Response(body=b"")

    async def forbidden(self, _):
        return web.Response(status=403)

    async def broken(self, _):
        return web.Response(status=500)

    async def busy(self, _):
        return web.Response(status=408)

    async def early(self, _):
        return web.Response(status=425)

    async def slow_down(self, _):
        return web.Response(status=429)

    async def unbuilt(self, _):
        return web.Response(status=501)

    async def busy_once(self, _):
        if self.calls["/busy-once"] % 2:
            return web.Response(status=503, headers={"Retry-After": "0"})
        return web.Response(body=self.photo)

    async def throttled(self, _):
        return web.Response(status=429, headers={"Retry-After": "3600"})

    async def loop(self, _):
        return web.Response(status=302, headers={"Location": "/loop"})

    async def to_file(self, _):
        return web.Response(status=302, headers={"Location": "file:///etc/passwd"})

    async def moved(self, _):
        return web.Response(status=301, headers={"Location": "/ok#fragment"})

    async def moved_twice(self, _):
        return web.Response(status=301, headers={"Location": "/moved"})

    async def noai(self, _):
        return web.Response(body=self.photo, headers={"X-Robots-Tag": "otherbot: noindex, pixcrawler: noai"})

    async def tdm(self, _):
        return web.Response(body=self.photo, headers={"tdm-reservation": "1"})

    async def bomb(self, _):
        return web.Response(body=GZIP_BOMB, headers={"Content-Encoding": "gzip"})

    async def deflate_bomb(self, _):
        return web.Response(body=DEFLATE_BOMB, headers={"Content-Encoding": "deflate"})

    async def gzipped(self, _):
        return web.Response(body=gzip.compress(self.photo), headers={"Content-Encoding": "gzip"})

    async def deflated(self, _):
        return web.Response(body=zlib.compress(self.photo), headers={"Content-Encoding": "deflate"})

    async def cookie(self, request):
        if request.cookies:
            return web.Response(status=400)
        answer = web.Response(body=self.photo)
        answer.set_cookie("id", "1")
        return answer

    async def dripping(self, request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x")
            await asyncio.sleep(0.05)

    async def reserved_ok(self, _):
        return web.Response(body=self.photo)

    async def _well_known_tdmrep_json(self, _):
        return web.json_response([{"location": "/reserved", "tdm-reservation": 1}])

    async def to_metadata(self, _):
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})

    async def to_private(self, _):
        return web.Response(status=307, headers={"Location": "http://10.0.0.1/x.jpg"})

    async def to_robots_denied(self, _):
        return web.Response(status=302, headers={"Location": "/private/ok"})


@pytest.fixture
async def make_fetcher():
    """Makes fetchers, and closes their sessions at the end."""
    opened: list[Sessions] = []

    def make(config=PATIENT, *, allow_private=True, timing=None, idle_seconds=10.0) -> Fetcher:
        sessions = Sessions(SessionConfig("test", allow_private, idle_seconds=idle_seconds))
        opened.append(sessions)
        web = AiohttpWebClient(sessions)
        return Fetcher(sessions, HostWishes.over(web), ByteBudget(BUDGET), config, timing or Timing())

    yield make
    for sessions in opened:
        await sessions.close()


@pytest.fixture
async def hostile(photo: bytes) -> AsyncIterator[tuple[Hostile, str]]:
    state = Hostile(photo)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", state.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield state, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def make_worker():
    async with AsyncExitStack() as stack:

        def make(blobs, optouts=None, models=None):
            sessions = Sessions(SessionConfig("test", allow_private_networks=True))
            stack.push_async_callback(sessions.close)
            budget = ByteBudget(8_000_000)
            config = FetchConfig(first_pause_seconds=0.01)
            web = AiohttpWebClient(sessions)
            fetcher = Fetcher(sessions, HostWishes.over(web), budget, config)
            worker = ChunkWorker(
                fetcher, budget, blobs, runtime_of(), WorkerConfig(8, 2), ImageChecks(optouts, models)
            )
            stack.push_async_callback(worker.close)
            return worker

        yield make
