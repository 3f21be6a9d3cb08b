"""A repeated call to submit a job is answered with its job, also when its spec would be refused by now."""

from dataclasses import replace

import pytest

from shared.datasets.dataset import Dataset
from shared.storage.blobs import Tier

KEY = {"Idempotency_Key": "k"}
DATA = b"url\nhttps://example.org/1.jpg\n"


async def _stored_list(caller):
    made = await caller.post("lists", DATA, Content_Type="text/csv")
    return made.body["id"], {"sources": [{"type": "urls", "blob": made.body["blob"]}]}


@pytest.fixture
async def dataset(app):
    made = Dataset(
        id="of-admin",
        user_id="admin",
        name="cats",
        created_at=app.clock.now(),
        image_count=1,
        size_bytes=1,
        format="zip",
        tier=Tier.HOT,
        blobs=("datasets/job_of-admin/dataset.zip",),
        records_blob="datasets/job_of-admin/records.jsonl.gz",
        counts={},
        splits={},
    )
    await app.catalog.put(made)
    return made


async def test_a_call_whose_list_is_deleted_by_now_is_answered_with_its_job(caller):
    list_id, spec = await _stored_list(caller)
    first = await caller.post("jobs", spec, **KEY)
    await caller.delete(f"lists/{list_id}")
    again = await caller.post("jobs", spec, **KEY)
    assert (first.status, again.status, again.body["id"]) == (201, 200, first.body["id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await caller.post("jobs", {**spec, "name": "other"}, **KEY)
    assert (other.status, other.body["code"]) == (409, "conflict")
    new = await caller.post("jobs", spec, Idempotency_Key="another")
    assert (new.status, [field for field, _ in new.errors]) == (400, ["sources.0.blob"])


async def test_a_call_whose_dataset_is_deleted_by_now_is_answered_with_its_job(caller, dataset):
    spec = {"sources": [{"type": "dataset", "id": dataset.id}]}
    first = await caller.post("jobs", spec, **KEY)
    assert (await caller.delete(f"datasets/{dataset.id}")).status == 202
    again = await caller.post("jobs", spec, **KEY)
    assert (first.status, again.status, again.body["id"]) == (201, 200, first.body["id"])
    assert (await caller.post("jobs", spec)).status == 400


async def test_a_call_is_the_same_though_its_dataset_has_a_new_revision(app, caller, dataset):
    spec = {"sources": [{"type": "dataset", "id": dataset.id}]}
    first = await caller.post("jobs", spec, **KEY)
    await app.catalog.put(
        replace(dataset, revision=2, records_blob="datasets/job_of-admin/r2/records.jsonl.gz")
    )
    again = await caller.post("jobs", spec, **KEY)
    assert (first.status, again.status, again.body["id"]) == (201, 200, first.body["id"])


async def test_a_refused_call_is_refused_again_until_its_list_is_there(caller):
    made = (await caller.post("lists", b"", "upload=true&format=csv")).body
    spec = {"sources": [{"type": "urls", "blob": made["blob"]}]}
    for _ in range(2):
        assert (await caller.post("jobs", spec, **KEY)).status == 400
    await caller.app.blobs.put(made["blob"], DATA)
    assert (await caller.post("jobs", spec, **KEY)).status == 201


async def test_a_list_counts_as_used_when_a_job_is_submitted_and_not_when_its_spec_is_validated(caller):
    list_id, spec = await _stored_list(caller)
    assert (await caller.post("specs/validate", spec)).status == 200
    assert (await caller.get(f"lists/{list_id}")).body["last_used_at"] is None
    assert (await caller.post("jobs", spec)).status == 201
    assert (await caller.get(f"lists/{list_id}")).body["last_used_at"] is not None


async def test_a_spec_with_a_list_that_is_not_there_is_no_better_when_it_is_validated(caller):
    made = (await caller.post("lists", b"", "upload=true&format=csv")).body
    spec = {"sources": [{"type": "urls", "blob": made["blob"]}]}
    validated, submitted = await caller.post("specs/validate", spec), await caller.post("jobs", spec)
    assert validated.status == submitted.status == 400
    assert validated.errors == submitted.errors
