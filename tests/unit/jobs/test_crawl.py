"""Chunks that run out of time, whose hosts are busy, that kill their process, or that are halved."""

import asyncio

import pytest

from shared.jobs.job.messages import (
    CHUNKS_QUEUE,
    JOBS_QUEUE,
)
from shared.jobs.job.states import State
from tests.unit.jobs.job_outcomes import SPEC, TOTAL, check_whole, outcome


async def test_a_chunk_that_runs_out_of_time_goes_on_as_a_new_one(flow):
    flow.worker.budget = 7
    job = await flow.send(SPEC)
    await flow.run()
    check_whole(*(await outcome(flow, job))[:2])
    assert sorted(flow.worker.fetched) == list(range(TOTAL))
    progress = await flow.ledger.progress(job.id)
    assert progress.added == progress.done == 30


async def test_a_chunk_that_gets_nothing_done_comes_again(flow):
    flow.worker.budget = 0
    flow.worker.before = lambda: flow.clock.advance(2000)
    await flow.send(SPEC)
    with pytest.raises(Exception, match="ran out of time"):
        await flow.run()


async def test_a_chunk_that_makes_requests_but_finishes_no_candidate_fails(flow):
    """Otherwise it would be postponed for ever, for example if redirects at a slow host take longer than a run."""
    flow.worker.budget = 0
    flow.worker.asked = True
    await flow.send(SPEC)
    with pytest.raises(Exception, match="ran out of time"):
        await flow.run()


async def test_a_chunk_whose_hosts_are_busy_is_enqueued_again_later_and_does_not_fail(flow):
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
    check_whole(*(await outcome(flow, job))[:2])


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
    state, records, _ = await outcome(flow, job)
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
    expected = await outcome(flow, job)
    for text in flow.queues.sent[CHUNKS_QUEUE]:
        await flow.intake.handle_poisoned_chunk(text)
    await flow.run()
    assert await outcome(flow, job) == expected
    assert (await flow.ledger.progress(job.id)).added == 10


async def test_a_chunk_that_is_halved_while_it_is_crawled_ends_one_way_only(flow):
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    first, *others = flow.queues.take(CHUNKS_QUEUE)
    flow.worker.before = lambda: flow.intake.handle_poisoned_chunk(first)
    await flow.handle(CHUNKS_QUEUE, first)
    for text in others:
        flow.put_back(CHUNKS_QUEUE, text)
    await flow.run()
    check_whole(*(await outcome(flow, job))[:2])
    progress = await flow.ledger.progress(job.id)
    assert (progress.added, progress.done) == (12, 12)


async def test_a_job_whose_options_are_known_does_not_wait_for_the_spec_of_another_job(flow, monkeypatch):
    first, second = [await flow.send(SPEC) for _ in range(2)]
    for queue, text in flow.take():
        await flow.handle(queue, text)
    chunks = flow.take()
    known, *others = [text for _, text in chunks if f'"{first.id}"' in text]
    [slow, *_] = [text for _, text in chunks if f'"{second.id}"' in text]
    await flow.handle(CHUNKS_QUEUE, known)
    asked, answered, read = asyncio.Event(), asyncio.Event(), flow.jobs.needed_spec

    async def read_slowly(job_id):
        asked.set()
        await answered.wait()
        return await read(job_id)

    monkeypatch.setattr(flow.jobs, "needed_spec", read_slowly)
    waiting = asyncio.create_task(flow.handle(CHUNKS_QUEUE, slow))
    await asked.wait()
    async with asyncio.timeout(5):
        await flow.handle(CHUNKS_QUEUE, others[0])
    answered.set()
    await waiting
