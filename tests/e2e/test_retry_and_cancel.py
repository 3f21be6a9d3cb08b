"""A job that has ended is retried, and a running one is cancelled, over HTTP and with real storage."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from playground.client import ApiClient, ApiError
from playground.gallery import crop, default_photos
from playground.verify import verify_zip


@pytest.fixture
async def moody():
    """A server that is busy at first: it answers `/N` only if N is below `ready`, which a test raises."""
    pictures = [crop(default_photos() / "coffee.png", number, 90) for number in range(12)]
    state: dict[str, Any] = {"ready": 8, "calls": [], "stalls": asyncio.Event()}

    async def picture(request):
        number = int(request.match_info["number"])
        state["calls"].append(number)
        if number >= state["ready"]:
            return web.Response(status=503)
        return web.Response(body=pictures[number % 12], content_type="image/jpeg")

    async def stalls(_request):
        state["stalls"].set()
        await asyncio.sleep(600)

    app = web.Application()
    app.router.add_get("/stalls/{number}", stalls)
    app.router.add_get(r"/{number:\d+}", picture)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    state["base"] = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield state
    await runner.cleanup()


async def _end(api, job):
    async for seen in api.follow(job["id"], every_seconds=0.5):
        job = seen
    return job


async def test_a_retry_fetches_what_failed_and_gives_the_dataset_a_revision(
    make_stack, moody, session, tmp_path
):
    stack = make_stack(CHUNK_SIZE="4", CHUNKS_IN_FLIGHT="2")
    api = ApiClient(session, stack.url, stack.api_key)
    items = [{"url": f"{moody['base']}/{number}", "label": "mug"} for number in range(12)]
    spec = {"sources": [{"type": "urls", "items": items}], "dedup": {"near_distance": None}}
    job = await _end(api, await api.submit(spec))
    assert (job["state"], job["revision"]) == ("completed", 1), stack.tail()
    assert job["labels"]["mug"] == {"found": 12, "kept": 8, "rejected": {"server_error": 4}}

    moody["ready"] = 12
    moody["calls"].clear()
    again = await api._call("POST", job["links"]["retry"])
    assert again["revision"] == 2
    job = await _end(api, again)
    assert (job["state"], job["revision"]) == ("completed", 2), stack.tail()
    assert job["labels"]["mug"] == {"found": 12, "kept": 12, "rejected": {}}
    assert sorted(moody["calls"]) == [8, 9, 10, 11]
    dataset = await api.get(f"/api/v1/datasets/{job['id']}")
    assert (dataset["revision"], dataset["image_count"]) == (2, 12)
    path, sha256 = await api.download(job["id"], tmp_path)
    verify_zip(path, dataset, sha256)
    assert "retry" not in job["links"]  # there is nothing to retry
    with pytest.raises(ApiError, match="409"):
        await api._call("POST", f"{job['links']['self']}/retry")


async def test_a_running_job_is_cancelled_within_seconds_and_says_what_it_has(make_stack, moody, session):
    # one image after the other: when the first address that stalls is called, all images before it are judged
    stack = make_stack(CHUNK_SIZE="12", FETCH_TIMEOUT_SECONDS="300", FETCH_CONCURRENCY="1")
    api = ApiClient(session, stack.url, stack.api_key)
    urls = [f"{moody['base']}/{number}" for number in range(8)]
    urls += [f"{moody['base']}/stalls/{number}" for number in range(4)]
    items = [{"url": url, "label": "mug"} for url in urls]
    job = await api.submit({"sources": [{"type": "urls", "items": items}]})
    with pytest.raises(ApiError, match="409"):
        await api._call("POST", f"/api/v1/jobs/{job['id']}/retry")
    await moody["stalls"].wait()
    cancelled = await api._call("POST", f"/api/v1/jobs/{job['id']}/cancel")
    assert cancelled["state"] == "cancelled"
    for _ in range(300):
        job = await api.get(f"/api/v1/jobs/{job['id']}")
        if job["progress"]["chunks"]["done"]:
            break
        await asyncio.sleep(0.1)
    assert job["state"] == "cancelled"
    assert job["progress"]["kept"] == 8, stack.tail()
    assert "12 candidates were found, 8 processed, and 8 kept" in job["notice"]
