"""Webhooks over HTTP: a job's deliveries, how to send one again, and the secret that signs them."""

import json

import pytest
from standardwebhooks import Webhook

from shared.clock import Deadline
from shared.jobs.job.messages import JOBS_QUEUE, LIFECYCLE_QUEUE, WEBHOOKS_QUEUE
from shared.jobs.webhooks.call import WebhookCaller
from tests.unit.datasets.made import MADE_AT, made
from tests.unit.functions.http.http_calls import KEY
from tests.unit.functions.http.test_users import NO_SUCH_USER, make_key, make_user, recorded
from tests.unit.jobs.fake_web import FakeWeb
from tests.unit.manual_clock import ManualClock

URL = "https://hooks.example/x?token=very-secret"
SPEC = {"keywords": ["cat"], "webhook_url": URL}


@pytest.fixture
def web(app):
    web = FakeWeb()
    app.webhooks._caller = WebhookCaller(web, app.signing_secrets, app.clock)
    return web


async def _handle(app):
    """Handles the waiting messages of webhooks."""
    for text in app.queues.take(WEBHOOKS_QUEUE):
        await app.webhooks.run(text)


async def _ended(caller):
    """Makes a job that has ended; returns its path. Its webhook is not called yet."""
    made = await caller.post("jobs", SPEC)
    path = f"jobs/{made.body['id']}"
    assert (await caller.post(f"{path}/cancel")).status == 200
    caller.app.queues.take(JOBS_QUEUE)
    await _handle(caller.app)
    return path


async def test_a_job_lists_its_deliveries_with_their_attempts(caller, web):
    web.answers = [503]
    path = await _ended(caller)
    await _handle(caller.app)
    answered = await caller.get(f"{path}/deliveries")
    assert (answered.status, answered.body["next"]) == (200, None)
    [delivery] = answered.body["items"]
    assert delivery["id"] == web.sent[0].headers["webhook-id"]
    assert (delivery["event"], delivery["state"], delivery["attempt_count"]) == (
        "job.cancelled",
        "pending",
        1,
    )
    [attempt] = delivery["attempts"]
    assert (attempt["status"], attempt["error"]) == (503, "It answered with status 503.")
    assert delivery["next_attempt_at"] > attempt["at"]
    job = (await caller.get(path)).body
    assert job["webhook"]["next_attempt_at"] == delivery["next_attempt_at"]
    assert job["links"]["deliveries"] == f"/api/v1/{path}/deliveries"
    assert "very-secret" not in answered.text


async def test_a_delivery_is_sent_again_with_the_same_id_and_body(caller, web):
    path = await _ended(caller)
    await _handle(caller.app)
    [delivery] = (await caller.get(f"{path}/deliveries")).body["items"]
    assert delivery["state"] == "delivered"
    again = await caller.post(delivery["links"]["redeliver"].removeprefix("/api/v1/"))
    assert (again.status, again.body["state"]) == (202, "pending")
    await _handle(caller.app)
    first, second = web.sent
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    [delivery] = (await caller.get(f"{path}/deliveries")).body["items"]
    assert (delivery["state"], delivery["attempt_count"]) == ("delivered", 2)


async def test_a_delivery_that_waits_for_hours_is_sent_at_once_and_its_old_message_does_nothing(caller, web):
    web.answers = [500]
    path = await _ended(caller)
    await _handle(caller.app)
    [waiting] = caller.app.queues.take(WEBHOOKS_QUEUE)
    [delivery] = (await caller.get(f"{path}/deliveries")).body["items"]
    await caller.post(f"{path}/deliveries/{delivery['id']}/redeliver")
    await _handle(caller.app)
    await caller.app.webhooks.run(waiting)
    assert len(web.sent) == 2


async def test_a_delivery_that_is_asked_for_again_and_again_is_sent_once(caller, web):
    path = await _ended(caller)
    await _handle(caller.app)
    [delivery] = (await caller.get(f"{path}/deliveries")).body["items"]
    answers = [await caller.post(f"{path}/deliveries/{delivery['id']}/redeliver") for _ in range(5)]
    assert [answered.status for answered in answers] == [202] * 5
    await _handle(caller.app)
    assert len(web.sent) == 2


async def test_deliveries_are_paged_newest_first(caller, web):
    path = await _ended(caller)
    await _handle(caller.app)
    for _ in range(2):
        assert (await caller.post(f"{path}/retry")).status == 202
        assert (await caller.post(f"{path}/cancel")).status == 200
        await _handle(caller.app)
        await _handle(caller.app)
    page = await caller.get(f"{path}/deliveries", "limit=2")
    rest = await caller.get(*page.body["next"].removeprefix("/api/v1/").split("?"))
    items = [*page.body["items"], *rest.body["items"]]
    sent = [json.loads(request.body)["data"]["revision"] for request in web.sent]
    assert (sent, rest.body["next"]) == ([1, 2, 3], None)
    ids = [request.headers["webhook-id"] for request in web.sent]
    assert [item["id"] for item in items] == ids[::-1]


async def test_an_unknown_delivery_or_job_is_not_found(caller, web):
    web.answers = [410]
    path = await _ended(caller)
    await _handle(caller.app)
    for name in ("msg_none", "disabled", "-disabled"):
        assert (await caller.post(f"{path}/deliveries/{name}/redeliver")).status == 404
    assert (await caller.get("jobs/none/deliveries")).status == 404
    assert (await caller.post("jobs/none/deliveries/msg_none/redeliver")).status == 404


async def test_a_delivery_without_a_url_cannot_be_sent_again(caller):
    made = await caller.post("jobs", SPEC)
    path = f"jobs/{made.body['id']}"
    await caller.app.blobs.delete(f"work/job_{made.body['id']}/spec.json")
    await caller.post(f"{path}/cancel")
    await _handle(caller.app)
    [delivery] = (await caller.get(f"{path}/deliveries")).body["items"]
    assert delivery["state"] == "failed"
    assert (await caller.post(f"{path}/deliveries/{delivery['id']}/redeliver")).status == 409


async def test_a_rehydrated_dataset_is_announced_to_the_webhook_of_its_spec(caller, web):
    app = caller.app
    clock = ManualClock(MADE_AT)
    for part in (app, app.blobs, app.deliveries, app.webhooks, app.webhooks._caller):
        vars(part)["clock" if part is app else "_clock"] = clock
    name = "datasets/job_j/dataset.zip"
    for blob in (name, "datasets/job_j/records.jsonl.gz"):
        await app.blobs.put(blob, b"x")
    await app.catalog.put(made(user_id="admin", blobs=(name,), webhook_url=URL))
    for path, body in (("tier", {"tier": "archive"}), ("rehydrate", {})):
        assert (await caller.post(f"datasets/j/{path}", body)).status == 202
        for _ in range(20):
            for text in app.queues.take(LIFECYCLE_QUEUE):
                await app.task_queue.run(text, Deadline.after(clock, 240))
            clock.advance(3600)
    await _handle(app)
    [event] = [json.loads(request.body) for request in web.sent]
    assert (event["type"], event["data"]["dataset_id"]) == ("dataset.rehydrated", "j")
    assert event["data"]["links"]["download"] == "/api/v1/datasets/j/download"


async def test_a_user_reads_and_rotates_the_secret_that_signs(caller, web):
    user_id = await make_user(caller)
    _, ann = await make_key(caller, user_id, "read", "submit")
    first = await ann.get("users/me/webhook-secret")
    assert (first.status, first.body["old"], first.headers["Cache-Control"]) == (200, [], "no-store")
    assert (await ann.get("users/me/webhook-secret")).body == first.body
    second = await ann.post("users/me/webhook-secret/rotate", {"overlap_hours": 1})
    assert second.body["secret"] != first.body["secret"]
    assert len(second.body["old"]) == 1
    assert first.body["secret"] not in second.text
    await _ended(ann)
    await _handle(ann.app)
    [request] = web.sent
    for secret in (first.body["secret"], second.body["secret"]):
        assert Webhook(secret).verify(request.body, dict(request.headers))["type"] == "job.cancelled"
    third = await ann.post("users/me/webhook-secret/rotate", {"overlap_hours": 0})
    assert third.body["old"] == []


async def test_who_can_only_read_cannot_read_the_secret(caller):
    user_id = await make_user(caller)
    _, ann = await make_key(caller, user_id, "read")
    assert (await ann.get("users/me/webhook-secret")).status == 403
    assert (await ann.post("users/me/webhook-secret/rotate", {})).status == 403


async def test_an_administrator_who_reads_or_rotates_a_users_secret_is_recorded(caller):
    user_id = await make_user(caller)
    before = len(await recorded(caller))
    read = await caller.get(f"users/{user_id}/webhook-secret")
    rotated = await caller.post(f"users/{user_id}/webhook-secret/rotate", {})
    assert (read.status, rotated.status) == (200, 200)
    assert (await recorded(caller))[before:] == [
        ("admin", "read_webhook_secret", user_id, ""),
        ("admin", "rotate_webhook_secret", user_id, "overlap_hours=24"),
    ]
    assert (await caller.get(f"users/{NO_SUCH_USER}/webhook-secret")).status == 404
    assert (await caller.post(f"users/{NO_SUCH_USER}/webhook-secret/rotate", {})).status == 404
    assert await caller.app.signing_secrets.find(NO_SUCH_USER) is None


async def test_the_administrator_of_the_settings_has_a_secret_too(caller):
    assert caller.key == KEY
    read = await caller.get("users/me/webhook-secret")
    assert read.status == 200
    assert (await caller.get("users/admin/webhook-secret")).body == read.body


@pytest.mark.parametrize("hours", [-1, 169, 1.5, "24", None, True])
async def test_an_overlap_is_a_whole_number_of_hours_up_to_a_week(caller, hours):
    answered = await caller.post("users/me/webhook-secret/rotate", {"overlap_hours": hours})
    assert (answered.status, [field for field, _ in answered.errors]) == (400, ["overlap_hours"])
