"""Somebody who has an API key and no access to storage stores a list, and makes a dataset of it."""

import pytest

from playground.client import ApiClient, ApiError


@pytest.fixture
async def as_ann(make_stack, session):
    """Ann, and the URL of the app."""
    stack = make_stack()
    admin = ApiClient(session, stack.url, stack.api_key)
    user = await admin._call("POST", "/api/v1/users", {"name": "Ann"})
    keys = f"{user['links']['self']}/keys"
    key = (await admin._call("POST", keys, {"name": "first", "scopes": ["read", "submit"]}))["key"]
    return ApiClient(session, stack.url, key), stack.url, {"X-API-Key": key}


async def test_a_list_in_a_body_becomes_a_dataset(as_ann, session, gallery, tmp_path):
    ann, url, key = as_ann
    rows = "".join(f"{gallery}/photos/cat/{number}.jpg,cat\n" for number in range(5))
    headers = {**key, "Content-Type": "text/csv", "Idempotency-Key": "one"}
    for status in (201, 200):
        async with session.post(
            f"{url}/api/v1/lists?name=cats", data=f"url,label\n{rows}".encode(), headers=headers
        ) as response:
            assert response.status == status, await response.text()
            made = await response.json()
    dataset_id, path = await _make_a_dataset(ann, made["blob"], tmp_path)
    async with session.get(
        f"{url}/api/v1/datasets/{dataset_id}/download?redirect=true", headers=key
    ) as response:
        assert [step.status for step in response.history] == [302]
        assert await response.read() == path.read_bytes()
    [listed] = (await ann.get("/api/v1/lists"))["items"]
    assert (listed["id"], listed["name"], listed["state"]) == (made["id"], "cats", "stored")
    assert listed["last_used_at"] is not None
    assert (await ann._call("DELETE", listed["links"]["self"]))["id"] == made["id"]
    with pytest.raises(ApiError, match="404"):
        await ann.get(listed["links"]["self"])
    with pytest.raises(ApiError, match="is not there"):
        await ann.submit(_spec(made["blob"]))


async def test_a_list_that_is_stored_with_a_link_becomes_a_dataset(as_ann, session, gallery, tmp_path):
    ann, _, _ = as_ann
    made = await ann._call("POST", "/api/v1/lists?upload=true&format=txt")
    with pytest.raises(ApiError, match="is not there"):
        await ann.submit(_spec(made["blob"]))
    rows = "".join(f"{gallery}/photos/cat/{number}.jpg\n" for number in range(5)).encode()
    upload = made["upload"]
    async with session.request(
        upload["method"], upload["url"], data=rows, headers=upload["headers"]
    ) as response:
        assert response.status == 201, await response.text()
    async with session.put(upload["url"], data=b"other", headers=upload["headers"]) as response:
        assert response.status == 403
    assert (await ann.get(made["links"]["self"]))["size_bytes"] == len(rows)
    await _make_a_dataset(ann, made["blob"], tmp_path)


async def _make_a_dataset(api, blob, folder):
    job = await api.submit(_spec(blob))
    async for seen in api.follow(job["id"], every_seconds=2):
        job = seen
    assert job["state"] == "completed", job
    assert job["progress"]["found"] == 5
    assert job["progress"]["kept"] >= 1
    path, _ = await api.download(job["id"], folder)
    return job["id"], path


def _spec(blob):
    return {"sources": [{"type": "urls", "blob": blob}]}
