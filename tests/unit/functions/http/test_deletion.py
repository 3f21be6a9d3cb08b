"""DELETE of jobs and datasets: what it answers, and what is found after it."""

from dataclasses import replace

import pytest

from shared.jobs.job.job import Job
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.jobs.job.states import State
from tests.unit.datasets.made import made

ADMIN = "admin"


@pytest.fixture
async def job_id(app, caller):
    """A job that has ended, with a dataset."""
    made_id = (await caller.post("jobs", {"keywords": ["cat"]}, Idempotency_Key="k")).body["id"]
    jobs = app.job_data.jobs
    await jobs.save(replace(await jobs.require(ADMIN, made_id), state=State.COMPLETED))
    await app.catalog.put(made(made_id, ADMIN, created_at=app.clock.now()))
    return made_id


async def ids(caller, path):
    return [item["id"] for item in (await caller.get(path)).body["items"]]


async def test_a_deleted_job_is_not_found_and_in_no_list_and_its_dataset_stays(caller, job_id):
    assert (await caller.delete(f"jobs/{job_id}")).status == 202
    for path in (f"jobs/{job_id}", f"jobs/{job_id}/records", f"jobs/{job_id}/records/download"):
        assert (await caller.get(path)).status == 404
    for action in ("cancel", "retry"):
        assert (await caller.post(f"jobs/{job_id}/{action}")).status == 404
    assert (await ids(caller, "jobs"), await ids(caller, "datasets")) == ([], [job_id])
    assert (await caller.delete(f"jobs/{job_id}")).status == 202


async def test_a_job_is_deleted_with_its_dataset_if_the_call_says_so(caller, job_id):
    assert (await caller.delete(f"jobs/{job_id}", "dataset=all")).status == 400
    assert (await caller.delete(f"jobs/{job_id}", "dataset=delete")).status == 202
    for path in (f"datasets/{job_id}", f"datasets/{job_id}/download"):
        assert (await caller.get(path)).status == 404
    assert (await ids(caller, "jobs"), await ids(caller, "datasets")) == ([], [])


async def test_a_job_without_its_dataset_has_no_links_to_it_and_no_retry(caller, job_id):
    assert (await caller.delete(f"datasets/{job_id}")).status == 202
    job = (await caller.get(f"jobs/{job_id}")).body
    assert job["state"] == "completed"
    assert job["links"].keys().isdisjoint({"dataset", "download", "records", "retry"})
    assert (await caller.get(f"datasets/{job_id}")).status == 404
    assert (await caller.post(f"jobs/{job_id}/retry")).status == 409


async def test_a_job_that_runs_is_refused_with_what_to_do_first(caller):
    job_id = (await caller.post("jobs", {"keywords": ["cat"]})).body["id"]
    refused = await caller.delete(f"jobs/{job_id}")
    assert (refused.status, refused.body["code"]) == (409, "conflict")
    assert "cancel it before" in refused.body["detail"]
    assert (await caller.post(f"jobs/{job_id}/cancel")).status == 200
    assert (await caller.delete(f"jobs/{job_id}")).status == 202


async def test_a_job_that_never_had_files_is_deleted_at_once(app, caller):
    now = app.clock.now()
    await app.job_data.jobs.create_ended(Job("refused", ADMIN, "", State.FAILED, now, now))
    assert (await caller.delete("jobs/refused")).status == 204
    assert (await caller.delete("jobs/refused")).status == 404
    assert app.queues.sent[LIFECYCLE_QUEUE] == []


async def test_what_is_not_there_is_not_found(caller):
    for path in ("jobs/nothing", "datasets/nothing"):
        assert (await caller.delete(path)).status == 404


async def test_a_repeated_call_for_a_job_that_is_being_deleted_is_refused(caller, job_id):
    await caller.delete(f"jobs/{job_id}", "dataset=delete")
    again = await caller.post("jobs", {"keywords": ["cat"]}, Idempotency_Key="k")
    assert again.status == 409
    assert "still being deleted" in again.body["detail"]


async def test_a_spec_that_names_a_deleted_dataset_is_refused(caller, job_id):
    await caller.delete(f"datasets/{job_id}")
    for spec in (
        {"sources": [{"type": "dataset", "id": job_id}]},
        {"keywords": ["cat"], "dedup": {"against": [job_id]}},
    ):
        refused = await caller.post("jobs", spec)
        assert refused.status == 400
        assert [message for _, message in refused.errors] == ["is not the id of a dataset of yours"]
