"""API10:2023 Unsafe Consumption of APIs: what search services answer is trusted no more than what callers send."""

import asyncio
import gzip
import json

import pytest
from aiohttp import web

from shared.errors import AppError
from tests.unit.loopback import asking, serving
from tests.unit.manual_clock import ManualClock
from tests.unit.sources.conftest import RESPONSES
from tests.unit.sources.search.services import KEY, QUERY, every_keyed_service, every_service, opened

FOREIGN = [
    "blob:datasets/job_of-ann/dataset.zip",
    "file:///etc/passwd",
    "data:image/png;base64,AA",
    "//x/1.jpg",
]
BOMB = gzip.compress(b"[" + b" " * 50_000_000 + b"]")


def _json(text: bytes, **headers: str) -> web.Response:
    return web.Response(body=text, headers={"Content-Type": "application/json", **headers})


HOSTILE = {
    "no JSON": lambda: _json(b"<html>"),
    "nested without end": lambda: _json(b"[" * 1_000_000),
    "a number without end": lambda: _json(b'{"results": ' + b"9" * 1_000_000 + b"}"),
    "without end": lambda: _json(b'{"x": "' + b"x" * 9_000_000 + b'"}'),
    "a bomb": lambda: _json(BOMB, **{"Content-Encoding": "gzip"}),
    "no gzip": lambda: _json(b"{}", **{"Content-Encoding": "gzip"}),
    "a circle": lambda: web.Response(status=302, headers={"Location": "/"}),
    "metadata": lambda: web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/"}),
    "a file": lambda: web.Response(status=302, headers={"Location": "file:///etc/passwd"}),
    "an error": lambda: web.Response(status=500, text=f"key={KEY}"),
}


@every_service
@pytest.mark.parametrize("how", HOSTILE)
async def test_api10_a_hostile_answer_is_an_error_of_the_app_within_time_and_memory(name, how):
    async def answer(_):
        return HOSTILE[how]()

    async with serving(answer) as base, asking() as client, asyncio.timeout(20):
        source = opened(name, base, client, ManualClock())
        with pytest.raises(AppError) as caught:
            await anext(source.pages(QUERY, None))
    assert KEY not in caught.value.detail
    assert len(caught.value.detail) < 2_000


@every_service
@pytest.mark.parametrize("address", FOREIGN)
async def test_api10_no_answer_names_a_blob_or_a_file_as_an_image(name, address):
    text = (RESPONSES / f"{name}.json").read_text()
    spoilt = json.loads(
        text, object_hook=lambda found: {key: _spoilt(value, address) for key, value in found.items()}
    )

    async def answer(_):
        return web.json_response(spoilt)

    async with serving(answer) as base, asking() as client:
        page = await anext(opened(name, base, client, ManualClock()).pages(QUERY, None))
    assert page.candidates == ()


def _spoilt(value: object, address: str) -> object:
    return address if isinstance(value, str) and value.startswith(("http://", "https://")) else value


@every_keyed_service
async def test_api10_a_services_key_follows_no_redirect_to_another_origin(name):
    seen = []

    async def catch(request):
        seen.append(str(request.url) + str(dict(request.headers)))
        return web.json_response({})

    async with serving(catch) as elsewhere, asking() as client:

        async def send_on(_):
            return web.Response(status=307, headers={"Location": f"{elsewhere}/x"})

        async with serving(send_on) as base:
            source = opened(name, base, client, ManualClock())
            try:
                await anext(source.pages(QUERY, None))
            except AppError as error:
                assert KEY not in error.detail  # noqa: PT017 - some services' empty answers raise nothing
    assert len(seen) == 1
    assert KEY not in seen[0]
