"""The screenshots in README and docs are made of the real page. `make screenshots` stores them in docs/images."""

from pathlib import Path

import pytest
from aiohttp import web

from playground.client import ApiClient
from tests.e2e.dashboard.screenshots import SHOTS, check, convert, items, photos

_NAME = "Eight subjects"


@pytest.fixture
async def photo_server():
    runner = web.AppRunner(photos(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
def folder(request, tmp_path):
    """The folder of the option, or else one that is thrown away."""
    option = request.config.getoption("--screenshots")
    return Path(option) if option else tmp_path / "images"


async def test_the_screenshots_show_the_page_with_real_photos(
    stack, session, make_key, use, photo_server, folder, tmp_path
):
    key = await make_key()
    api = ApiClient(session, stack.url, key)
    job = await api.submit(
        {
            "name": _NAME,
            "sources": [{"type": "urls", "items": [*items(photo_server)]}],
            "filters": {"min_width": 64, "min_height": 64},
            "splits": {"train": 0.8, "val": 0.1, "test": 0.1},
        }
    )
    async for seen in api.follow(str(job["id"])):
        job = seen
    assert job["state"] == "completed"
    preview = tmp_path / "preview.jpg"
    preview.write_bytes(await api.image(f"/api/v1/datasets/{job['id']}/preview"))
    shots = [
        {
            "view": shot.view,
            "width": shot.size[0],
            "height": shot.size[1],
            "scheme": shot.scheme,
            "path": str(tmp_path / f"{Path(shot.name).stem}.png"),
        }
        for shot in SHOTS
    ]
    await use("screenshots", {"key": key, "id": job["id"], "name": _NAME, "shots": shots})
    folder.mkdir(exist_ok=True, parents=True)
    convert(preview, folder)
    for shot in SHOTS:
        check(shot, convert(tmp_path / f"{Path(shot.name).stem}.png", folder))
