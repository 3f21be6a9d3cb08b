"""A job is found by its id. A refused message's job is also found by the message's id and by the requested id."""

import json

import pytest

from shared.errors import AlreadyExists, Conflict, NotFound, Unavailable
from shared.jobs.job.states import State

MESSAGE = "0d5a5b5c-0f8f-4d3a-9f53-6f0d3a2b1c4e"
OTHER = "1d5a5b5c-0f8f-4d3a-9f53-6f0d3a2b1c4e"
WRONG = {"job_id": "mine-1", "keywords": ["cat"], "colour": 1}
RIGHT = {"job_id": "mine-1", "keywords": ["cat"], "sources": [{"type": "fake", "total": 3}]}


async def _send(flow, data, message=MESSAGE):
    await flow.intake.handle_job(message, json.dumps(data), flow.deadline())


@pytest.mark.parametrize("queue", ["handle_job", "handle_archive"])
async def test_a_refused_job_is_found_by_the_id_that_was_asked_for_and_by_its_message(flow, queue):
    for _ in range(2):
        await getattr(flow.intake, queue)(MESSAGE, json.dumps(WRONG), flow.deadline())
    found = await flow.keys.find("admin", "mine-1")
    assert (found.state, found.failure.code) == (State.FAILED, "invalid_message")
    assert (found.requested_id, found.message_id) == ("mine-1", MESSAGE)
    assert "mine-1" not in found.failure.detail
    assert await flow.keys.find("admin", MESSAGE) == found
    assert await flow.keys.find("admin", found.id) == found
    for user, name in (("bob", "mine-1"), ("bob", MESSAGE), ("admin", "mine-2"), ("admin", "m")):
        with pytest.raises(NotFound):
            await flow.keys.find(user, name)
    with pytest.raises(Conflict, match="send it again, corrected"):
        await flow.retry.run("admin", found.id)


async def test_a_later_valid_job_of_that_id_is_the_one_that_is_found(flow):
    await _send(flow, WRONG)
    refused = await flow.keys.find("admin", "mine-1")
    await _send(flow, RIGHT, OTHER)
    await _send(flow, WRONG)  # a straggler
    found = await flow.keys.find("admin", "mine-1")
    assert (found.id, found.state, found.failure) == ("mine-1", State.QUEUED, None)
    assert (found.message_id, found.requested_id) == (OTHER, "")
    assert await flow.keys.find("admin", MESSAGE) == refused


async def test_an_earlier_valid_job_of_that_id_is_the_one_that_is_found(flow):
    await _send(flow, RIGHT)
    await _send(flow, {**RIGHT, "keywords": ["dog"]}, OTHER)
    assert (await flow.keys.find("admin", "mine-1")).failure is None
    refused = await flow.keys.find("admin", OTHER)
    assert (refused.requested_id, refused.state) == ("mine-1", State.FAILED)


async def test_of_several_refused_messages_of_one_id_the_last_is_found_in_whatever_order_they_come_again(
    flow,
):
    await _send(flow, WRONG)
    flow.clock.advance(5)
    await _send(flow, WRONG, OTHER)
    flow.clock.advance(5)
    await _send(flow, WRONG)
    assert (await flow.keys.find("admin", "mine-1")).message_id == OTHER


@pytest.mark.parametrize("writes", [1, 2])
@pytest.mark.parametrize("after", [False, True])
async def test_a_refusal_that_dies_at_any_write_is_found_when_its_message_comes_again(flow, writes, after):
    flow.weather.writes_left, flow.weather.after = writes, after
    with pytest.raises(Unavailable):
        await _send(flow, WRONG)
    await _send(flow, WRONG)
    assert (await flow.keys.find("admin", "mine-1")).message_id == MESSAGE
    assert len((await flow.jobs.page("admin")).items) == 1


async def test_a_job_of_a_message_that_asked_for_no_id_is_found_by_the_message(flow):
    await _send(flow, {"keywords": ["cat"]})
    found = await flow.keys.find("admin", MESSAGE)
    assert (found.state, found.message_id, found.requested_id) == (State.QUEUED, MESSAGE, "")


@pytest.mark.parametrize("message", ["", "m\nx", "😀" * 200, "a\ud83d", "x" * 5000])
async def test_any_id_of_a_message_is_stored_as_one_valid_line(flow, message):
    await _send(flow, WRONG, message)
    found = await flow.keys.find("admin", "mine-1")
    assert len(found.message_id.encode("utf-16-le")) <= 200
    assert found.message_id.isprintable()


async def test_the_refusal_of_an_id_in_use_names_the_job_and_no_file(flow):
    job = await flow.send({"keywords": ["cat"], "sources": RIGHT["sources"]})
    await flow.run()
    with pytest.raises(AlreadyExists, match=f"There is a job {job.id} already"):
        await flow.jobs.create(job, await flow.jobs.spec(job.id))
