"""Several hosts with one storage share a job, as instances on Azure do, and nothing is done twice."""

import asyncio

import pytest
from aiohttp import web

from playground.client import ApiClient
from playground.gallery import Gallery, default_photos
from playground.verify import verify_zip

FOUND = {"galaxy": 58, "retina": 57}
# of each ten, six crops and a re-encoding are kept; a copy and two broken files are not; of the odd files, a turned
# copy and one with half a colour profile are kept
KEPT = {"galaxy": 44, "retina": 44}
# large files, so that the archive has more than one block, and so several parts
LARGE = {"format": "jpeg", "quality": 100}


@pytest.fixture
async def held_gallery():
    """A gallery that sends no photo until its event is set, so that no host finishes the job alone."""
    sends = asyncio.Event()

    @web.middleware
    async def hold(request, handler):
        if request.path.startswith("/photos/"):
            await sends.wait()
        return await handler(request)

    app = Gallery(default_photos()).application()
    app.middlewares.append(hold)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", sends
    await runner.cleanup()


async def test_two_hosts_crawl_and_archive_one_job_together(make_stack, held_gallery, session, tmp_path):
    gallery, sends = held_gallery
    stack = make_stack(
        OPENVERSE_BASE_URL=gallery,
        CHUNK_SIZE="8",
        FETCH_CONCURRENCY="2",
        FETCH_TIMEOUT_SECONDS="120",
        ARCHIVE_PART_BYTES=str(1 << 20),
    )
    second = stack.start_further_host()
    api = ApiClient(session, stack.url, stack.api_key)
    other = ApiClient(session, second.url, stack.api_key)
    spec = {"keywords": list(FOUND), "transform": LARGE, "dedup": {"exact": True, "near_distance": None}}
    job = await api.submit(spec)
    while not all("Executing 'Functions.crawl_chunk'" in host.log.read_text() for host in stack.hosts):  # noqa: ASYNC110 - the hosts are other processes
        await asyncio.sleep(0.05)
    sends.set()
    async for seen in other.follow(job["id"], every_seconds=0.5):
        job = seen
    assert job["state"] == "completed", (job, stack.tail(), second.tail())
    assert job == await api.get(f"/api/v1/jobs/{job['id']}")
    assert {label: counts["found"] for label, counts in job["labels"].items()} == FOUND
    assert {label: counts["kept"] for label, counts in job["labels"].items()} == KEPT
    dataset = await other.get(f"/api/v1/datasets/{job['id']}")
    assert dataset["image_count"] == sum(KEPT.values())
    path, sha256 = await api.download(job["id"], tmp_path)
    verify_zip(path, dataset, sha256)
    logs = [host.log.read_text() for host in stack.hosts]
    archivings = sum(log.count("Executing 'Functions.archive_dataset'") for log in logs)
    assert archivings >= 3  # a plan, and two parts
