"""Several hosts with one storage share a job, as instances on Azure do, and nothing is done twice."""

import pytest

from playground.client import ApiClient
from playground.gallery import default_photos, start_gallery
from playground.verify import verify_zip

FOUND = {"galaxy": 58, "retina": 57}
# of each ten, six crops and a re-encoding are kept; a copy and two broken files are not; of the odd files, a turned
# copy and one with half a colour profile are kept
KEPT = {"galaxy": 44, "retina": 44}
# large files, so that the archive has more than one block, and so several parts
LARGE = {"format": "jpeg", "quality": 100}


@pytest.fixture
async def slow_gallery():
    """So slow that no host finishes the job before the other one has polled the queue."""
    runner, base = await start_gallery(default_photos(), delay_seconds=0.1)
    yield base
    await runner.cleanup()


async def test_two_hosts_crawl_and_archive_one_job_together(make_stack, slow_gallery, session, tmp_path):
    stack = make_stack(
        OPENVERSE_BASE_URL=slow_gallery,
        CHUNK_SIZE="8",
        FETCH_CONCURRENCY="2",
        ARCHIVE_PART_BYTES=str(1 << 20),
    )
    second = stack.start_further_host()
    api = ApiClient(session, stack.url, stack.api_key)
    other = ApiClient(session, second.url, stack.api_key)
    spec = {"keywords": list(FOUND), "transform": LARGE, "dedup": {"exact": True, "near_distance": None}}
    job = await api.submit(spec)
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
    assert all("Executing 'Functions.crawl_chunk'" in log for log in logs)
    archivings = sum(log.count("Executing 'Functions.archive_dataset'") for log in logs)
    assert archivings >= 3  # a plan, and two parts
