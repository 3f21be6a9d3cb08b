"""The whole way of a job, with everything that can go wrong between two lines."""

import asyncio
import gzip
import json

import pytest

from shared.errors import Conflict, InvalidRequest, Permanent, RateLimited, Unavailable
from shared.jobs.flow.watchdog import WatchdogConfig
from shared.jobs.job.messages import (
    ARCHIVES_QUEUE,
    CHUNKS_QUEUE,
    JOBS_QUEUE,
    JobMessage,
)
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission

SPEC = {"keywords": ["a", "b"], "sources": [{"type": "fake"}], "dedup": {"near_distance": None}}
TOTAL = 200
QUEUES = (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE)


async def _outcome(flow, job):
    """State, the records' fate by index, and the archive's bytes."""
    found = await flow.jobs.require("admin", job.id)
    lines = gzip.decompress(await flow.blobs.get(f"datasets/job_{job.id}/records.jsonl.gz")).splitlines()
    records = {row["index"]: row["outcome"] for row in map(json.loads, lines)}
    assert len(records) == len(lines)
    return found.state, records, await flow.blobs.get(f"datasets/job_{job.id}/dataset.zip")


def _check_whole(state, records):
    assert state is State.COMPLETED
    assert records.keys() == set(range(TOTAL))
    assert {index for index, outcome in records.items() if outcome != "kept"} == set(range(9, TOTAL, 10))


async def test_a_job_goes_all_the_way(flow):
    job = await flow.send(SPEC)
    assert job.state is State.QUEUED
    await flow.run()
    _check_whole(*(await _outcome(flow, job))[:2])
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
    expected = await _outcome(flow, once)
    flow.worker.fetched.clear()
    twice = await flow.send(SPEC)
    await flow.run(times=2)
    state, records, _ = await _outcome(flow, twice)
    assert (state, records) == expected[:2]
    assert sorted(flow.worker.fetched) == list(range(TOTAL))
    for queue in QUEUES:
        for text in flow.queues.sent[queue]:
            await flow.handle(queue, text)
    assert (await _outcome(flow, twice))[:2] == expected[:2]
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
    _check_whole(*(await _outcome(flow, job))[:2])
    assert (await flow.ledger.progress(job.id)).found == TOTAL


@pytest.mark.parametrize("after", [False, True])
async def test_a_death_at_any_write_loses_nothing(flow, after):
    """Every write of the whole flow fails once, one after the other; the message comes again each time."""
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
    """Where its message is delivered again it is not fetched again; a new message does not know of the records."""
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    first, *others = flow.queues.take(CHUNKS_QUEUE)
    flow.weather.writes_left, flow.weather.after = 3, False  # the shard, the records, the chunk's row
    with pytest.raises(Unavailable):
        await flow.intake.chunk_message(first, flow.deadline(), again=False)
    assert (await flow.ledger.progress(job.id)).done == 0
    await flow.intake.chunk_message(first, flow.deadline(), again=again)
    for text in others:
        flow.put_back(CHUNKS_QUEUE, text)
    await flow.run()
    _check_whole(*(await _outcome(flow, job))[:2])
    assert len(flow.worker.fetched) == TOTAL + (0 if again else 20)


async def test_a_chunk_that_runs_out_of_time_goes_on_as_a_new_one(flow):
    flow.worker.budget = 7
    job = await flow.send(SPEC)
    await flow.run()
    _check_whole(*(await _outcome(flow, job))[:2])
    assert sorted(flow.worker.fetched) == list(range(TOTAL))
    progress = await flow.ledger.progress(job.id)
    assert progress.added == progress.done == 30


async def test_a_chunk_that_gets_nothing_done_comes_again(flow):
    flow.worker.budget = 0
    flow.worker.before = lambda: flow.clock.advance(2000)
    await flow.send(SPEC)
    with pytest.raises(Exception, match="ran out of time"):
        await flow.run()


async def test_a_chunk_that_spends_its_turns_and_gets_nothing_done_is_no_others_fault(flow):
    """Else it would be put off for ever, such as where redirects at a slow host take more turns than fit a run."""
    flow.worker.budget = 0
    flow.worker.asked = True
    await flow.send(SPEC)
    with pytest.raises(Exception, match="ran out of time"):
        await flow.run()


async def test_a_chunk_whose_hosts_have_no_turn_for_it_comes_again_later_and_that_is_no_failure(flow):
    delays = []
    send = flow.queues.send

    async def noting(queue, body, *, delay_seconds=0.0):
        delays.append(delay_seconds)
        await send(queue, body)

    job = await flow.send(SPEC)
    for queue, text in flow.take():
        await flow.handle(queue, text)
    flow.queues.send = noting
    before = await flow.ledger.progress(job.id)
    first, *others = [text for _, text in flow.take()]
    flow.worker.budget = 0
    for _ in range(9):
        await flow.handle(CHUNKS_QUEUE, first)
        assert flow.take() == [(CHUNKS_QUEUE, first)]
    assert delays == [60.0] * 9
    assert await flow.ledger.progress(job.id) == before
    flow.worker.budget = 10_000
    for text in (first, first, *others):  # a run that died behind its message leaves two
        flow.put_back(CHUNKS_QUEUE, text)
    await flow.run()
    _check_whole(*(await _outcome(flow, job))[:2])


async def test_discovery_goes_on_where_its_time_ended(flow):
    flow.clock.tick = 150.0  # each look at the clock takes a while: a slice has room for a few pages
    job = await flow.send(SPEC)
    await flow.run()
    _check_whole(*(await _outcome(flow, job))[:2])
    assert len(flow.queues.sent[JOBS_QUEUE]) > 1


async def test_a_source_that_asks_to_wait_is_waited_for(flow):
    """A short wait is slept; the first back-off, of 10 seconds, is the delay of a message."""
    flow.source.errors = [RateLimited("slow down", 5.0), Unavailable("hiccup")]
    job = await flow.send({**SPEC, "keywords": ["a"], "sources": [{"type": "fake", "total": TOTAL}]})
    slept = []

    async def sleep(seconds):
        slept.append((seconds, len(flow.source.errors)))
        flow.clock.advance(seconds)

    flow.discover._sleep = sleep
    await flow.run()
    assert slept == [(5.0, 1)]
    assert flow.clock.seconds == 15
    _check_whole(*(await _outcome(flow, job))[:2])


async def test_a_source_that_never_works_fails_the_job_with_its_reason(flow):
    flow.source.errors = [Permanent("the key is refused")] * 2
    job = await flow.send(SPEC)
    await flow.run()
    found = await flow.jobs.require("admin", job.id)
    assert found.state is State.FAILED
    assert "the key is refused" in found.failure.detail


async def test_a_job_that_finds_nothing_says_so(flow):
    job = await flow.send({**SPEC, "sources": [{"type": "fake", "total": 0}]})
    await flow.run()
    found = await flow.jobs.require("admin", job.id)
    assert (found.state, found.failure.code) == (State.FAILED, "no_images")


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


async def _work(flow):
    for _ in range(2000):
        taken = flow.take()
        if not taken:
            return
        for queue, text in taken:
            await flow.deliver(queue, text)
    raise AssertionError("the queues never run empty")


async def test_a_candidate_that_kills_its_chunk_is_found_and_the_job_goes_on(flow):
    flow.worker.poison = {3, 77, 78}
    job = await flow.send(SPEC)
    await _work(flow)
    state, records, _ = await _outcome(flow, job)
    assert state is State.COMPLETED
    assert records.keys() == set(range(TOTAL))
    described = await flow.delivered(job)
    assert {index for index, outcome in described.items() if outcome == "crashed"} == {3, 77, 78}
    assert {index for index, outcome in described.items() if outcome == "kept"} == {
        index for index in range(TOTAL) if index % 10 != 9
    } - {3, 77, 78}
    assert sorted(flow.worker.fetched) == sorted(set(range(TOTAL)) - {3, 77, 78})
    progress = await flow.ledger.progress(job.id)
    assert progress.done == progress.added
    assert progress.tally.rejections == {"timed_out": 20, "crashed": 3}


async def test_a_poison_message_for_a_chunk_that_was_crawled_changes_nothing(flow):
    job = await flow.send(SPEC)
    await flow.run()
    expected = await _outcome(flow, job)
    for text in flow.queues.sent[CHUNKS_QUEUE]:
        await flow.intake.poisoned_chunk(text)
    await flow.run()
    assert await _outcome(flow, job) == expected
    assert (await flow.ledger.progress(job.id)).added == 10


async def test_a_chunk_that_is_halved_while_it_is_crawled_ends_one_way_only(flow):
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    first, *others = flow.queues.take(CHUNKS_QUEUE)
    flow.worker.before = lambda: flow.intake.poisoned_chunk(first)
    await flow.handle(CHUNKS_QUEUE, first)
    for text in others:
        flow.put_back(CHUNKS_QUEUE, text)
    await flow.run()
    _check_whole(*(await _outcome(flow, job))[:2])
    progress = await flow.ledger.progress(job.id)
    assert (progress.added, progress.done) == (12, 12)


async def test_poisoned_jobs_are_sent_on_and_fail_with_a_reason_in_the_end(flow):
    job = await flow.send(SPEC)
    for _ in range(WatchdogConfig().max_nudges):
        (text,) = flow.queues.take(JOBS_QUEUE)
        await flow.intake.poisoned_job("m", text)
        assert (await flow.jobs.require("admin", job.id)).state == "queued"
    await flow.intake.poisoned_job("m", flow.queues.take(JOBS_QUEUE)[0])
    assert (await flow.jobs.require("admin", job.id)).failure.code == "discovery_crashed"
    await flow.intake.poisoned_archive("m2", "what is this")
    refused = (await flow.jobs.page("admin")).items
    assert {found.failure.code for found in refused} == {"discovery_crashed", "invalid_message"}


async def test_the_webhook_hears_of_the_end_once(flow):
    """However often the messages come, in any order, and however often the job is looked at after its end."""
    job = await flow.send({**SPEC, "webhook_url": "https://hooks.example/x"})
    await flow.run(times=2)
    for queue in QUEUES:
        for text in flow.queues.sent[queue]:
            await flow.handle(queue, text)
    flow.clock.advance(10_000)
    await flow.watchdog.run(flow.deadline())
    assert [(sent.url, json.loads(sent.body)["event"]) for sent in flow.web.sent] == [
        ("https://hooks.example/x", "job.completed")
    ]
    assert (await flow.jobs.require("admin", job.id)).webhook.state == "delivered"


@pytest.mark.parametrize("after", [False, True])
async def test_the_webhook_hears_of_an_end_whose_run_died_behind_it(flow, after):
    """Where the job's end was written and nothing after it, the message comes again and makes up for it."""
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
    assert (await flow.job(job)).webhook.state == "delivered"


@pytest.mark.parametrize("lost", [JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE])
async def test_the_watchdog_sends_on_what_lost_its_message(flow, lost):
    job = await flow.send(SPEC)
    for _ in range(20):
        taken = [(q, text) for q in QUEUES for text in flow.queues.take(q)]
        if any(queue == lost for queue, _ in taken):
            break
        for queue, text in taken:
            await flow.handle(queue, text)
    assert await flow.watchdog.run(flow.deadline()) == 0  # too early
    flow.clock.advance(1000)
    assert await flow.watchdog.run(flow.deadline()) == 1
    await flow.run()
    _check_whole(*(await _outcome(flow, job))[:2])
    assert await flow.watchdog.run(flow.deadline()) == 0


async def test_the_watchdog_gives_up_on_a_job_that_never_moves(flow):
    job = await flow.send(SPEC)
    for _ in range(12):
        flow.queues.take(JOBS_QUEUE)
        flow.clock.advance(1000)
        await flow.watchdog.run(flow.deadline())
    assert (await flow.jobs.require("admin", job.id)).failure.code == "stalled"


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
