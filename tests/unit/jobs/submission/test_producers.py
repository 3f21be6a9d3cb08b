"""Whose jobs the messages of producers are, and what they see of those that are refused."""

import json
from dataclasses import replace

import pytest

from shared.jobs.job.messages import ARCHIVES_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from shared.users.metrics.activity import active_users, day_of
from shared.users.metrics.shards import SHARDS
from shared.users.tiers import read_tiers
from shared.users.user import Status
from tests.unit.jobs.simulation import Flow

LIST = {"images": ["inputs/cats/1.jpg", "inputs/cats/2.jpg"]}
SPEC = {"keywords": ["cat"], "sources": [{"type": "fake"}]}
TIERS = read_tiers({"free": {"jobs_at_once": 1, "images_per_month": 5000}})
MESSAGES = pytest.mark.parametrize(("queue", "asked"), [(JOBS_QUEUE, SPEC), (ARCHIVES_QUEUE, LIST)])


async def _flow(user_id="admin", *, trusted=False):
    flow = Flow(tiers=TIERS, queue_users=(user_id, trusted))
    for name in ("ann", "bob", "eve"):
        await flow.add_user(name)
    await flow.users.change("eve", lambda user: replace(user, status=Status.DISABLED))
    return flow


async def _send(flow, queue, asked, message="m1"):
    handle = flow.intake.handle_job if queue == JOBS_QUEUE else flow.intake.handle_archive
    await handle(message, json.dumps(asked), flow.deadline())


async def _active(flow):
    today = day_of(flow.clock.now())
    return [
        user_id for shard in range(SHARDS) async for user_id in active_users(flow.entities, today, shard, "")
    ]


async def _jobs(flow, user_id):
    return [(job.state, job.failure) for job in (await flow.jobs.page(user_id)).items]


async def _refusals(flow, user_id):
    return [failure.detail for state, failure in await _jobs(flow, user_id) if state is State.FAILED]


@MESSAGES
@pytest.mark.parametrize("user_id", ["admin", "ann"])
async def test_a_message_is_the_configured_users(queue, asked, user_id):
    flow = await _flow(user_id)
    await _send(flow, queue, asked)
    assert await _jobs(flow, user_id) == [(State.QUEUED, None)]


@MESSAGES
@pytest.mark.parametrize(("user_id", "tier", "active"), [("ann", "free", ["ann"]), ("admin", "admin", [])])
async def test_a_message_is_a_use_of_its_user(queue, asked, user_id, tier, active):
    flow = await _flow(user_id)
    await _send(flow, queue, asked)
    [action] = [item.properties for item in flow.telemetry.named("user_action")]
    assert (action["user_id"], action["user_tier"], action["action"]) == (user_id, tier, "submit_job")
    assert await _active(flow) == active


@MESSAGES
async def test_a_message_that_is_refused_is_no_use(queue, asked):
    flow = await _flow("ann")
    await _send(flow, queue, {**asked, "name": 5})
    assert flow.telemetry.named("user_action") == []
    assert await _active(flow) == []


@MESSAGES
async def test_a_message_names_its_user_if_that_is_trusted(queue, asked):
    flow = await _flow(trusted=True)
    await _send(flow, queue, {**asked, "user_id": "bob"})
    await _send(flow, queue, asked, "m2")
    assert await _jobs(flow, "bob") == await _jobs(flow, "admin") == [(State.QUEUED, None)]


@MESSAGES
async def test_a_message_that_names_a_user_and_is_not_trusted_is_refused(queue, asked):
    flow = await _flow("ann")
    await _send(flow, queue, {**asked, "user_id": "bob"})
    assert await _jobs(flow, "bob") == []
    [detail] = await _refusals(flow, "ann")
    assert "user_id: must not be given" in detail
    assert "QUEUE_MESSAGES_NAME_USERS" in detail


@MESSAGES
@pytest.mark.parametrize("named", ["nobody", "eve", "", "~slots-ann", "a/b", None, 7, ["ann"]])
async def test_a_message_of_nobody_or_of_a_disabled_user_is_refused_for_the_configured_user(
    queue, asked, named
):
    flow = await _flow("ann", trusted=True)
    for _ in range(2):
        await _send(flow, queue, {**asked, "job_id": "mine-1", "user_id": named})
    [detail] = await _refusals(flow, "ann")
    assert "user_id: must be the id of an active user" in detail
    assert (await flow.keys.find("ann", "mine-1")).requested_id == "mine-1"


@MESSAGES
async def test_without_an_active_configured_user_the_administrator_sees_the_refusal(queue, asked):
    flow = await _flow("eve")
    await _send(flow, queue, asked)
    [detail] = await _refusals(flow, "admin")
    assert "QUEUE_USER_ID, eve, is not an active user" in detail
    assert await _jobs(flow, "eve") == []


@MESSAGES
async def test_a_message_over_the_quota_is_a_failed_job_that_tells_limit_and_use(queue, asked):
    flow = await _flow("ann")
    await _send(flow, queue, asked)
    for _ in range(2):
        await _send(flow, queue, {**asked, "job_id": "mine-2"}, "m2")
    [refused] = [job for job in (await flow.jobs.page("ann")).items if job.state is State.FAILED]
    assert refused.failure.code == "quota_exceeded"
    assert "1 of your jobs have not ended; your tier allows 1 at once." in refused.failure.detail
    [first] = [job for job in (await flow.jobs.page("ann")).items if job.state is State.QUEUED]
    await flow.cancel(first)
    await _send(flow, queue, {**asked, "job_id": "mine-2"}, "m3")
    assert (await flow.keys.find("ann", "mine-2")).state is State.QUEUED


async def test_a_poison_message_is_refused_for_the_user_that_it_names():
    flow = await _flow(trusted=True)
    await flow.intake.handle_poisoned_archive("m1", json.dumps({**LIST, "user_id": "bob"}))
    assert len(await _refusals(flow, "bob")) == 1


async def test_a_list_reserves_as_many_images_as_it_has():
    flow = await _flow("ann")
    await _send(flow, ARCHIVES_QUEUE, LIST)
    assert (await flow.usage.look_up("ann", flow.clock.now())).images_reserved == 2
