"""API3:2023 Broken Object Property Level Authorization: calls set and see only what is declared for them."""

import pytest

from tests.unit.functions.http.http_calls import Caller
from tests.unit.functions.http.owasp.people import another_key

OF_JOBS = {
    "id": "mine",
    "job_id": "mine",
    "user_id": "admin",
    "state": "completed",
    "revision": 7,
    "created_at": "2020-01-01T00:00:00Z",
    "tier": "enterprise",
    "images_per_job": 10**9,
}
OF_USERS = {"id": "admin", "subject": "aad|1", "keeps_datasets": True, "created_at": "2020-01-01T00:00:00Z"}
OF_KEYS = {"id": "key000", "digest": "0" * 64, "key": "pxc_mine", "user_id": "admin", "last_used_at": None}


@pytest.mark.parametrize("name", OF_JOBS)
async def test_api3_a_spec_sets_no_property_of_its_job(people, name):
    refused = await people.bob.calls.post("jobs", {"keywords": ["cat"], name: OF_JOBS[name]})
    assert (refused.status, [field for field, _ in refused.errors]) == (400, [name])


@pytest.mark.parametrize("name", OF_USERS)
async def test_api3_not_even_an_administrator_sets_what_the_app_itself_decides_of_a_user(people, name):
    changed = await people.admin.patch(f"users/{people.bob.id}", {"tier": "pro", name: OF_USERS[name]})
    made = await people.admin.post("users", {"name": "Eve", name: OF_USERS[name]})
    for refused in (changed, made):
        assert (refused.status, [field for field, _ in refused.errors]) == (400, [name])
    assert (await people.bob.calls.get("users/profile")).body["tier"] == "free"


@pytest.mark.parametrize("name", OF_KEYS)
async def test_api3_the_maker_of_a_key_does_not_choose_its_id_or_secret(people, name):
    body = {"name": "mine", "scopes": ["read"], name: OF_KEYS[name]}
    refused = await people.bob.calls.post("users/me/keys", body)
    assert (refused.status, [field for field, _ in refused.errors]) == (400, [name])


async def test_api3_a_source_takes_no_blob_from_its_caller(people, dataset):
    forged = {"type": "dataset", "id": dataset, "records_blob": "datasets/job_of-bob/records.jsonl.gz"}
    answered = await people.ann.calls.post("jobs", {"sources": [forged]})
    assert answered.status == 201
    [source] = (await people.app.job_data.jobs.spec(answered.body["id"])).sources
    assert source.records_blob == f"datasets/job_{dataset}/records.jsonl.gz"
    stored = {"type": "blobs", "items": [{"name": f"datasets/job_{dataset}/dataset.zip"}]}
    assert (await people.bob.calls.post("jobs", {"sources": [stored]})).status == 400


async def test_api3_answers_about_keys_have_neither_digests_nor_texts(people):
    other = await another_key(people.ann.calls, "me", "read")
    account = await people.app.accounts.account(people.ann.id)
    answered = await other.get("users/me/keys")
    assert len(answered.body["items"]) == len(account.keys) == 2
    for key in account.keys:
        assert key.digest not in answered.text
    assert people.ann.calls.key not in answered.text


async def test_api3_no_answer_repeats_the_secret_in_a_webhooks_address(people):
    spec = {"keywords": ["cat"], "webhook_url": "https://hooks.example/x?token=very-secret"}
    made = await people.ann.calls.post("jobs", spec)
    seen = [made, await people.ann.calls.get(f"jobs/{made.body['id']}"), await people.ann.calls.get("jobs")]
    seen.append(await people.ann.calls.post(f"jobs/{made.body['id']}/cancel"))
    assert [answered.status for answered in seen] == [201, 200, 200, 200]
    assert not any("very-secret" in answered.text for answered in seen)


async def test_api3_only_administrators_see_how_the_parts_of_the_app_are(people):
    details = {"version", "environment", "platform", "versions", "checks"}
    assert details <= (await people.admin.get("/health")).body.keys()
    for caller in (people.ann.calls, Caller(people.app, "")):
        for path in ("/health", "/health/ready"):
            assert (await caller.get(path)).body.keys() == {"status"}
