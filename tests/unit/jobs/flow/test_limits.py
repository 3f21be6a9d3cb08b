"""A large job leaves room for other jobs, a user leaves room for other users, and the calls of storage are few."""

import json

import pytest

from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from shared.storage.entities import Replace
from tests.unit.jobs.simulation import WINDOW, Flow

SPEC = {"keywords": ["a"], "sources": [{"type": "fake", "total": 400}], "dedup": {"near_distance": None}}


async def _begun(flow, count):
    """Submits so many jobs, a second apart, and handles their first messages."""
    jobs = []
    for _ in range(count):
        flow.clock.advance(1)
        jobs.append(await flow.send(SPEC))
    await _handle_jobs(flow)
    return jobs


async def _handle_jobs(flow):
    for text in flow.queues.take(JOBS_QUEUE):
        await flow.handle(JOBS_QUEUE, text)


async def _most_waiting(flow):
    most = 0
    while True:
        most = max(most, len(flow.queues._waiting[CHUNKS_QUEUE]))
        waiting = [(queue, text) for queue in (JOBS_QUEUE, CHUNKS_QUEUE) for text in flow.queues.take(queue)]
        if not waiting:
            return most
        queue, text = waiting.pop(0)
        for other in waiting:
            flow.put_back(*other)
        await flow.deliver(queue, text)


@pytest.mark.parametrize("budget", [10_000, 7])
async def test_a_job_never_has_more_than_its_share_on_the_queue(flow, budget):
    flow.worker.budget = budget
    job = await flow.send(SPEC)
    assert await _most_waiting(flow) == WINDOW
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert len(flow.queues.sent[CHUNKS_QUEUE]) == (await flow.ledger.progress(job.id)).added
    assert sorted(flow.worker.fetched) == list(range(400))


async def test_a_small_job_waits_for_no_more_than_a_huge_ones_share(flow):
    huge = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    small = await flow.send({**SPEC, "sources": [{"type": "fake", "total": 20}]})
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    for text in flow.queues.take(CHUNKS_QUEUE):
        await flow.handle(CHUNKS_QUEUE, text)
    assert (await flow.job(small)).state is State.ARCHIVING
    assert (await flow.job(huge)).state is State.CRAWLING
    assert (await flow.ledger.progress(huge.id)).done == WINDOW


async def test_a_message_that_comes_again_announces_nothing_again(flow):
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    while taken := flow.queues.take(CHUNKS_QUEUE):
        for text in taken:
            await flow.handle(CHUNKS_QUEUE, text)
            await flow.handle(CHUNKS_QUEUE, text)
    assert len(flow.queues.sent[CHUNKS_QUEUE]) == (await flow.ledger.progress(job.id)).added


async def test_no_chunk_waits_for_a_halved_one(flow):
    flow.worker.poison = {5}
    job = await flow.send(SPEC)
    await _most_waiting(flow)
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert sorted(flow.worker.fetched) == [index for index in range(400) if index != 5]


async def test_chunks_whose_message_was_lost_are_found_by_the_watchdog(flow):
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    flow.queues.take(CHUNKS_QUEUE)
    flow.clock.advance(1000)
    assert await flow.watchdog.run(flow.deadline()) == 1
    assert len(flow.queues._waiting[CHUNKS_QUEUE]) == WINDOW
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert sorted(flow.worker.fetched) == list(range(400))


async def test_halves_whose_messages_got_lost_are_found_by_the_watchdog(flow):
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    first, *others = flow.queues.take(CHUNKS_QUEUE)
    await flow.intake.handle_poisoned_chunk(first)
    flow.queues.take(CHUNKS_QUEUE)  # the halves, and the one whose turn came with them
    for text in others:
        await flow.handle(CHUNKS_QUEUE, text)
    await flow.run()
    assert (await flow.job(job)).state is State.CRAWLING
    flow.clock.advance(1000)
    assert await flow.watchdog.run(flow.deadline()) == 1
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert sorted(flow.worker.fetched) == list(range(400))


async def _calls_until_the_archive(flow, chunks):
    """Returns the number of calls of storage from discovery to the archive's message."""
    total = 20 * chunks
    await flow.send({**SPEC, "sources": [{"type": "fake", "total": total, "page": total}]})
    flow.weather.calls.clear()
    while (taken := flow.take()) and taken[0][0] != ARCHIVES_QUEUE:
        for queue, text in taken:
            await flow.handle(queue, text)
    return flow.weather.calls.copy()


async def test_a_chunk_costs_ten_calls_of_storage(flow):
    del flow  # it brings the fake source
    few, many = [await _calls_until_the_archive(Flow(window=100), chunks) for chunks in (30, 50)]
    assert {name: (many[name] - few[name]) / 20 for name in many if many[name] != few[name]} == {
        "send": 1,  # its message
        "put": 3,  # candidates, shard, records
        "get": 4,  # the job, its row, its candidates, its lane
        "apply": 1,  # done
        "query": 1,  # all lanes
    }


@pytest.fixture
def narrow(flow):
    del flow  # it brings the fake source
    return Flow(running_jobs=2)


@pytest.fixture
def roomy(flow):
    del flow  # it brings the fake source
    return Flow(chunk_size=1000)


async def _states(flow, jobs):
    return [str((await flow.job(job)).state) for job in jobs]


async def test_jobs_beyond_a_users_slots_wait_in_order(narrow):
    jobs = []
    for _ in range(5):
        narrow.clock.advance(1)
        jobs.append(await narrow.send(SPEC))
    for text in narrow.queues.take(JOBS_QUEUE):
        await narrow.handle(JOBS_QUEUE, text)
        await narrow.handle(JOBS_QUEUE, text)
    assert await _states(narrow, jobs) == ["crawling", "crawling", "queued", "queued", "queued"]
    narrow.clock.advance(10_000)
    narrow.queues.take(CHUNKS_QUEUE)
    assert await narrow.watchdog.run(narrow.deadline()) == 2  # those that wait are not standing still
    narrow.queues.take(CHUNKS_QUEUE)
    await narrow.cancel(jobs[0])
    await narrow.run()
    assert await _states(narrow, jobs) == ["cancelled", "crawling", "completed", "completed", "completed"]
    finished = [work.job_id async for work in narrow.jobs.works() if work.finished_at is not None]
    assert set(finished) == {job.id for job in (jobs[0], *jobs[2:])}


async def test_where_two_jobs_end_at_the_same_time_two_begin(narrow):
    jobs = await _begun(narrow, 5)
    await narrow.cancel(jobs[0])
    await narrow.cancel(jobs[1])  # before the message of the job whose turn came with the first is handled
    await _handle_jobs(narrow)
    assert await _states(narrow, jobs) == ["cancelled", "cancelled", "crawling", "crawling", "queued"]
    await narrow.run()
    assert await _states(narrow, jobs[2:]) == ["completed"] * 3


async def test_a_job_that_ends_while_another_takes_its_slot_lets_the_one_behind_begin(narrow):
    jobs = await _begun(narrow, 4)
    await narrow.cancel(jobs[0])
    apply = narrow.entities.apply

    async def late(table, partition, changes):
        if isinstance(changes[0], Replace) and changes[0].entity.row == jobs[2].id:
            narrow.entities.apply = apply
            # the third has its slot by now, and still its place among those that wait
            await narrow.cancel(jobs[1])
        return await apply(table, partition, changes)

    narrow.entities.apply = late
    for _ in range(2):
        await _handle_jobs(narrow)
    assert await _states(narrow, jobs) == ["cancelled", "cancelled", "crawling", "crawling"]


async def test_a_job_that_is_cancelled_while_it_waits_lets_the_next_one_pass(narrow):
    jobs = [await narrow.send(SPEC) for _ in range(4)]
    await _handle_jobs(narrow)
    await narrow.cancel(jobs[2])
    await narrow.run()
    assert await _states(narrow, jobs) == ["completed", "completed", "cancelled", "completed"]


async def test_a_slot_whose_holder_died_with_it_is_taken_over(narrow):
    jobs = [await narrow.send(SPEC) for _ in range(3)]
    await _handle_jobs(narrow)
    for job in jobs[:2]:  # ended, and nobody told the slots
        stored = await narrow.job(job)
        await narrow.jobs.save(stored.moved(State.CANCELLED, narrow.clock.now()))
    narrow.queues.take(CHUNKS_QUEUE)
    narrow.clock.advance(1000)
    assert await narrow.watchdog.run(narrow.deadline()) == 1
    await narrow.run()
    assert await _states(narrow, jobs) == ["cancelled", "cancelled", "completed"]


async def test_the_first_chunks_are_small_and_so_are_the_last_and_the_others_as_large_as_may_be(roomy):
    job = await roomy.send({**SPEC, "sources": [{"type": "fake", "total": 5000, "page": 100}]})
    await roomy.run()
    chunks = [chunk.count async for chunk in roomy.ledger.chunks(job.id)]
    assert chunks == [300, 300, 600, 1000, 1000, 600, 600, 600]
    assert (await roomy.job(job)).state is State.COMPLETED
    assert sorted(roomy.worker.fetched) == list(range(5000))


async def test_candidates_with_much_text_make_small_chunks(roomy):
    extra = {f"column{at}": "x" * 1000 for at in range(20)}
    rows = [{"url": f"http://x.example/{at}.jpg", "label": "a", **extra} for at in range(600)]
    await roomy.blobs.put("inputs/list.jsonl", "\n".join(map(json.dumps, rows)).encode())
    job = await roomy.send({**SPEC, "sources": [{"type": "urls", "blob": "inputs/list.jsonl"}]})
    await roomy.run()
    assert [chunk.count async for chunk in roomy.ledger.chunks(job.id)] == [256, 172, 172]


async def test_a_long_page_of_candidates_is_divided_evenly(roomy):
    job = await roomy.send({**SPEC, "sources": [{"type": "fake", "total": 3700, "page": 3700}]})
    await roomy.run()
    assert [chunk.count async for chunk in roomy.ledger.chunks(job.id)] == [925] * 4
