"""What cannot work is refused where it is asked for."""

import asyncio
import json
import random

import pytest

from shared.errors import InvalidRequest, Unavailable
from shared.jobs.image_list import parse_image_list
from shared.jobs.messages import JOBS_QUEUE
from shared.jobs.spec import parse_spec
from shared.jobs.states import State
from tests.unit.jobs.simulation import Flow, fake_source

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
    return {job.id: job async for job in flow.jobs.list("admin")}


async def _send(flow, data, message="m1"):
    await flow.intake.archive_message(message, json.dumps(data), flow.deadline())


@pytest.mark.parametrize("queue", ["job_message", "archive_message"])
async def test_a_refused_message_is_found_by_its_own_id_and_name(flow, queue):
    for _ in range(3):  # the host delivers it again
        text = json.dumps({"job_id": "mine-1", "name": " pets ", "colour": 1})
        await getattr(flow.intake, queue)("m1", text, flow.deadline())
        flow.clock.advance(5)
    [job] = (await _jobs(flow)).values()
    assert (job.id, job.name, job.state, job.failure.code) == (
        "mine-1",
        "pets",
        State.FAILED,
        "invalid_message",
    )
    assert "colour: there is no such field" in job.failure.detail
    assert job.failure.detail.endswith("[queue message m1]")
    assert job.created_at == job.updated_at
    assert flow.queues.sent == {}


@pytest.mark.parametrize("poison", [True, False])
async def test_a_message_that_kills_is_found_by_its_own_id_too(flow, poison):
    await (flow.intake.poisoned_archive if poison else flow.intake.poisoned_job)("m1", json.dumps(LIST))
    assert list(await _jobs(flow)) == ["mine-1"]


HOSTILE = [
    {"job_id": "../x"},
    {"job_id": "x" * 65},
    {"job_id": ["mine-1"]},
    {"job_id": "a/b"},
    {"job_id": "~work"},
    {"job_id": ""},
    {"name": "x" * 201},
    {"name": "a\nb"},
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
    await flow.intake.job_message("m2", json.dumps(data), flow.deadline())
    jobs = (await _jobs(flow)).values()
    assert {job.name for job in jobs} == {"refused message"}
    assert {job.failure.detail[-18:] for job in jobs} == {"[queue message m1]", "[queue message m2]"}
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
    assert all("the id mine-1, which is that of another job" in job.failure.detail for job in jobs.values())
    assert (await flow.jobs.spec("mine-1")).name == "archive"


async def test_a_refused_message_leaves_what_is_being_made_and_what_others_have_as_it_is(flow):
    await flow.blobs.put("work/job_mine-1/spec.json", b"{}")
    await _send(flow, {**LIST, "images": []})
    assert "mine-1" not in await _jobs(flow)
    assert await flow.blobs.get("work/job_mine-1/spec.json") == b"{}"


async def test_a_corrected_message_takes_the_place_of_the_refused_one(flow):
    await _send(flow, {**LIST, "images": []}, "m1")
    await _send(flow, {**LIST, "images": "x"}, "m2")
    assert (await flow.jobs.require("admin", "mine-1")).failure.detail.endswith("[queue message m2]")
    await _send(flow, LIST, "m3")
    [job] = (await _jobs(flow)).values()
    assert (job.id, job.state, job.failure, job.revision) == ("mine-1", State.QUEUED, None, 1)
    assert len(flow.queues.take(JOBS_QUEUE)) == 1


@pytest.mark.parametrize("seed", range(60))
async def test_messages_of_one_id_at_the_same_time_end_as_the_one_that_is_valid(seed):
    with fake_source():
        flow = Flow()
        chance = random.Random(seed)
        flow.weather.chance = chance
        waiting = [("m1", {**LIST, "images": []}), ("m2", {**LIST, "colour": 1}), ("m3", LIST)] * 2
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
        assert (jobs.pop("mine-1").state, len(jobs) <= 2) == (State.QUEUED, True)
        assert {job.failure.code for job in jobs.values()} <= {"invalid_message"}
        assert flow.queues.take(JOBS_QUEUE)
