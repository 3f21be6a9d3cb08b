"""No slot is lost or given twice, even if jobs claim slots at the same time or die, and claiming takes few calls."""

import asyncio
import random
from dataclasses import replace

import pytest

from shared.errors import Unavailable
from shared.jobs.job.messages import JOBS_QUEUE
from shared.jobs.job.states import State
from shared.storage.entities import Delete
from tests.unit.jobs.simulation import Flow

SPEC = {"keywords": ["a"], "sources": [{"type": "fake", "total": 20}], "dedup": {"near_distance": None}}


async def _jobs(flow, count):
    jobs = []
    for _ in range(count):
        flow.clock.advance(1)
        jobs.append(await flow.send(SPEC))
    flow.queues.take(JOBS_QUEUE)
    return jobs


async def _running(flow, jobs):
    """Returns the jobs that hold a slot and have not ended."""
    rows = flow.entities.query("jobs", "~slots-admin", after="slot-", before="slot-~")
    holders = [row.values["job_id"] async for row in rows]
    assert len(set(holders) - {""}) == sum(map(bool, holders)), "a job holds two slots"
    return {job.id for job in jobs if job.id in holders and not (await flow.job(job)).state.terminal}


async def _end(flow, job):
    """Ends a job as a run does that dies before it frees the job's slot."""
    stored = await flow.job(job)
    await flow.jobs.save(stored.moved(State.CANCELLED, flow.clock.now()))


@pytest.mark.parametrize("taken", [0, 1, 99])
async def test_a_free_slot_is_found_with_one_read_however_many_are_taken(taken):
    flow = Flow(running_jobs=100)
    *others, job = await _jobs(flow, taken + 1)
    for other in others:
        assert await flow.slots.claim(other)
    flow.weather.calls.clear()
    assert await flow.slots.claim(job)
    assert (flow.weather.calls["query"], flow.weather.calls["get"]) == (1, 0)


async def test_a_job_that_holds_a_slot_finds_it_by_one_read():
    flow = Flow(running_jobs=2)
    first, second, third = await _jobs(flow, 3)
    assert [await flow.slots.claim(job) for job in (first, second, third)] == [True, True, False]
    flow.weather.calls.clear()
    assert await flow.slots.claim(second)
    assert (flow.weather.calls["query"], flow.weather.calls["get"]) == (1, 0)
    assert [await flow.slots.has_room(job) for job in (first, second, third)] == [True, True, False]


async def test_after_the_limit_was_lowered_no_job_begins_until_enough_have_ended():
    flow = Flow(running_jobs=4)
    *running, waiting = await _jobs(flow, 5)
    assert [await flow.slots.claim(job) for job in (*running, waiting)] == [True] * 4 + [False]
    slots = flow.transitions._slots = replace(flow.slots, limits=replace(flow.slots.limits, admin_jobs=2))
    for job in running[2:]:
        await flow.cancel(job)
    assert not await slots.claim(waiting)
    assert flow.queues.take(JOBS_QUEUE) == []
    await flow.cancel(running[0])
    assert len(flow.queues.take(JOBS_QUEUE)) == 1
    assert await slots.claim(waiting)


async def _check_all_get_a_slot(flow, jobs, claiming):
    """Claims slots for these jobs, and cancels them one by one until all jobs have had a slot."""
    ended = {job.id for job in jobs if job not in claiming}
    for job in claiming:
        await flow.slots.claim(job)
    assert len(await _running(flow, jobs)) == min(3, len(claiming))
    for job in claiming:
        if job.id in await _running(flow, jobs):
            await flow.cancel(job)
            ended.add(job.id)
        sent = "".join(flow.queues.take(JOBS_QUEUE))
        for other in jobs:
            if f'"{other.id}"' in sent and other.id not in ended:
                await flow.slots.claim(other)
    assert len(ended) == len(jobs)


@pytest.mark.parametrize("seed", range(40))
async def test_no_slot_is_lost_or_given_twice_when_jobs_come_at_the_same_time_and_die(seed):
    flow, chance = Flow(running_jobs=3), random.Random(seed)
    jobs = await _jobs(flow, 12)
    flow.weather.chance = chance

    told = set()

    async def claim(job):
        if await flow.slots.claim(job):
            told.add(job.id)

    async def attempt(act, job):
        try:
            await act(job)
        except Unavailable:
            return

    claiming = list(jobs)
    for _ in range(30):
        flow.weather.writes_left, flow.weather.after = chance.randint(1, 30), chance.random() < 0.5
        ending = [job for job in jobs if job.id in await _running(flow, jobs)]
        acts = [(claim, job) for job in chance.sample(claiming, min(5, len(claiming)))]
        acts += [(flow.cancel, job) for job in chance.sample(ending, min(2, len(ending)))]
        await asyncio.gather(*(attempt(act, job) for act, job in acts))
        claiming = [job for job in claiming if not (await flow.job(job)).state.terminal]
        running = await _running(flow, jobs)
        assert len(running) <= 3
        assert {job.id for job in claiming if job.id in told} <= running
    flow.weather.writes_left = -1
    await _check_all_get_a_slot(flow, jobs, claiming)


def _before(flow, prefix, act):
    """Runs `then` right before the next write of a row whose key begins with the prefix."""
    apply = flow.entities.apply

    async def late(table, partition, changes):
        if not isinstance(changes[0], Delete) and changes[0].entity.row.startswith(prefix):
            flow.entities.apply = apply
            await act()
        return await apply(table, partition, changes)

    flow.entities.apply = late


async def test_of_two_jobs_that_see_the_same_free_slot_one_gets_it():
    flow = Flow(running_jobs=1)
    first, second = await _jobs(flow, 2)
    told = []

    async def overtake():
        told.append(await flow.slots.claim(second))

    _before(flow, "slot-", overtake)
    told.append(await flow.slots.claim(first))
    assert told == [True, False]


async def test_a_slot_that_is_freed_right_before_a_job_begins_to_wait_is_found():
    flow = Flow(running_jobs=1)
    first, second = await _jobs(flow, 2)
    assert await flow.slots.claim(first)
    _before(flow, "queued-", lambda: flow.cancel(first))
    assert await flow.slots.claim(second)
    assert flow.queues.take(JOBS_QUEUE) == []


async def test_a_job_that_finds_no_free_slot_takes_over_an_abandoned_one():
    flow = Flow(running_jobs=3)
    *running, fourth, fifth = await _jobs(flow, 5)
    for job in running:
        assert await flow.slots.claim(job)
    await _end(flow, running[0])
    await _end(flow, running[2])
    assert await flow.slots.has_room(fourth)
    assert [await flow.slots.claim(fourth), await flow.slots.claim(fifth)] == [True, True]
    assert await _running(flow, [*running, fourth, fifth]) == {running[1].id, fourth.id, fifth.id}


async def test_the_late_end_of_a_revision_frees_nothing_of_the_next_one():
    flow = Flow(running_jobs=1)
    job, other = await _jobs(flow, 2)
    assert await flow.slots.claim(job)
    retried = replace(job, revision=2)
    assert await flow.slots.claim(retried)
    await flow.slots.release(job)
    assert not await flow.slots.claim(other)
    await flow.slots.release(other)
    assert not flow.queues.take(JOBS_QUEUE)
    await flow.slots.release(retried)
    assert await flow.slots.claim(other)


async def test_the_late_end_of_a_revision_leaves_the_place_of_the_next_one_among_those_that_wait():
    flow = Flow(running_jobs=1)
    first, job = await _jobs(flow, 2)
    assert await flow.slots.claim(first)
    assert not await flow.slots.claim(job)
    assert not await flow.slots.claim(replace(job, revision=2))
    await flow.slots.release(job)
    assert flow.queues.take(JOBS_QUEUE) == []
    await flow.slots.release(first)
    assert len(flow.queues.take(JOBS_QUEUE)) == 1
