"""Whoever ends a job may die before its webhook is called: its owner hears of the end all the same, and once."""

import pytest

from shared.errors import Unavailable
from shared.jobs.flow.watchdog import WatchdogConfig
from shared.jobs.job.job import WebhookState
from shared.jobs.job.messages import ARCHIVES_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from tests.unit.jobs.simulation import QUEUES, Flow
from tests.unit.jobs.webhooks.hooks import SPEC, events


async def _cancel_and_die(flow, job, lost):
    """Cancel a job; the write numbered `lost` is the last one. Whether there were as many."""
    flow.weather.writes_left, flow.weather.after = lost, True
    try:
        await flow.cancel(job)
    except Unavailable:
        return True
    finally:
        flow.weather.writes_left = -1
    return False


@pytest.mark.parametrize("begun", [False, True])
async def test_the_watchdog_reports_a_cancel_that_dies_after_any_write(flow, begun):
    lost = 1
    while True:
        job = await flow.send(SPEC)
        [message] = flow.queues.take(JOBS_QUEUE)
        if begun:
            await flow.handle(JOBS_QUEUE, message)
        died = await _cancel_and_die(flow, job, lost)
        for queue in QUEUES:  # nothing is left but what is stored
            flow.queues.take(queue)
        assert (await flow.job(job)).state is State.CANCELLED
        assert await flow.watchdog.run(flow.deadline()) == 0  # its message may still come
        flow.clock.advance(1000)
        assert await flow.watchdog.run(flow.deadline()) == 1
        await flow.run(times=2)
        assert events(flow) == [("job.cancelled", 1)]
        assert (await flow.delivery(job)).state == "delivered"
        flow.clock.advance(10_000)
        assert await flow.watchdog.run(flow.deadline()) == 0
        flow.web.sent.clear()
        if not died:
            break
        lost += 1
    assert lost > 1


async def test_the_watchdog_leaves_a_cancelled_job_alone_while_messages_wait(flow):
    job = await flow.send(SPEC)
    await flow.cancel(job)
    for seconds in (1000, 1000):
        flow.clock.advance(seconds)
        assert await flow.watchdog.run(flow.deadline()) == 0
    flow.clock.advance(2000)  # too long to be patient
    assert await flow.watchdog.run(flow.deadline()) == 1
    await flow.run()
    assert events(flow) == [("job.cancelled", 1)]


async def test_the_watchdog_reports_the_end_of_a_job_whose_archive_step_died_for_good(flow):
    job = await flow.send(SPEC)
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)

    send = flow.queues.send

    async def dying(*_, **__):
        raise Unavailable("not an answer: the end of the process")

    flow.queues.send = dying
    with pytest.raises(Unavailable):
        await flow.handle(ARCHIVES_QUEUE, waiting[0])
    flow.queues.send = send
    assert (await flow.job(job)).state is State.COMPLETED
    flow.clock.advance(1000)
    assert await flow.watchdog.run(flow.deadline()) == 1
    await flow.run()
    assert events(flow) == [("job.completed", 1)]


async def test_the_watchdog_asks_less_and_less_often_and_gives_up_in_the_end(flow):
    job = await flow.send(SPEC)
    await flow.cancel(job)
    ended, sent = (await flow.job(job)).updated_at, []
    for _ in range(600):
        flow.clock.advance(600)
        for queue in QUEUES:  # every message is lost
            flow.queues.take(queue)
        if await flow.watchdog.run(flow.deadline()):
            sent.append(round((flow.clock.now() - ended).total_seconds() / 900, 1))
    assert len(sent) == WatchdogConfig().max_nudges
    assert all(0 < seconds - (1 << number) < 1 for number, seconds in enumerate(sent)), sent
    found = await flow.job(job)
    assert (found.updated_at, found.webhook) == (ended, WebhookState.LOST)
    [work] = [work async for work in flow.jobs.works()]
    assert work.finished_at == ended


async def test_the_watchdog_frees_the_slot_of_a_job_whose_webhook_is_pending():
    flow = Flow(running_jobs=1)
    first, second = await flow.send(SPEC), await flow.send(SPEC)
    for text in flow.queues.take(JOBS_QUEUE):
        await flow.handle(JOBS_QUEUE, text)
    await _cancel_and_die(flow, first, 1)
    for queue in QUEUES:
        flow.queues.take(queue)
    assert await flow.watchdog.run(flow.deadline()) == 0  # the owner's message may still come
    await flow.run()
    assert (await flow.job(second)).state is State.COMPLETED
    assert (await flow.job(first)).webhook is WebhookState.PENDING


async def test_a_retry_of_a_job_whose_end_was_never_reported_reports_its_own_end(flow):
    job = await flow.send(SPEC)
    await _cancel_and_die(flow, job, 1)
    flow.queues.take(JOBS_QUEUE)
    await flow.retry.run("admin", job.id)
    await flow.run()
    assert events(flow) == [("job.completed", 2)]
    flow.clock.advance(10_000)
    assert await flow.watchdog.run(flow.deadline()) == 0


async def test_the_work_of_a_job_counts_as_ended_from_the_jobs_end_once_its_webhook_is_settled(flow):
    job = await flow.send(SPEC)
    await flow.cancel(job)
    [work] = [work async for work in flow.jobs.works()]
    assert work.finished_at is None
    ended = (await flow.job(job)).updated_at
    flow.clock.advance(60)
    await flow.run()
    [work] = [work async for work in flow.jobs.works()]
    assert work.finished_at == ended
