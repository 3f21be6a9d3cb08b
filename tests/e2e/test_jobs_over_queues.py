"""Producers that know only the storage account have the same rights as callers of the HTTP API."""

import asyncio
import io
import json
import zipfile

from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from playground.gallery import crop, default_photos

CONTAINER = "pixcrawler-datasets"


async def _put(stack, queue, text, policy=None):
    options = {"message_encode_policy": policy} if policy else {}
    async with QueueClient.from_connection_string(
        stack.azurite.connection_string, queue, **options
    ) as client:
        await client.send_message(text)


async def _datasets(stack, count):
    """Returns the dataset blobs with their tags and metadata, once there are so many."""
    async with BlobServiceClient.from_connection_string(stack.azurite.connection_string) as service:
        container = service.get_container_client(CONTAINER)
        for _ in range(600):
            names = [b.name async for b in container.list_blobs("datasets/") if b.name.endswith(".zip")]
            if len(names) >= count:
                break
            await asyncio.sleep(0.1)
        found = {}
        for name in names:
            blob = container.get_blob_client(name)
            data = await (await blob.download_blob()).readall()
            found[name] = (data, await blob.get_blob_tags(), (await blob.get_blob_properties()).metadata)
        return found


async def test_specs_and_image_lists_on_the_queues_become_datasets(make_stack, gallery):
    stack = make_stack(OPENVERSE_BASE_URL=gallery)
    spec = json.dumps({"keywords": ["cat"], "max_images_per_label": 5})
    await _put(stack, "crawl-jobs", spec)
    await _put(stack, "crawl-jobs", spec, TextBase64EncodePolicy())
    async with BlobServiceClient.from_connection_string(stack.azurite.connection_string) as service:
        container = service.get_container_client(CONTAINER)
        for number in range(3):
            data = crop(default_photos() / "coffee.png", number, 90)
            await container.upload_blob(f"inputs/mugs/{number}.jpg", data, overwrite=True)
        await container.upload_blob("inputs/mugs/broken.jpg", b"no picture", overwrite=True)
    images = [f"inputs/mugs/{name}.jpg" for name in ("0", "1", "2", "broken", "missing")]
    await _put(stack, "dataset-archives", json.dumps({"job_id": "mine-1", "images": images}))

    found = await _datasets(stack, 3)
    assert len(found) == 3, stack.tail()
    data, tags, metadata = found["datasets/job_mine-1/dataset.zip"]
    assert tags == {"project": "pixcrawler", "type": "dataset", "job_id": "mine-1"}
    assert metadata["image_count"] == "3"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert len([name for name in archive.namelist() if name.startswith("train/mugs/")]) == 3


async def test_what_cannot_be_a_job_shows_as_a_failed_one(make_stack, session):
    stack = make_stack()
    bad = [
        "no json at all",
        '{"job_id": "mine-1", "keywords": ["x"], "colour": 1}',
        '{"keywords": []}',
        "[1]",
    ]
    for text in bad:
        await _put(stack, "crawl-jobs", text)
    await _put(stack, "crawl-jobs", '{"v": 1, "user_id": "admin"}')  # nobody's: it is dropped
    await _put(stack, "dataset-archives", '{"job_id": "../x", "images": ["a.jpg"]}')
    for text in ("{}", "nonsense"):
        await _put(stack, "crawl-chunks", text)
    from playground.client import ApiClient

    api = ApiClient(session, stack.url, stack.api_key)
    jobs = []
    for _ in range(600):
        jobs = (await api.get("/api/v1/jobs"))["items"]
        if len(jobs) == 5:
            break
        await asyncio.sleep(0.1)
    assert [job["state"] for job in jobs] == ["failed"] * 5, stack.tail()
    assert {job["error"]["code"] for job in jobs} == {"invalid_message"}
    assert any("colour" in job["error"]["detail"] for job in jobs)
    refused = await api.get("/api/v1/jobs/mine-1")
    assert (refused["requested_id"], refused["id"] == "mine-1") == ("mine-1", False)
    assert await api.get(f"/api/v1/jobs/{refused['message_id']}") == refused
    assert all(job["message_id"] for job in jobs)
