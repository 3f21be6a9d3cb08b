"""The whole flow of a job, with every fault between two lines."""

import asyncio
import json

import pytest

from shared.errors import Conflict, InvalidRequest, Unavailable
from shared.jobs.flow.watchdog import WatchdogConfig
from shared.jobs.job.messages import (
    ARCHIVES_QUEUE,
    CHUNKS_QUEUE,
    JOBS_QUEUE,
    JobMessage,
)
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from tests.unit.jobs.job_outcomes import SPEC, TOTAL, check_whole, outcome
from tests.unit.jobs.simulation import QUEUES


async def test_a_job_goes_all_the_way(flow):
    job = await flow.send(SPEC)
    assert job.state is State.QUEUED
    await flow.run()
    check_whole(*(await outcome(flow, job))[:2])
    progress = await flow.ledger.progress(job.id)
    assert (progress.added, progress.done, progress.found) == (10, 10, TOTAL)
    assert progress.tally.kept == 180
    assert progress.tally.rejections == {"timed_out": 20}
    dataset = await flow.catalog.require("admin", job.id)
    assert dataset.image_count == 180
    assert sorted(flow.worker.fetched) == list(range(TOTAL))
    events = flow.telemetry.named("job_completed")
    assert [event.properties["images_count"] for event in events] == [180]
    assert flow.telemetry.named("dataset_upload_completed")
    assert flow.telemetry.named("azure_blob_upload")[0].properties["success"] is True


async def test_messages_that_come_twice_change_nothing(flow):
    once = await flow.send(SPEC)
    await flow.run()
    expected = await outcome(flow, once)
    flow.worker.fetched.clear()
    twice = await flow.send(SPEC)
    await flow.run(times=2)
    state, records, _ = await outcome(flow, twice)
    assert (state, records) == expected[:2]
    assert sorted(flow.worker.fetched) == list(range(TOTAL))
    for queue in QUEUES:
        for text in flow.queues.sent[queue]:
            await flow.handle(queue, text)
    assert (await outcome(flow, twice))[:2] == expected[:2]
    assert (await flow.ledger.progress(twice.id)).done == 10


async def test_messages_that_come_twice_at_the_same_time_change_nothing(flow):
    job = await flow.send(SPEC)
    for _ in range(100):
        taken = [
            (queue, text)
            for queue in (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE)
            for text in flow.queues.take(queue)
        ]
        if not taken:
            break
        await asyncio.gather(*(flow.handle(queue, text) for queue, text in taken for _ in range(3)))
    check_whole(*(await outcome(flow, job))[:2])
    assert (await flow.ledger.progress(job.id)).found == TOTAL


@pytest.mark.parametrize("after", [False, True])
async def test_a_death_at_any_write_loses_nothing(flow, after):
    """Every write of the flow fails once. The message is delivered again each time."""
    small = {"keywords": ["a"], "sources": [{"type": "fake", "total": 40}], "dedup": {"near_distance": None}}
    for at in range(1, 60):
        job = await flow.send(small)
        flow.weather.writes_left, flow.weather.after = at, after
        deaths = flow.weather.deaths
        for _ in range(300):
            taken = flow.take()
            if not taken:
                break
            for queue, text in taken:
                await flow.deliver(queue, text)
        flow.weather.writes_left = -1
        found = await flow.job(job)
        assert found.state is State.COMPLETED, (at, found)
        assert (await flow.ledger.progress(job.id)).tally.found == 40
        assert (await flow.catalog.require("admin", job.id)).image_count == 36
        if flow.weather.deaths == deaths:
            break
    assert deaths == at - 1 > 25, "the flow has fewer writes than this test believes"


@pytest.mark.parametrize("again", [False, True])
async def test_a_chunk_whose_run_died_behind_its_records_comes_to_the_same(flow, again):
    """If its message is delivered again, nothing is fetched again. A new message does not know of the records."""
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    first, *others = flow.queues.take(CHUNKS_QUEUE)
    flow.weather.writes_left, flow.weather.after = 3, False  # the shard, the records, the chunk's row
    with pytest.raises(Unavailable):
        await flow.intake.handle_chunk(first, flow.deadline(), redelivered=False)
    assert (await flow.ledger.progress(job.id)).done == 0
    await flow.intake.handle_chunk(first, flow.deadline(), redelivered=again)
    for text in others:
        flow.put_back(CHUNKS_QUEUE, text)
    await flow.run()
    check_whole(*(await outcome(flow, job))[:2])
    assert len(flow.worker.fetched) == TOTAL + (0 if again else 20)


async def test_a_cancelled_job_stops_and_stays_cancelled(flow):
    job = await flow.send(SPEC)
    flow.worker.before = lambda: flow.cancel(job)
    flow.worker.stuck_at = 7
    await flow.run()
    found = await flow.job(job)
    assert found.state is State.CANCELLED
    assert flow.worker.fetched == list(range(7))
    assert (await flow.ledger.progress(job.id)).tally.kept == 7  # what is there is kept and counted
    assert (await flow.transitions.cancel(found)).state is State.CANCELLED
    assert await flow.catalog.get("admin", job.id) is None


async def test_a_completed_job_cannot_be_cancelled(flow):
    job = await flow.send(SPEC)
    await flow.run()
    with pytest.raises(Conflict):
        await flow.cancel(job)


async def test_poisoned_jobs_are_sent_on_and_fail_with_a_reason_in_the_end(flow):
    job = await flow.send(SPEC)
    for _ in range(WatchdogConfig().max_nudges):
        (text,) = flow.queues.take(JOBS_QUEUE)
        await flow.intake.handle_poisoned_job("m", text)
        assert (await flow.jobs.require("admin", job.id)).state == "queued"
    await flow.intake.handle_poisoned_job("m", flow.queues.take(JOBS_QUEUE)[0])
    assert (await flow.jobs.require("admin", job.id)).failure.code == "discovery_crashed"
    await flow.intake.handle_poisoned_archive("m2", "what is this")
    refused = (await flow.jobs.page("admin")).items
    assert {found.failure.code for found in refused} == {"discovery_crashed", "invalid_message"}


async def test_the_webhook_hears_of_the_end_once(flow):
    """This holds however often messages come, in any order, and however often the job is read after its end."""
    job = await flow.send({**SPEC, "webhook_url": "https://hooks.example/x"})
    await flow.run(times=2)
    for queue in QUEUES:
        for text in flow.queues.sent[queue]:
            await flow.handle(queue, text)
    flow.clock.advance(10_000)
    await flow.watchdog.run(flow.deadline())
    assert [(sent.url, json.loads(sent.body)["type"]) for sent in flow.web.sent] == [
        ("https://hooks.example/x", "job.completed")
    ]
    assert (await flow.delivery(job)).state == "delivered"


@pytest.mark.parametrize("after", [False, True])
async def test_the_webhook_hears_of_an_end_whose_run_died_behind_it(flow, after):
    """The run dies right after it has written the job's end.

    Its message comes again, and the next run does the rest.
    """
    job = await flow.send({**SPEC, "webhook_url": "https://hooks.example/x"})
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    apply = flow.entities.apply

    async def dying(table, partition, changes):
        values = getattr(changes[0], "entity", None) and changes[0].entity.values
        if values and values.get("state") == "completed" and not flow.web.sent:
            flow.entities.apply = apply
            if after:
                await apply(table, partition, changes)
            raise Unavailable("died at the job's end")
        return await apply(table, partition, changes)

    flow.entities.apply = dying
    with pytest.raises(Unavailable):
        await flow.handle(ARCHIVES_QUEUE, waiting[0])
    await flow.handle(ARCHIVES_QUEUE, waiting[0])
    await flow.handle(ARCHIVES_QUEUE, waiting[0])
    await flow.run()
    assert len(flow.web.sent) == 1
    assert (await flow.delivery(job)).state == "delivered"


async def test_one_key_is_one_job_and_another_spec_a_conflict(flow):
    first = await flow.submit.run(Submission("admin", flow.specs.parse(SPEC), key="k"))
    again = await flow.submit.run(Submission("admin", flow.specs.parse(SPEC), key="k"))
    assert first.id == again.id
    with pytest.raises(Conflict):
        await flow.submit.run(Submission("admin", flow.specs.parse({**SPEC, "seed": 1}), key="k"))
    with pytest.raises(InvalidRequest):
        await flow.submit.run(Submission("admin", flow.specs.parse(SPEC), job_id="../x"))


async def test_messages_for_unknown_jobs_are_let_go(flow):
    from shared.jobs.job.messages import encode

    gone = encode(JobMessage("admin", "gone"))
    await flow.handle(JOBS_QUEUE, gone)
    await flow.handle(ARCHIVES_QUEUE, gone)
    await flow.handle(
        CHUNKS_QUEUE, json.dumps({"v": 1, "user_id": "admin", "job_id": "gone", "chunk": "00001"})
    )
    assert not flow.queues.sent[ARCHIVES_QUEUE]
