"""Real pictures, and a server that misbehaves on request."""

import asyncio
import gzip
import io
import struct
import zlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from PIL import Image

from playground.gallery import _crop, default_photos


def encoded(form: str, size: tuple[int, int] = (320, 240), mode: str = "RGB", **options: object) -> bytes:
    with Image.open(default_photos() / "chelsea.png") as opened:
        image = opened.convert("RGB").resize(size).convert(mode)
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size, and little more."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    data = zlib.compress(b"\0" * 1000)
    chunk = b"IDAT" + data
    return head + struct.pack(">I", len(data)) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.fixture(scope="session")
def photo() -> bytes:
    return _crop(default_photos() / "chelsea.png", 1, 90)


class Hostile:
    """What each path does to a crawler; counts the calls."""

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

    async def busy_once(self, _):
        if self.calls["/busy-once"] == 1:
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

    async def noai(self, _):
        return web.Response(body=self.photo, headers={"X-Robots-Tag": "otherbot: noindex, pixcrawler: noai"})

    async def tdm(self, _):
        return web.Response(body=self.photo, headers={"tdm-reservation": "1"})

    async def lying(self, _):
        return web.Response(body=self.photo, headers={"Content-Length": str(10**9)})

    async def cut_off(self, request):
        response = web.StreamResponse(headers={"Content-Length": "100000"})
        await response.prepare(request)
        await response.write(self.photo[:1000])
        request.transport.abort()
        return response

    async def endless(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(400):
            await response.write(b"x" * 65_536)
        return response

    async def dripping(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(200):
            await response.write(b"x")
            await asyncio.sleep(0.1)
        return response

    async def bomb(self, _):
        data = gzip.compress(bytes(60_000_000))
        return web.Response(body=data, headers={"Content-Encoding": "gzip"})


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
