"""A host that dies in the middle of a job loses nothing."""

import asyncio

from playground.client import ApiClient
from playground.verify import verify_zip


async def test_a_job_survives_hosts_that_are_killed(make_stack, gallery, session, tmp_path):
    stack = make_stack(
        message_lease_seconds=4, OPENVERSE_BASE_URL=gallery, CHUNK_SIZE="16", FETCH_CONCURRENCY="1"
    )
    api = ApiClient(session, stack.url, stack.api_key)
    job = await api.submit(
        {"keywords": ["cat", "rocket", "moon"], "dedup": {"exact": True, "near_distance": None}}
    )
    for chunks in (0, 2):  # once at the beginning, and once in the middle
        while True:
            job = await api.get(f"/api/v1/jobs/{job['id']}")
            assert job["state"] not in {"completed", "failed"}
            if job["progress"]["chunks"]["done"] >= chunks:
                break
            await asyncio.sleep(0.02)
        stack.kill_host()
        stack.start_host()
    async for seen in api.follow(job["id"], every_seconds=0.5):
        job = seen
    assert job["state"] == "completed", (job, stack.tail())
    assert {label: counts["found"] for label, counts in job["labels"].items()} == {
        "cat": 58,
        "rocket": 57,
        "moon": 57,
    }
    path, sha256 = await api.download(job["id"], tmp_path)
    verify_zip(path, await api.get(f"/api/v1/datasets/{job['id']}"), sha256)
