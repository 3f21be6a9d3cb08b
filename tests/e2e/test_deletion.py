"""A job and its dataset are deleted over HTTP: gone at once for their user, and from real storage soon after."""

import asyncio

import pytest
from azure.storage.blob import ContainerClient

from playground.client import ApiClient, ApiError
from shared.settings import Settings


def _blobs(stack, job_id):
    container = str(Settings.model_fields["datasets_container"].default)
    with ContainerClient.from_connection_string(stack.azurite.connection_string, container) as client:
        return [name for name in client.list_blob_names() if f"/job_{job_id}/" in name]


async def _until_there_are_only(stack, job_id, *folders):
    for _ in range(300):
        blobs = await asyncio.to_thread(_blobs, stack, job_id)
        if all(name.startswith(folders) for name in blobs):
            return blobs
        await asyncio.sleep(0.1)
    pytest.fail(f"{blobs}: {stack.tail()}")


async def test_a_job_and_its_dataset_are_deleted(make_stack, gallery, session):
    stack = make_stack(OPENVERSE_BASE_URL=gallery)
    api = ApiClient(session, stack.url, stack.api_key)
    job = await api.submit({"keywords": ["cat"], "max_images_per_label": 5})
    async for seen in api.follow(job["id"], every_seconds=0.5):
        job = seen
    assert job["state"] == "completed", stack.tail()
    path, dataset = f"/api/v1/jobs/{job['id']}", f"/api/v1/datasets/{job['id']}"

    await api._call("DELETE", path)
    with pytest.raises(ApiError, match="404"):
        await api.get(path)
    assert (await api.get("/api/v1/jobs"))["items"] == []
    assert (await api.get(dataset))["image_count"] == 5
    # the contact sheet belongs to the dataset
    assert await _until_there_are_only(stack, job["id"], "datasets/", "derived/")
    await api.get(f"{dataset}/download")

    await api._call("DELETE", dataset)
    await api._call("DELETE", dataset)
    for gone in (dataset, f"{dataset}/download"):
        with pytest.raises(ApiError, match="404"):
            await api.get(gone)
    assert (await api.get("/api/v1/datasets"))["items"] == []
    assert await _until_there_are_only(stack, job["id"]) == []
