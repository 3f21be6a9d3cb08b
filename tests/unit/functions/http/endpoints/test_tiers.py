"""Datasets are moved, rehydrated and kept over HTTP, by their owners and by administrators."""

from datetime import timedelta

import pytest

from shared.clock import Deadline
from shared.datasets.keeping import Keeping
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.telemetry.recording import RecordingTelemetry
from tests.unit.datasets.made import MADE_AT, made
from tests.unit.functions.http.test_users import make_key, make_user
from tests.unit.manual_clock import ManualClock

SHARDS = tuple(f"datasets/job_j/shards/{number:05}.tar" for number in range(2))
RECORDS = "datasets/job_j/records.jsonl.gz"
CARD = "datasets/job_j/README.md"
HOUR = 3600


@pytest.fixture
def clock(app):
    clock = ManualClock(MADE_AT + timedelta(days=1))
    app.clock = clock
    app.blobs._clock = clock
    return clock


@pytest.fixture
async def ann(app, caller, clock):
    """Ann's calls, with a dataset of hers of two shards."""
    user_id = await make_user(caller)
    _, calls = await make_key(caller, user_id, "read", "submit")
    for name in (*SHARDS, CARD, RECORDS):
        await app.blobs.put(name, b"x")
    dataset = made(user_id=user_id, blobs=(*SHARDS, CARD), keeping=Keeping(tier_changed_at=clock.now()))
    await app.catalog.put(dataset)
    return calls


async def run_messages(app):
    """Handles the messages of the queue as they come, without their delays."""
    for body in app.queues.take(LIFECYCLE_QUEUE):
        await app.task_queue.run(body, Deadline.after(app.clock, 240))


async def archive(app, calls):
    assert (await calls.post("datasets/j/tier", {"tier": "archive"})).status == 202
    await run_messages(app)


async def test_a_dataset_goes_to_a_tier_and_says_so_on_the_way(app, ann, clock):
    moving = await ann.post("datasets/j/tier", {"tier": "cool"})
    assert (moving.status, moving.headers["Location"]) == (202, "/api/v1/datasets/j")
    assert (moving.body["tier"], moving.body["keeping"]["moving_to"]) == ("hot", "cool")
    await run_messages(app)
    clock.advance(HOUR)
    found = (await ann.get("datasets/j")).body
    assert (found["tier"], found["keeping"]["moving_to"]) == ("cool", None)
    assert found["keeping"]["early_deletion_until"] == "2026-04-04T00:00:00Z"
    again = await ann.post("datasets/j/tier", {"tier": "cool"})
    assert again.status == 200


async def test_an_archived_dataset_comes_back_with_the_state_of_each_file(app, ann, clock):
    await archive(app, ann)
    assert (await ann.get("datasets/j")).body["links"]["rehydrate"] == "/api/v1/datasets/j/rehydrate"
    asked = await ann.post("datasets/j/rehydrate", {"priority": "high", "days": 3})
    assert asked.status == 202
    assert asked.body["keeping"]["rehydration"] == {
        "tier": "hot",
        "priority": "high",
        "requested_at": "2026-03-05T00:00:00Z",
        "days": 3,
        "ready_files": None,
        "files": None,
    }
    states = [await _states(ann)]
    await run_messages(app)
    states.append(await _states(ann))
    clock.advance(HOUR)
    states.append(await _states(ann))
    assert states == [(0, {"archived"}), (0, {"rehydrating"}), (2, {"ready"})]
    await run_messages(app)
    found = (await ann.get("datasets/j")).body
    assert (found["tier"], found["keeping"]["rehydration"]) == ("hot", None)
    assert found["keeping"]["online_until"] == "2026-03-08T01:00:00Z"
    assert "rehydrate" not in found["links"]


async def _states(calls):
    rehydration = (await calls.get("datasets/j")).body["keeping"]["rehydration"]
    return rehydration["ready_files"], {file["state"] for file in rehydration["files"]}


async def test_the_records_and_the_card_of_an_archived_dataset_have_links_and_a_notice_explains_the_rest(
    app, ann
):
    await archive(app, ann)
    answered = await ann.get("datasets/j/download")
    assert answered.status == 200
    assert {file["filename"] for file in answered.body["files"] if file["url"]} == {"README.md"}
    assert answered.body["records"]["url"]
    assert "POST /api/v1/datasets/j/rehydrate" in answered.body["notice"]
    redirected = await ann.get("datasets/j/download", "redirect=true&file=1")
    assert redirected.status == 409
    assert "POST /api/v1/datasets/j/rehydrate" in redirected.body["detail"]
    assert (await ann.get("datasets/j")).body["keeping"]["last_download_at"] is None
    moved = await ann.post("datasets/j/tier", {"tier": "hot"})
    assert moved.status == 409
    assert "POST /api/v1/datasets/j/rehydrate" in moved.body["detail"]


async def test_a_download_is_recorded_once_a_day_and_keeps_the_dataset_from_being_archived(ann, clock):
    times = []
    for _ in range(4):
        await ann.get("datasets/j/download")
        times.append((await ann.get("datasets/j")).body["keeping"]["last_download_at"])
        clock.advance(8 * HOUR)
    assert times == ["2026-03-05T00:00:00Z"] * 3 + ["2026-03-06T00:00:00Z"]
    refused = await ann.post("datasets/j/tier", {"tier": "archive"})
    assert (refused.status, refused.body["code"]) == (409, "conflict")
    forced = await ann.post("datasets/j/tier", {"tier": "archive", "even_if_in_use": True})
    assert forced.status == 202


async def test_an_owner_sets_and_takes_away_the_retention(caller, ann):
    kept = await ann.patch("datasets/j", {"retention_days": 365})
    assert (kept.status, kept.body["keeping"]["retention_days"]) == (200, 365)
    left = await ann.patch("datasets/j", {"retention_days": None})
    assert left.body["keeping"]["retention_days"] is None
    assert (await caller.get("audit", "action=change_dataset")).body["items"] == []


async def test_only_an_administrator_sets_and_lifts_a_legal_hold_and_the_audit_trail_has_it(
    app, caller, ann, clock
):
    for value in (True, False):
        refused = await ann.patch("datasets/j", {"legal_hold": value})
        assert (refused.status, refused.body["code"]) == (403, "forbidden")
    held = await caller.patch("datasets/j", {"legal_hold": True, "retention_days": 9})
    assert held.body["keeping"]["legal_hold"]
    assert (await ann.get("datasets/j")).body["keeping"]["legal_hold"]
    owner = await app.catalog.owner("j")
    assert not await app.catalog.may_delete(owner, "j")
    clock.advance(HOUR)
    lifted = await caller.patch("datasets/j", {"legal_hold": False})
    assert not lifted.body["keeping"]["legal_hold"]
    rows = (await caller.get("audit", "action=change_dataset")).body["items"]
    assert [(row["target"], row["detail"], row["outcome"]) for row in rows] == [
        (f"{owner}/j", "legal_hold=false", "done"),
        (f"{owner}/j", "legal_hold=true retention_days=9", "done"),
    ]


async def test_a_dataset_of_another_user_is_changed_by_administrators_only_and_with_a_row_in_the_trail(
    caller, ann
):
    bob = await make_user(caller)
    _, bobs = await make_key(caller, bob, "read", "submit")
    for path, body in (("/tier", {"tier": "cool"}), ("/rehydrate", {})):
        assert (await bobs.post(f"datasets/j{path}", body)).status == 404
        assert (await caller.post(f"datasets/j{path}", body)).status == 404
    for change in ({"retention_days": 1}, {"legal_hold": True}):
        assert (await bobs.patch("datasets/j", change)).status == 404
    assert (await caller.patch("datasets/j", {"retention_days": 30})).status == 200
    assert len((await caller.get("audit", "action=change_dataset")).body["items"]) == 1
    assert (await ann.get("datasets/j")).body["keeping"]["retention_days"] == 30


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/tier", {}, "tier"),
        ("POST", "/tier", {"tier": "warm"}, "tier"),
        ("POST", "/rehydrate", {"tier": "archive"}, "tier"),
        ("POST", "/rehydrate", {"priority": "urgent"}, "priority"),
        ("POST", "/rehydrate", {"days": 0}, "days"),
        ("POST", "/rehydrate", {"days": 366}, "days"),
        ("POST", "/rehydrate", {"days": True}, "days"),
        ("PATCH", "", {"retention_days": 0}, "retention_days"),
        ("PATCH", "", {"retention_days": 36_501}, "retention_days"),
        ("PATCH", "", {"legal_hold": 1}, "legal_hold"),
        ("PATCH", "", {"tier": "hot"}, "tier"),
        ("PATCH", "", {}, ""),
        ("PATCH", "", {"legal_hold": None}, ""),
    ],
)
async def test_wrong_values_are_named(ann, method, path, body, field):
    call = ann.post if method == "POST" else ann.patch
    answered = await call(f"datasets/j{path}", body)
    assert (answered.status, [name for name, _ in answered.errors]) == (400, [field])


async def test_requests_are_reported_as_actions_of_the_user(app, ann):
    app.telemetry = RecordingTelemetry()
    await archive(app, ann)
    await ann.post("datasets/j/rehydrate", {})
    actions = [signal.properties["action"] for signal in app.telemetry.named("user_action")]
    assert actions == ["move_dataset", "rehydrate_dataset"]
