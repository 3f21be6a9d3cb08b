"""POST → ZIP: the main job on real parts."""

import asyncio
import gzip
import io
import json
import zipfile

import datasets
import pytest
from PIL import Image

from playground.client import ApiClient, ApiError
from playground.verify import verify_zip


async def test_keywords_become_a_dataset_that_readers_accept(make_stack, gallery, session, tmp_path):
    stack = make_stack(OPENVERSE_BASE_URL=gallery, CHUNK_SIZE="30")
    api = ApiClient(session, stack.url, stack.api_key)
    spec = {
        "name": "pets",
        "labels": {"cat": ["cat"], "a/b: ünï": ["coffee"]},
        "max_images_per_label": 20,
        "splits": {"train": 0.8, "test": 0.2},
        "output": {"annotations": ["jsonl", "csv", "txt", "yaml", "coco"]},
    }
    job = await api.submit(spec)
    async for seen in api.follow(job["id"], every_seconds=0.5):
        job = seen
    assert job["state"] == "completed", job
    assert job["progress"]["chunks"]["total"] == job["progress"]["chunks"]["done"] >= 2
    assert job["labels"]["cat"]["kept"] == 20
    assert {"duplicate", "near_duplicate", "too_small", "not_found"} <= set(job["rejections"])

    dataset = await api.get(f"/api/v1/datasets/{job['id']}")
    assert dataset["image_count"] == 40
    assert dataset["splits"] == {"train": 32, "test": 8}
    assert dataset["tier"] == "hot"
    path, sha256 = await api.download(job["id"], tmp_path)
    assert sha256 == dataset["sha256"]
    verify_zip(path, dataset, sha256)
    await asyncio.to_thread(_load_with_hugging_face, path, tmp_path)

    records = (await api.get(f"/api/v1/datasets/{job['id']}/download"))["records"]
    assert records["filename"] == "records.jsonl.gz"
    async with session.get(records["url"]) as response:
        packed = await response.read()
    assert len(packed) == records["size_bytes"]
    rows = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    assert len(rows) == job["progress"]["found"]
    assert {row["reason"] for row in rows if row["outcome"] == "rejected"} == set(job["rejections"])

    await _look_at_the_images(api, dataset["id"])
    listed = await api.get("/api/v1/datasets?limit=1")
    assert [item["id"] for item in listed["items"]] == [job["id"]]
    with pytest.raises(ApiError, match="409"):
        await api._call("POST", f"/api/v1/jobs/{job['id']}/cancel")


async def _look_at_the_images(api, dataset_id):
    """Reads an image, a small one of it, the preview, and an image of the job, as a browser does."""
    page = await api.get(f"/api/v1/datasets/{dataset_id}/images?label=cat&sort=sharpest&limit=3")
    images = page["items"]
    assert [image["label"] for image in images] == ["cat"] * 3
    of_job = (await api.get(f"/api/v1/jobs/{dataset_id}/images"))["items"][0]
    paths = images[0]["links"]["image"], images[0]["links"]["small"], of_job["links"]["small"]
    for path in (*paths, f"/api/v1/datasets/{dataset_id}/preview"):
        Image.open(io.BytesIO(await api.image(path))).load()


def _load_with_hugging_face(path, tmp_path):
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(unpacked)
        cats = {name for name in archive.namelist() if "/cat/" in name}
    loaded = datasets.load_dataset(str(unpacked), cache_dir=str(tmp_path / "cache"))
    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 32, "test": 8}
    labels = [row["label"] for rows in loaded.values() for row in rows]
    assert sorted(set(labels)) == ["a/b: ünï", "cat"]
    assert labels.count("cat") == len(cats) == 20
    for rows in loaded.values():
        for row in rows:
            assert isinstance(row["image"], Image.Image)
            row["image"].load()


async def test_the_records_of_a_job_that_kept_nothing_are_downloaded_by_its_link(
    make_stack, gallery, session
):
    stack = make_stack(OPENVERSE_BASE_URL=gallery)
    api = ApiClient(session, stack.url, stack.api_key)
    job = await api.submit({"keywords": ["cat"], "filters": {"min_width": 16_000}, "max_images_per_label": 3})
    assert "records" not in job["links"]
    with pytest.raises(ApiError, match="404"):
        await api.get(f"/api/v1/jobs/{job['id']}/records/download")
    async for seen in api.follow(job["id"], every_seconds=0.5):
        job = seen
    assert (job["state"], job["error"]["code"]) == ("failed", "no_images")
    records = await api.get(job["links"]["records"])
    async with session.get(records["url"]) as response:
        packed = await response.read()
    assert len(packed) == records["size_bytes"]
    rows = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    assert len(rows) == job["progress"]["found"]
    assert "too_small" in {row["reason"] for row in rows}


async def test_the_api_refuses_with_reasons(make_stack, session):
    stack = make_stack()
    cases = [
        (b"{", 400, None),
        (b"", 400, None),
        (b"[]", 400, ""),
        (b'{"keywords": ["x"], "colour": 1}', 400, "colour"),
        (b'{"keywords": []}', 400, ""),
        (b'{"keywords": "cat"}', 400, "keywords"),
        (b'{"keywords": ["x"], "sources": [{"type": "flickr"}]}', 400, "sources.0"),
        (b'{"keywords": ["x"], "filters": {"min_width": "wide"}}', 400, "filters.min_width"),
        (b'{"keywords": ["x"], "splits": {"train": 0.5}}', 400, "splits"),
        (b'{"keywords": ["x"], "sources": [{"type": "bing"}]}', 400, "sources.0.type"),
        (
            b'{"keywords": ["x"], "sources": [{"type": "blobs", "items": [{"name": "work/x"}]}]}',
            400,
            "sources.0.type",
        ),
        (b'{"sources": [{"type": "urls", "blob": "datasets/job_1/dataset.zip"}]}', 400, "sources.0.blob"),
        (b'{"keywords": ["x"], "webhook_url": "file:///etc/passwd"}', 400, "webhook_url"),
        (b"[" * 100_000, 400, None),
    ]
    for body, status, field in cases:
        async with session.post(
            f"{stack.url}/api/v1/jobs", data=body, headers={"X-API-Key": stack.api_key}
        ) as response:
            problem = await response.json(content_type="application/problem+json")
            assert response.status == problem["status"] == status, (body[:80], problem)
            if field is not None:
                assert any(item["field"] == field for item in problem["errors"]), (body[:80], problem)
    for path, limit in (("jobs", "-1"), ("jobs", "many"), ("datasets", "101")):
        async with session.get(
            f"{stack.url}/api/v1/{path}?limit={limit}", headers={"X-API-Key": stack.api_key}
        ) as response:
            problem = await response.json(content_type="application/problem+json")
            message = f"is '{limit}'; it must be a whole number from 1 to 100"
            assert (response.status, problem["errors"]) == (400, [{"field": "limit", "message": message}])
    for key in (None, "", "wrong", "é"):
        headers = {"X-API-Key": key} if key is not None else {}
        async with session.get(f"{stack.url}/api/v1/jobs", headers=headers) as response:
            assert response.status == 401
    async with session.get(f"{stack.url}/health/live", headers={"X-Correlation-ID": "my-id.1"}) as response:
        assert response.status == 200
        assert response.headers["X-Correlation-ID"] == "my-id.1"
    api = ApiClient(session, stack.url, stack.api_key)
    for path in (
        "/api/v1/jobs/none",
        "/api/v1/datasets/none",
        "/api/v1/datasets/none/download",
        "/api/v1/jobs/a%27b",
    ):
        with pytest.raises(ApiError, match="404"):
            await api.get(path)


async def test_the_same_idempotency_key_is_the_same_job(make_stack, gallery, session):
    stack = make_stack(OPENVERSE_BASE_URL=gallery)
    headers = {"X-API-Key": stack.api_key, "Idempotency-Key": "order-7"}

    async def submit(spec):
        async with session.post(f"{stack.url}/api/v1/jobs", json=spec, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    answers = await asyncio.gather(
        *(submit({"keywords": ["cat"], "max_images_per_label": 3}) for _ in range(4))
    )
    assert sorted(status for status, _ in answers) == [
        200,
        200,
        200,
        201,
    ]  # one makes it, the others repeat it
    assert len({job["id"] for _, job in answers}) == 1
    assert (await submit({"keywords": ["dog"]}))[0] == 409
    headers["Idempotency-Key"] = "k" * 256
    assert (await submit({"keywords": ["cat"]}))[0] == 400  # cut off, two keys could be one


def test_the_photos_are_real():
    from playground.gallery import crop, default_photos

    picture = Image.open(io.BytesIO(crop(default_photos() / "chelsea.png", 1, 90)))
    assert min(picture.size) >= 200
