"""A retry at the same time as the clean-up of its job."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Conflict
from shared.jobs.job.job import WebhookState
from shared.jobs.job.states import State
from shared.records.records import Reason
from shared.storage.entities import Entity, Put, Replace
from tests.unit.jobs.simulation import Flow

SPEC = {"keywords": ["a"], "sources": [{"type": "fake", "total": 60}], "dedup": {"near_distance": None}}


def _each_call(flow, names, then):
    """Runs `then` before each call of these methods of the entities and the blobs."""
    for store in (flow.entities, flow.blobs):
        for name in names:
            inner = getattr(store, name, None)
            if inner is None:
                continue

            async def call(*args, inner=inner):
                await then()
                return await inner(*args)

            setattr(store, name, call)


async def _retried_at(number):
    """Retries a job before the clean-up's call `number`; returns None if there are fewer calls."""
    flow = Flow()
    job = await flow.send(SPEC)
    await flow.run()
    flow.clock.advance(8 * 86400)
    calls = [0]
    said: list[int | str] = []

    async def retry():
        calls[0] += 1
        if calls[0] == number:
            try:
                said.append((await flow.retry.run("admin", job.id)).revision)
            except Conflict as error:
                said.append(error.detail)

    flow.worker.reject = lambda _: None
    _each_call(flow, ("apply", "delete"), retry)
    await flow.clear_work()
    await flow.run()
    return (said[0], await flow.job(job), [work async for work in flow.jobs.works()]) if said else None


async def test_a_retry_during_the_cleanup_is_refused_or_keeps_its_files():
    number, answers = 1, []
    while (found := await _retried_at(number)) is not None:
        said, job, works = found
        answers.append(said)
        assert job.state is State.COMPLETED
        if said == 2:
            assert (job.revision, len(works)) == (2, 1)
        else:
            assert "deleted" in said
            assert (job.revision, works) == (1, [])
        number += 1
    # from some call of storage on, the retry is refused
    retried = answers.count(2)
    assert set(answers[:retried]) == {2}
    assert len(set(answers[retried:])) == 1
    assert number > 8


async def test_a_job_that_was_retried_and_ended_again_is_not_cleared_for_its_first_end(flow):
    job = await flow.send(SPEC)
    await flow.run()
    moment = flow.clock.now() + timedelta(days=1)
    flow.clock.advance(8 * 86400)
    await flow.retry.run("admin", job.id)
    assert not await flow.jobs.begin_clearing(job.id, moment)
    await flow.run()
    assert not await flow.jobs.begin_clearing(job.id, moment)
    assert await flow.jobs.begin_clearing(job.id, flow.clock.now() + timedelta(days=1))


async def test_a_webhook_that_is_noted_during_the_cleanup_lets_no_retry_begin(flow):
    flow.worker.reject = lambda index: Reason.TIMED_OUT if index % 10 == 9 else None
    job = await flow.send(SPEC)
    await flow.run()
    moment = flow.clock.now() + timedelta(days=1)
    assert await flow.jobs.begin_clearing(job.id, moment)
    await flow.jobs.save(replace(await flow.job(job), webhook=WebhookState.ANNOUNCED))
    with pytest.raises(Conflict):
        await flow.retry.run("admin", job.id)
    await flow.jobs.forget_work(job.id)
    await flow.jobs.save(replace(await flow.job(job), webhook=WebhookState.LOST))
    assert [work async for work in flow.jobs.works()] == []


@pytest.mark.parametrize("method", ["put", "undo"])
@pytest.mark.parametrize("retried", [False, True])
async def test_a_cleanup_while_a_cancelled_archive_ends_leaves_no_dataset_without_its_files(
    flow, method, retried
):
    flow.worker.reject = lambda index: Reason.TIMED_OUT if index % 10 == 9 else None
    job = await flow.send(SPEC)
    if retried:
        await flow.run()
        await flow.retry.run("admin", job.id)
    put, late = flow.catalog.put, getattr(flow.catalog, method)

    async def cancelled(dataset):
        await flow.cancel(job)
        await put(dataset)

    async def cleared_before(*args):
        if method == "put":
            await flow.cancel(job)
        setattr(flow.catalog, method, late)
        flow.clock.advance(1)
        await flow.clear_work(retention_days=0)
        await late(*args)

    flow.catalog.put = cancelled
    setattr(flow.catalog, method, cleared_before)
    await flow.run()
    assert getattr(flow.catalog, method) == late
    dataset = await flow.catalog.get("admin", job.id)
    assert (dataset.revision if dataset else None) == (1 if retried else None)
    left = {info.name async for info in flow.blobs.list("datasets/")}
    assert {*dataset.blobs, dataset.records_blob} <= left if dataset else not left


async def test_a_job_that_runs_is_not_cleared_whatever_its_index_row_says(flow):
    job = await flow.send(SPEC)
    wrong = {"user_id": "admin", "since": job.created_at, "finished_at": job.created_at, "revision": 1}
    await flow.entities.apply("jobs", "~work", [Put(Entity("~work", job.id, wrong))])
    assert not await flow.jobs.begin_clearing(job.id, flow.clock.now() + timedelta(days=1))
    assert [(work.finished_at, work.clearing) async for work in flow.jobs.works()] == [(None, False)]
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED


async def test_a_job_that_is_retried_while_the_watchdog_marks_its_end_stays_in_sight(flow):
    flow.worker.reject = lambda index: Reason.TIMED_OUT if index % 10 == 9 else None
    job = await flow.send(SPEC)
    died, apply = [], flow.entities.apply

    async def dying(table, partition, changes):
        if (
            partition == "~work"
            and isinstance(changes[0], Replace)
            and "finished_at" in changes[0].entity.values
        ):
            died.append(changes)  # an instance dies between the job's row and its index row
            return [""]
        return await apply(table, partition, changes)

    flow.entities.apply = dying
    await flow.run()
    flow.entities.apply = apply
    assert died
    assert [work.finished_at async for work in flow.jobs.works()] == [None]
    mark = flow.jobs.mark_finished

    async def late(work, now):
        await flow.retry.run("admin", job.id)
        await mark(work, now)

    flow.jobs.mark_finished = late
    await flow.watchdog.run(flow.deadline())
    flow.jobs.mark_finished = mark
    flow.take()  # the retry's message gets lost
    flow.clock.advance(1000)
    assert await flow.watchdog.run(flow.deadline()) == 1
    await flow.run()
    assert ((await flow.job(job)).state, (await flow.job(job)).revision) == (State.COMPLETED, 2)
