"""Specs that cannot work are refused when they are submitted."""

import asyncio
import contextlib
import json
import random
from itertools import count

import pytest

from shared.errors import Conflict, InvalidRequest, Unavailable
from shared.jobs.job.messages import JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.submission.image_list import parse_image_list
from shared.jobs.submission.submit import Submission
from tests.unit.jobs.simulation import Flow
from tests.unit.known_sources import parse_spec

LIST = {"job_id": "mine-1", "images": ["inputs/cats/1.jpg"]}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../x.png",
        "inputs/../work/x.png",
        "/x.png",
        "inputs//x.png",
        "inputs/./x.png",
        "a\\..\\b.png",
        "work/job_1/shards/00001",
        "datasets/job_1/dataset.zip",
    ],
)
@pytest.mark.parametrize("wrap", [lambda name: name, lambda name: {"name": name, "label": "x"}])
def test_stored_images_are_named_plainly_and_are_not_the_apps_own(name, wrap):
    with pytest.raises(InvalidRequest) as refused:
        parse_image_list({"images": ["inputs/good.png", wrap(name)]})
    assert [field.field for field in refused.value.fields] == ["images.1.name"]
    assert len(parse_image_list({"images": [wrap("inputs/cats/1..2.png")]}).images) == 1


@pytest.mark.parametrize("url", ["http://user:secret@hooks.example/x", "ftp://hooks.example/x"])
def test_a_webhook_that_could_never_be_called_is_refused(url):
    with pytest.raises(InvalidRequest) as refused:
        parse_spec({"keywords": ["cat"], "webhook_url": url})
    assert [field.field for field in refused.value.fields] == ["webhook_url"]
    assert "secret" not in str([field.message for field in refused.value.fields])


async def _jobs(flow):
    return {job.id: job for job in (await flow.jobs.page("admin")).items}


async def _send(flow, data, message="m1"):
    await flow.intake.handle_archive(message, json.dumps(data), flow.deadline())


async def test_a_specs_producer_chooses_the_jobs_id_and_sends_it_as_often_as_it_likes(flow):
    spec = {"job_id": "mine-1", "keywords": ["cat"]}
    for message in ("m1", "m1", "m2"):
        await flow.intake.handle_job(message, json.dumps(spec), flow.deadline())
    assert [job.id for job in (await _jobs(flow)).values()] == ["mine-1"]
    other = json.dumps({**spec, "keywords": ["dog"]})
    await flow.intake.handle_job("m3", other, flow.deadline())
    jobs = await _jobs(flow)
    refused = jobs.pop(next(job_id for job_id in jobs if job_id != "mine-1"))
    assert "its spec is another one" in refused.failure.detail
    assert [job.failure for job in jobs.values()] == [None]


async def test_an_id_of_another_users_job_is_refused_though_the_specs_are_equal(flow):
    spec = parse_spec({"keywords": ["cat"]})
    for user_id in ("alice", "bob"):
        await flow.add_user(user_id)
    await flow.submit.run(Submission("alice", spec, None, "x-1"))
    with pytest.raises(Conflict):
        await flow.submit.run(Submission("bob", spec, None, "x-1"))
    assert [work.user_id async for work in flow.jobs.works()] == ["alice"]
    assert (await flow.submit.run(Submission("alice", spec, None, "x-1"))).id == "x-1"


@pytest.mark.parametrize("job_id", ["../x", "", 7, None, ["mine-1"]])
async def test_a_specs_job_id_that_is_none_is_refused_by_name(flow, job_id):
    text = json.dumps({"job_id": job_id, "keywords": ["cat"]})
    await flow.intake.handle_job("m1", text, flow.deadline())
    [job] = (await _jobs(flow)).values()
    assert "job_id: must be" in job.failure.detail


@pytest.mark.parametrize("queue", ["handle_job", "handle_archive"])
async def test_a_refused_message_is_one_failed_job_that_shows_its_id_and_has_its_name(flow, queue):
    for _ in range(3):  # the host delivers it again
        text = json.dumps({"job_id": "mine-1", "name": " pets ", "colour": 1})
        await getattr(flow.intake, queue)("m1", text, flow.deadline())
        flow.clock.advance(5)
    [job] = (await _jobs(flow)).values()
    assert (job.name, job.state, job.failure.code) == ("pets", State.FAILED, "invalid_message")
    assert job.id != "mine-1"
    assert "colour: is not a known field" in job.failure.detail
    assert (job.message_id, job.requested_id) == ("m1", "mine-1")
    assert job.created_at == job.updated_at
    assert (flow.queues.sent, [name async for name in flow.blobs.list("")]) == ({}, [])
    with pytest.raises(Conflict):
        await flow.retry.run("admin", job.id)


@pytest.mark.parametrize("poison", ["handle_poisoned_archive", "handle_poisoned_job"])
async def test_a_message_that_kills_is_refused_and_its_job_id_is_shown(flow, poison):
    await getattr(flow.intake, poison)("m1", json.dumps(LIST))
    [job] = (await _jobs(flow)).values()
    assert (job.message_id, job.requested_id) == ("m1", "mine-1")


@pytest.mark.parametrize("asked", [LIST, {"images": LIST["images"]}])
async def test_a_message_that_became_a_job_and_then_poison_leaves_that_job_alone(flow, asked):
    await _send(flow, asked)
    before = await _jobs(flow)
    await flow.intake.handle_poisoned_archive("m1", json.dumps(asked))
    assert await _jobs(flow) == before
    assert [job.state for job in before.values()] == [State.QUEUED]
    assert [signal.kind for signal in flow.telemetry.signals] == ["event", "exception"]
    assert len(flow.telemetry.named("user_action")) == 1


HOSTILE = [
    {"job_id": "../x"},
    {"job_id": "x" * 65},
    {"job_id": ["mine-1"]},
    {"job_id": "a/b"},
    {"job_id": "~work"},
    {"job_id": ""},
    {"name": "x" * 201},
    {"name": "a\0b"},
    {"name": "\ud800"},
    {"name": " "},
    {"name": {"a": 1}},
    {"\ud800\0": 1},
    {"x" * 50_000: 1},
    ["mine-1"],
    "mine-1",
    None,
]


@pytest.mark.parametrize("data", HOSTILE, ids=[str(number) for number in range(len(HOSTILE))])
async def test_a_message_without_a_good_id_and_name_gets_others(flow, data):
    await _send(flow, data)
    await flow.intake.handle_job("m2", json.dumps(data), flow.deadline())
    jobs = (await _jobs(flow)).values()
    assert {job.name for job in jobs} == {"refused message"}
    assert {(job.message_id, job.requested_id) for job in jobs} == {("m1", ""), ("m2", "")}
    assert all(job.failure.detail.isprintable() and len(job.failure.detail) < 4000 for job in jobs)


async def test_a_refused_message_leaves_a_job_of_its_id_as_it_is(flow):
    await _send(flow, LIST)
    before = await flow.jobs.require("admin", "mine-1")
    for message, wrong in (("m2", {"images": []}), ("m3", {"images": ["inputs/dogs/1.jpg"]})):
        for _ in range(2):
            await _send(flow, {**LIST, **wrong, "name": "mine"}, message)
    jobs = await _jobs(flow)
    assert jobs.pop("mine-1") == before
    assert [job.name for job in jobs.values()] == ["mine", "mine"]
    assert {job.requested_id for job in jobs.values()} == {"mine-1"}
    assert (await flow.jobs.spec("mine-1")).name == "archive"


async def test_a_corrected_message_gets_the_id_and_a_straggler_of_the_refused_one_changes_nothing(flow):
    refused = {**LIST, "images": []}
    await _send(flow, refused, "m1")
    await _send(flow, LIST, "m2")
    before = await _jobs(flow)
    await _send(flow, refused, "m1")
    assert await _jobs(flow) == before
    assert (before["mine-1"].state, before["mine-1"].failure, len(before)) == (State.QUEUED, None, 2)
    assert len(flow.queues.take(JOBS_QUEUE)) == 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_message_that_dies_at_any_line_and_becomes_poison_is_one_job(flow, after):
    flow.weather.after = after
    asked = {"images": LIST["images"]}
    for at in count(1):
        before = await _jobs(flow)
        flow.weather.deaths, flow.weather.writes_left = 0, at
        with contextlib.suppress(Unavailable):
            await _send(flow, asked, f"m{at}")
        flow.weather.writes_left = -1
        await flow.intake.handle_poisoned_archive(f"m{at}", json.dumps(asked))
        await _send(flow, asked, f"m{at}")  # a straggler
        assert len(await _jobs(flow)) == len(before) + 1
        if not flow.weather.deaths:
            break
    assert at > 4


async def test_a_message_behind_one_that_died_with_its_spec_written_is_refused_with_a_reason(flow):
    flow.weather.writes_left = 2  # the spec, and not the index row
    with pytest.raises(Unavailable):
        await _send(flow, LIST, "m1")
    await _send(flow, {**LIST, "images": ["inputs/dogs/1.jpg"]}, "m2")
    [job] = (await _jobs(flow)).values()
    assert "a job of another spec" in job.failure.detail
    await _send(flow, LIST, "m3")
    assert (await flow.jobs.require("admin", "mine-1")).state is State.QUEUED


async def _clear(flow, job_id):
    """Does what the nightly run does a week after a job's end."""
    async for info in flow.blobs.list(f"work/job_{job_id}/"):
        await flow.blobs.delete(info.name)
    await flow.ledger.erase(job_id)
    await flow.jobs.forget_work(job_id)


async def _bobs(flow):
    await flow.add_user("bob")
    spec = flow.specs.parse({"keywords": ["cat"], "sources": [{"type": "fake"}]})
    return await flow.submit.run(Submission("bob", spec))


async def test_an_id_of_another_users_dataset_stays_taken_when_its_spec_is_cleared(flow):
    job = await _bobs(flow)
    await flow.run()
    dataset = await flow.catalog.require("bob", job.id)
    before = await flow.blobs.get(dataset.blobs[0])
    await _clear(flow, job.id)
    await _send(flow, {**LIST, "job_id": job.id})
    await flow.run()
    [refused] = (await _jobs(flow)).values()
    assert "is taken: by another user" in refused.failure.detail
    assert await flow.blobs.get(dataset.blobs[0]) == before
    assert not [info async for info in flow.blobs.list(f"work/job_{job.id}/")]


async def test_a_retry_leaves_the_job_of_another_user_alone_who_has_its_id_by_now(flow):
    job = await _bobs(flow)
    await flow.transitions.cancel(job)
    await _clear(flow, job.id)
    await _send(flow, {**LIST, "job_id": job.id})
    with pytest.raises(Conflict):
        await flow.retry.run("bob", job.id)
    assert [work.user_id async for work in flow.jobs.works()] == ["admin"]


@pytest.mark.parametrize("seed", range(60))
async def test_messages_of_one_id_at_the_same_time_end_as_the_one_that_is_valid(seed):
    flow = Flow()
    chance = random.Random(seed)
    flow.weather.chance = chance
    bad = [("m1", {**LIST, "images": []}), ("m2", {**LIST, "colour": 1})]
    waiting = [*bad, ("m3", LIST)] * 2
    for _ in range(30):
        flow.weather.writes_left, flow.weather.after = chance.randint(1, 12), chance.random() < 0.5
        ends = await asyncio.gather(
            *(_send(flow, data, message) for message, data in waiting), return_exceptions=True
        )
        assert {type(end) for end in ends} <= {type(None), Unavailable}
        waiting = [each for each, end in zip(waiting, ends, strict=True) if end is not None]
        if not waiting:
            break
    jobs = await _jobs(flow)
    assert jobs.pop("mine-1").state is State.QUEUED
    told = sorted((job.message_id, job.requested_id) for job in jobs.values())
    assert told == [(message, "mine-1") for message, _ in bad]
    assert flow.queues.take(JOBS_QUEUE)
