"""Jobs that are cancelled and retried, and retries that are cancelled."""

import asyncio
from dataclasses import replace

import pytest

from shared.errors import Unavailable
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from tests.unit.jobs.job_outcomes import SPEC, TOTAL
from tests.unit.jobs.troubled import night, run_troubled


async def _until_archived(flow):
    """Handles messages up to the one that starts an archive, and returns that."""
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    return waiting[0]


async def _die_behind_the_catalog(flow, message):
    """Handles the message, and dies after the dataset is recorded."""
    put = flow.catalog.put

    async def put_and_die(dataset):
        await put(dataset)
        raise Unavailable("it dies here")

    flow.catalog.put = put_and_die
    with pytest.raises(Unavailable):
        await flow.handle(ARCHIVES_QUEUE, message)
    flow.catalog.put = put


@pytest.mark.parametrize("late", [False, True])
async def test_a_retry_that_is_cancelled_at_its_very_end_leaves_the_dataset_before(flow, late):
    job = await run_troubled(flow)
    before = await flow.catalog.require("admin", job.id)
    flow.worker.reject = lambda _: None
    await flow.retry.run("admin", job.id)
    message = await _until_archived(flow)
    await _die_behind_the_catalog(flow, message)
    if late:  # the message comes again before the cancel, which overtakes it
        put = flow.catalog.put

        async def put_while_cancelled(dataset):
            await put(dataset)
            await flow.cancel(job)

        flow.catalog.put = put_while_cancelled
    else:
        await flow.cancel(job)
    await flow.handle(ARCHIVES_QUEUE, message)
    assert (await flow.job(job)).state is State.CANCELLED
    assert await flow.catalog.require("admin", job.id) == before
    await night(flow, days=8)
    names = [info.name async for info in flow.blobs.list("datasets/")]
    assert set(names) == {*before.blobs, before.records_blob}


async def test_a_job_that_is_cancelled_at_its_very_end_has_no_dataset_and_no_files(flow):
    job = await flow.send(SPEC)
    message = await _until_archived(flow)
    await _die_behind_the_catalog(flow, message)
    await flow.cancel(job)
    await flow.handle(ARCHIVES_QUEUE, message)
    assert await flow.catalog.get("admin", job.id) is None
    assert (await flow.catalog.page("admin")).items == []
    await flow.retry.run("admin", job.id)
    await flow.run()
    after = await flow.catalog.require("admin", job.id)
    assert (after.revision, (await flow.catalog.page("admin")).items) == (2, [after])
    await night(flow, days=8)
    names = [info.name async for info in flow.blobs.list("datasets/")]
    assert set(names) == {*after.blobs, after.records_blob}


async def test_a_dataset_is_taken_back_only_as_long_as_no_later_one_is_recorded(flow):
    job = await run_troubled(flow)
    first = await flow.catalog.require("admin", job.id)
    apply = flow.entities.apply
    overtaken: list[bool] = []

    async def apply_late(table, partition, changes):
        if not overtaken:
            overtaken.append(True)
            await flow.catalog.put(replace(first, revision=2))
        return await apply(table, partition, changes)

    flow.entities.apply = apply_late
    await flow.catalog.undo("admin", job.id, 1, None)
    assert (await flow.catalog.require("admin", job.id)).revision == 2


async def test_a_cancelled_job_goes_on_where_it_was(flow):
    job = await flow.send(SPEC)
    flow.worker.reject = lambda _: None
    flow.worker.stuck_at = 47
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    for number, text in enumerate(flow.queues.take(CHUNKS_QUEUE)):
        if number == 2:
            flow.worker.before = lambda: flow.cancel(job)
        await flow.handle(CHUNKS_QUEUE, text)
    await flow.run()
    assert flow.worker.fetched == list(range(47))
    flow.worker.stuck_at = -1
    await flow.retry.run("admin", job.id)
    await flow.run()
    assert sorted(flow.worker.fetched) == list(range(TOTAL))
    assert (await flow.delivered(job)) == dict.fromkeys(range(TOTAL), "kept")


async def test_a_job_cancelled_before_its_discovery_ended_discovers_on(flow):
    job = await flow.send(SPEC)
    flow.clock.tick = 200.0
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    await flow.cancel(job)
    await flow.run()
    assert (await flow.ledger.progress(job.id)).found < TOTAL
    flow.clock.tick = 0.0
    await flow.retry.run("admin", job.id)
    await flow.run()
    assert (await flow.delivered(job)).keys() == set(range(TOTAL))
    assert len(flow.worker.fetched) == TOTAL


async def test_a_retry_goes_on_where_the_cancelled_discovery_saves_for_the_last_time(flow):
    job = await flow.send(SPEC)
    saving, may_save = asyncio.Event(), asyncio.Event()
    put, query = flow.blobs.put, flow.entities.query

    async def slow_put(name, *rest, **options):
        if "/candidates/" in name and not saving.is_set():
            saving.set()
            await may_save.wait()
        await put(name, *rest, **options)

    async def late_query(table, partition, *, after="", before=""):
        if after.startswith("chunk-"):  # the retry has read where discovery stands
            may_save.set()
            await cancelled
        async for found in query(table, partition, after=after, before=before):
            yield found

    flow.blobs.put = slow_put
    [(queue, text)] = flow.take()
    cancelled = asyncio.create_task(flow.handle(queue, text))
    await saving.wait()
    await flow.cancel(job)
    await flow.retry.run("admin", job.id)
    flow.entities.query = late_query
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert sorted(flow.worker.fetched) == list(range(TOTAL))
