"""The timeline of a job over HTTP: its states, when candidates were fetched, and how its dataset is written."""

from datetime import datetime, timedelta

import pytest

from shared.archiving.writing.part_ledger import PartLedger
from shared.jobs.job.states import MOST_STEPS, State
from shared.jobs.ledger.chunks import Addition
from shared.jobs.ledger.rows import ChunkRow, DiscoveryRow
from shared.jobs.ledger.tally import Tally
from tests.unit.functions.http.description.described import DOCUMENT, flaws

PATH = "/api/v1/jobs/{id}/timeline"


@pytest.fixture
async def job(app, caller):
    made = (await caller.post("jobs", {"keywords": ["cat"]}, X_Correlation_ID="order-7")).body
    return await app.job_data.jobs.require("admin", made["id"])


async def moved(app, job, *states):
    for state in states:
        job = await app.job_data.jobs.save(job.moved(state, app.clock.now()))
    return job


async def finish(app, job, tally):
    ledger = app.job_data.ledger
    row = DiscoveryRow(b"") if (found := await ledger.discovery(job.id)) is None else found
    await ledger.add(job.id, Addition([ChunkRow("000001", "", 3)], found=3), row, app.clock.now())
    chunk = await ledger.chunk(job.id, "000001")
    now = app.clock.now()
    assert await ledger.finish(job.id, chunk, tally, [], now)
    assert not await ledger.finish(job.id, chunk, tally, [], now + timedelta(seconds=99))
    return now


async def test_a_new_job_waits_since_it_was_made(caller, job):
    found = (await caller.get(f"jobs/{job.id}/timeline")).body
    [step] = found["steps"]
    assert (step["state"], step["revision"], step["ended_at"]) == ("queued", 1, None)
    assert datetime.fromisoformat(step["began_at"]) == job.created_at
    assert (found["fetched"], found["plans"], found["correlation_id"]) == ([], [], "order-7")


async def test_each_state_ends_when_the_next_one_begins_over_all_retries(app, caller, job):
    job = await moved(app, job, State.DISCOVERING, State.CRAWLING, State.CANCELLED)
    await caller.post(f"jobs/{job.id}/retry")
    answered = await caller.get(f"jobs/{job.id}/timeline")
    steps = answered.body["steps"]
    assert [(step["revision"], step["state"]) for step in steps] == [
        (1, "queued"),
        (1, "discovering"),
        (1, "crawling"),
        (1, "cancelled"),
        (2, "queued"),
    ]
    assert [step["ended_at"] for step in steps] == [*(step["began_at"] for step in steps[1:]), None]
    schema = DOCUMENT["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert flaws(answered.body, schema) == []


async def test_a_chunk_that_ends_twice_is_counted_once(app, caller, job):
    job = await moved(app, job, State.DISCOVERING)
    ended = await finish(app, job, Tally({"cat": {"kept": 2, "too_small": 1}}))
    found = (await caller.get(f"jobs/{job.id}/timeline")).body
    [span] = found["fetched"]
    assert (span["chunks"], span["kept"], span["rejected"], found["span_seconds"]) == (1, 2, 1, 1)
    assert datetime.fromisoformat(span["began_at"]) == ended.replace(microsecond=0)


async def test_a_plan_says_how_many_slices_are_written_and_when_the_last_one_was(app, caller, job):
    job = await moved(app, job, State.DISCOVERING, State.CRAWLING, State.ARCHIVING)
    parts, planned = PartLedger(app.entities), app.clock.now()
    later = planned + timedelta(seconds=5)
    await parts.open(job.id, "plan", 3, planned)
    opened = await parts.open(job.id, "plan", 3, later)
    await parts.note(opened, {1: b"d" * 32}, later)
    [plan] = (await caller.get(f"jobs/{job.id}/timeline")).body["plans"]
    assert (plan["slices"], plan["written"]) == (3, 1)
    assert datetime.fromisoformat(plan["planned_at"]) == planned
    assert datetime.fromisoformat(plan["moved_at"]) == later


async def test_the_history_of_a_job_that_is_retried_again_and_again_is_bounded(app, caller, job):
    for _ in range(MOST_STEPS):
        job = await moved(app, job, State.CANCELLED)
        job = await app.job_data.jobs.save(job.retried(app.clock.now(), job.origin))
    steps = (await caller.get(f"jobs/{job.id}/timeline")).body["steps"]
    assert len(steps) == MOST_STEPS
    assert (steps[-1]["revision"], steps[-1]["ended_at"]) == (MOST_STEPS + 1, None)
    assert (await app.job_data.jobs.require("admin", job.id)).history == job.history


async def test_the_job_of_a_refused_message_has_its_end_only_and_nothing_of_another_job(app, caller):
    await app.intake.handle_job("message-1", r'{"name": "\ud83d"}', app.deadline())
    found = (await caller.get("jobs/message-1/timeline")).body
    assert [step["state"] for step in found["steps"]] == ["failed"]
    assert (found["fetched"], found["plans"]) == ([], [])


async def test_another_users_job_has_no_timeline(app, caller, job):
    user = (await caller.post("users", {"name": "Ann"})).body
    key = (await caller.post(f"users/{user['id']}/keys", {"name": "k", "scopes": ["read"]})).body["key"]
    other = type(caller)(app, key=key)
    for path in ("timeline", "log"):
        assert (await other.get(f"jobs/{job.id}/{path}")).status == 404
        assert (await other.get(f"jobs/0123456789abcdef01234567/{path}")).status == 404
