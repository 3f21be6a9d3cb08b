"""Users of one app, on real parts: each has keys of their own, and sees nothing of the others."""

import pytest

from playground.client import ApiClient, ApiError

ABSENT = "0000000000000000"


async def test_users_with_keys_of_their_own_make_datasets_that_others_do_not_see(
    make_stack, gallery, session, tmp_path
):
    stack = make_stack(OPENVERSE_BASE_URL=gallery)
    admin = ApiClient(session, stack.url, stack.api_key)

    async def join(name):
        user = await admin._call("POST", "/api/v1/users", {"name": name})
        key = await admin._call(
            "POST", f"{user['links']['self']}/keys", {"name": "first", "scopes": ["read", "submit"]}
        )
        return user, ApiClient(session, stack.url, key["key"])

    (ann, as_ann), (bob, as_bob) = await join("Ann"), await join("Bob")
    job = await as_ann.submit({"keywords": ["cat"], "max_images_per_label": 5})
    # a user of the tier free may call 60 times a minute
    async for seen in as_ann.follow(job["id"]):
        job = seen
    assert job["state"] == "completed", job
    await as_ann.download(job["id"], tmp_path)
    assert (await as_ann.get("/api/v1/users/profile"))["id"] == ann["id"]

    for path in (
        f"/api/v1/jobs/{job['id']}",
        f"/api/v1/datasets/{job['id']}",
        f"/api/v1/users/{ann['id']}/keys",
    ):
        with pytest.raises(ApiError, match="404"):
            await as_bob.get(path)
        with pytest.raises(ApiError, match="404"):
            await as_bob.get(path.replace(job["id"], "absent").replace(ann["id"], ABSENT))
    for client in (as_bob, admin):
        assert (await client.get("/api/v1/jobs"))["items"] == []
    with pytest.raises(ApiError, match="403"):
        await as_bob.get("/api/v1/users")

    key = (await as_bob.get("/api/v1/users/me/keys"))["items"][0]
    assert (await as_bob._call("DELETE", key["links"]["self"]))["id"] == key["id"]
    with pytest.raises(ApiError, match="401"):
        await as_bob.get("/api/v1/jobs")

    changed = await admin._call("PATCH", ann["links"]["self"], {"tier": "pro"})
    assert changed["tier"] == "pro"
    deleted = await admin._call("DELETE", f"{ann['links']['self']}?datasets=delete")
    assert deleted["status"] == "deleting"
    with pytest.raises(ApiError, match="401"):
        await as_ann.get("/api/v1/jobs")
    await admin.run_function("lifecycle")
    assert {user["id"] for user in (await admin.get("/api/v1/users"))["items"]} == {ann["id"], bob["id"]}
